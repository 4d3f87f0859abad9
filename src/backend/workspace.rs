//! What this machine's files say of a folder that is to be a workspace: facts for `policy::workspace::judge`.
//!
//! Judges nothing itself. The device and inode come from an open descriptor, and the canonical path is
//! checked against them, so that a folder swapped for a link on the way is found out.
#![expect(clippy::disallowed_methods, reason = "this is where a workspace and the machine's users are looked up")]

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open};
use nix::sys::stat::{Mode, fstat, fstatat};

use crate::config::{Endpoint, Environment, Paths, Settings};
use crate::failure::{Code, Failure, Result};
use crate::policy::WorkspaceMode;
use crate::policy::workspace::{FolderFacts, Rules, sensitive_entries};

/// Observes the folder of `PATH`, `PATH:ro` or `PATH:rw`; relative ones are under `environment.cwd`.
pub fn observe(spec: &str, environment: &Environment) -> Result<(FolderFacts, WorkspaceMode)> {
    let (asked, mode) = parse(spec);
    if asked.is_empty() {
        return Err(Failure::new(Code::Usage, "a workspace needs a path")
            .detail(format!("'--workspace': '{spec}'"))
            .hint("give --workspace PATH or PATH:ro"));
    }
    if asked.chars().any(char::is_control) {
        return Err(Failure::new(Code::Refused, "this folder cannot be a workspace")
            .detail(format!("'--workspace' {asked}: its path holds control characters"))
            .hint("rename the folder"));
    }
    let path = environment.absolute(asked);
    let folder = open(&path, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()).map_err(|error| cannot(asked, error))?;
    let of_folder = fstat(folder.as_fd()).map_err(|error| cannot(asked, error))?;
    let io = |error: &std::io::Error| cannot(asked, error.raw_os_error().map_or(Errno::EIO, Errno::from_raw));
    let canonical = fs::canonicalize(&path).map_err(|error| io(&error))?;
    let of_path = fs::symlink_metadata(&canonical).map_err(|error| io(&error))?;
    if (of_path.dev(), of_path.ino()) != (of_folder.st_dev, of_folder.st_ino) {
        return Err(Failure::new(Code::Refused, "this folder cannot be a workspace")
            .detail(format!("'--workspace' {asked}: it changed while it was looked at"))
            .hint("see what moves or replaces it, then try again"));
    }
    let facts = FolderFacts {
        asked: asked.to_owned(),
        canonical,
        device: of_folder.st_dev,
        inode: of_folder.st_ino,
        uid: of_folder.st_uid,
        gid: of_folder.st_gid,
        entries: entries(&folder).map_err(|error| cannot(asked, error))?,
    };
    Ok((facts, mode))
}

/// What no workspace may be or hold on this machine, for [`crate::policy::workspace::judge`].
pub fn rules(environment: &Environment, paths: &Paths, settings: &Settings, endpoint: &Endpoint) -> Rules {
    let own = paths.all().into_iter().map(Path::to_path_buf);
    let docker = environment.home.iter().map(|home| home.join(".docker"));
    Rules {
        homes: homes(environment),
        protected: endpoint.socket.iter().chain(&endpoint.tls_dir).cloned().chain(own).chain(docker).map(resolved).collect(),
        allowed_roots: settings.workspace.allowed_roots.iter().cloned().map(resolved).collect(),
    }
}

/// A trailing `:ro` or `:rw` is the mode; any other colon belongs to the path.
fn parse(spec: &str) -> (&str, WorkspaceMode) {
    if let Some(path) = spec.strip_suffix(":ro") {
        return (path, WorkspaceMode::ReadOnly);
    }
    (spec.strip_suffix(":rw").unwrap_or(spec), WorkspaceMode::ReadWrite)
}

/// Which of the sensitive names stand directly in the folder, whatever they are: a link named `.ssh` counts.
fn entries(folder: &OwnedFd) -> Result<Vec<String>, Errno> {
    let mut found = Vec::new();
    for name in sensitive_entries() {
        match fstatat(folder.as_fd(), name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(_) => found.push(name.to_owned()),
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => {}
            // One level down a folder may be closed to us, and so to a session that runs as us.
            Err(Errno::EACCES) if name.contains('/') => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// The caller's home, root's, and those of the ordinary users in the password file, where they exist.
fn homes(environment: &Environment) -> Vec<PathBuf> {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let mut homes: Vec<PathBuf> =
        environment.home.iter().cloned().chain(listed_homes(&passwd)).filter(|home| home.is_dir()).map(resolved).collect();
    // A service's home may be `/`; calling that a home would say less than what the judgement says of `/` itself.
    homes.retain(|home| home != Path::new("/"));
    homes.sort();
    homes.dedup();
    homes
}

fn listed_homes(passwd: &str) -> impl Iterator<Item = PathBuf> {
    passwd.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let uid: u32 = fields.get(2)?.parse().ok()?;
        let home = Path::new(fields.get(5)?);
        let a_person = uid == 0 || (1000..65534).contains(&uid);
        (a_person && home.is_absolute()).then(|| home.to_path_buf())
    })
}

/// Canonical as far as it exists: what is made later is made under the canonical name of what exists now.
fn resolved(path: PathBuf) -> PathBuf {
    if let Ok(canonical) = fs::canonicalize(&path) {
        return canonical;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolved(parent.to_path_buf()).join(name),
        _ => path,
    }
}

fn cannot(asked: &str, error: Errno) -> Failure {
    let (code, why, hint) = match error {
        Errno::ENOENT => (Code::NotFound, "there is no such folder", "make it first, or correct the path"),
        Errno::ENOTDIR => (Code::Usage, "it is not a folder", "give the folder that the file is in"),
        Errno::EACCES | Errno::EPERM => (Code::Refused, "you may not look into it", "a session runs as you and could not either"),
        Errno::ELOOP => (Code::Usage, "its links lead in a circle", "give the folder itself"),
        Errno::ENAMETOOLONG => (Code::Usage, "its path is too long", "give a shorter one"),
        other => (Code::Io, other.desc(), "see whether the disk or the network folder answers"),
    };
    Failure::new(code, "this folder cannot be a workspace").detail(format!("'--workspace' {asked}: {why}")).hint(hint)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::policy::workspace::{Caller, judge};

    struct Place {
        root: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            for folder in ["project/src", "home/.ssh", "home/.config/gcloud"] {
                fs::create_dir_all(root.path().join(folder)).unwrap();
            }
            fs::write(root.path().join("file"), "").unwrap();
            Self { root }
        }

        fn path(&self, path: &str) -> PathBuf {
            fs::canonicalize(self.root.path()).unwrap().join(path)
        }

        fn observe(&self, spec: &str) -> Result<(FolderFacts, WorkspaceMode)> {
            let environment = Environment { cwd: self.path("project"), home: Some(self.path("home")), ..Environment::default() };
            observe(spec, &environment)
        }
    }

    #[test]
    fn every_way_to_write_a_folder_leads_to_the_same_one() {
        let place = Place::new();
        symlink(place.path("project"), place.path("link")).unwrap();
        let (facts, mode) = place.observe(place.path("project").to_str().unwrap()).unwrap();
        assert_eq!((facts.canonical.clone(), mode), (place.path("project"), WorkspaceMode::ReadWrite));
        let of_folder = fs::metadata(place.path("project")).unwrap();
        assert_eq!((facts.device, facts.inode, facts.uid), (of_folder.dev(), of_folder.ino(), of_folder.uid()));
        for spec in [".", "./", "../project/", "src/..", "src/../../project//", "../link", "../link/", "~/../project", ".:rw", ".:ro"] {
            let (other, mode) = place.observe(spec).unwrap();
            assert_eq!((&other.canonical, other.device, other.inode), (&facts.canonical, facts.device, facts.inode), "{spec}");
            assert_eq!(mode == WorkspaceMode::ReadOnly, spec.ends_with(":ro"));
        }
    }

    #[test]
    fn a_colon_that_begins_no_mode_belongs_to_the_path() {
        let place = Place::new();
        for folder in ["a:b", "a:ro"] {
            fs::create_dir(place.path("project").join(folder)).unwrap();
        }
        let found = |spec| place.observe(spec).map(|(facts, mode)| (facts.canonical.file_name().unwrap().to_owned(), mode)).unwrap();
        assert_eq!(found("a:b"), ("a:b".into(), WorkspaceMode::ReadWrite));
        assert_eq!(found("a:b:ro"), ("a:b".into(), WorkspaceMode::ReadOnly));
        assert_eq!(found("a:ro:rw"), ("a:ro".into(), WorkspaceMode::ReadWrite));
        assert_eq!(place.observe("a:ro").unwrap_err().code, Code::NotFound, "the last part is the mode");
    }

    #[test]
    fn what_is_no_folder_is_said_to_be_none() {
        let place = Place::new();
        symlink("circle", place.path("project/circle")).unwrap();
        symlink("nowhere", place.path("project/dangling")).unwrap();
        for (spec, why) in [
            ("../file", "it is not a folder"),
            ("../file/x", "it is not a folder"),
            ("absent", "there is no such folder"),
            ("dangling", "there is no such folder"),
            ("circle", "its links lead in a circle"),
            ("~", "there is no such folder"),
            ("", "needs a path"),
            (":ro", "needs a path"),
            ("a\0b", "control characters"),
            ("a\u{1b}[2J", "control characters"),
            (&"x".repeat(5000), "too long"),
        ] {
            let error = place.observe(spec).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("hint: ") && !error.contains('\u{1b}'), "{spec}: {error}");
        }
    }

    #[test]
    fn keys_are_seen_directly_inside_and_through_a_link() {
        let place = Place::new();
        let entries = |spec| place.observe(spec).unwrap().0.entries;
        assert_eq!(entries("."), [""; 0]);
        assert_eq!(entries("../home"), [".ssh", ".config/gcloud"]);
        assert_eq!(entries("../home/.config"), ["gcloud"]);
        symlink("/nowhere", place.path("project/.aws")).unwrap();
        assert_eq!(entries("."), [".aws"]);
    }

    #[test]
    fn a_link_into_a_refused_place_is_refused_with_both_names() {
        let place = Place::new();
        symlink("/etc", place.path("project/innocent")).unwrap();
        symlink(place.path("home"), place.path("project/house")).unwrap();
        let rules = Rules { homes: vec![place.path("home")], ..Rules::default() };
        let verdict = |spec| {
            let (facts, mode) = place.observe(spec).unwrap();
            judge(&facts, mode, &rules, Caller { uid: 1000, gid: 1000 }).map(|_| ()).map_err(|error| error.to_string())
        };
        assert!(verdict("innocent/").unwrap_err().contains("innocent/, which is /etc"));
        assert!(verdict("house/.config/..").unwrap_err().contains("it is a home folder"));
        assert!(verdict("house/.ssh").is_err() && verdict("..").is_err() && verdict("../../../..").is_err());
        assert!(verdict("src").is_ok());
    }

    #[test]
    fn the_rules_know_the_homes_the_socket_and_our_own_folders_by_their_canonical_names() {
        let place = Place::new();
        symlink(place.path("home"), place.path("alias")).unwrap();
        let environment = Environment { home: Some(place.path("alias")), ..Environment::default() };
        let endpoint =
            Endpoint { uri: String::new(), found_by: String::new(), socket: Some(place.path("alias/docker.sock")), tls_dir: None };
        let mut settings = Settings::default();
        settings.workspace.allowed_roots = vec![place.path("alias"), "/srv".into()];
        let rules = rules(&environment, &Paths::under(&place.path("alias")), &settings, &endpoint);
        assert!(rules.homes.contains(&place.path("home")));
        assert!(rules.protected.contains(&place.path("home/docker.sock")));
        assert!(rules.protected.contains(&place.path("home/.config/palisade")), "also while it does not exist");
        assert_eq!(rules.allowed_roots, [place.path("home"), PathBuf::from("/srv")]);
    }

    #[test]
    fn services_without_a_home_of_their_own_forbid_nothing() {
        let passwd =
            "root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/srv:/x\nalice:x:1000:1000::/home/alice:/x\nnobody:x:65534:65534::/:/x\nbad:x:1001\n";
        assert_eq!(listed_homes(passwd).collect::<Vec<_>>(), [PathBuf::from("/root"), PathBuf::from("/home/alice")]);
    }
}
