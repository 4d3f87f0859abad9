//! Whether a host folder may be mounted at `/workspace`, and as whom the session then runs. Pure: it judges facts.

use std::path::{Path, PathBuf};

pub use super::places::sensitive_entries;
use super::places::{is_shared, sensitive_in, system_folder};
use super::{RunAs, WorkspaceMode, WorkspaceMount};
use crate::failure::{Code, Failure, Result};

/// What `backend::workspace` observed of a folder, symlinks resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFacts {
    /// As typed.
    pub asked: String,
    /// Canonical path.
    pub canonical: PathBuf,
    /// `st_dev`.
    pub device: u64,
    /// `st_ino`.
    pub inode: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Names directly in it that matter: `.ssh`, `docker.sock`, ….
    pub entries: Vec<String>,
}

/// What no workspace may be or hold on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// Home folders: the caller's, and every one in the password file; canonical.
    pub homes: Vec<PathBuf>,
    /// The engine's socket and this program's own folders; canonical.
    pub protected: Vec<PathBuf>,
    /// Where workspaces may be; empty for anywhere that is not refused.
    pub allowed_roots: Vec<PathBuf>,
}

/// Who launches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Real uid.
    pub uid: u32,
    /// Real gid.
    pub gid: u32,
}

/// The mount and the user, or why not.
///
/// `mode` is the one that will hold: read-only where the policy's `workspace_read_only` says so.
pub fn judge(facts: &FolderFacts, mode: WorkspaceMode, rules: &Rules, caller: Caller) -> Result<(WorkspaceMount, RunAs)> {
    let source = allowed(facts, rules)?;
    let run_as = run_as(facts, mode, caller)?;
    Ok((WorkspaceMount { source, device: facts.device, inode: facts.inode, mode }, run_as))
}

/// The canonical path as the engine will get it, if the folder may be a workspace at all.
fn allowed(facts: &FolderFacts, rules: &Rules) -> Result<String> {
    const A_PROJECT: &str = "give one project's folder, such as ~/project";
    let path = facts.canonical.as_path();
    let Some(source) = path.to_str().filter(|text| path.is_absolute() && !text.chars().any(char::is_control)) else {
        return Err(refuse(facts, "its path holds characters that cannot be passed on and shown safely", "rename the folder"));
    };
    if path == Path::new("/") {
        return Err(refuse(facts, "it is the root of this machine's files", A_PROJECT));
    }
    if let Some(system) = system_folder(path) {
        let how = if path.starts_with(system) { "is or lies in" } else { "holds" };
        return Err(refuse(facts, &format!("it {how} the system folder {system}"), A_PROJECT));
    }
    if let Some(home) = rules.homes.iter().find(|home| home.starts_with(path)) {
        let why = if home == path { "it is a home folder".to_owned() } else { format!("it holds the home folder {}", home.display()) };
        return Err(refuse(facts, &why, A_PROJECT));
    }
    if is_shared(path) {
        return Err(refuse(facts, "it is shared by everything on this machine", A_PROJECT));
    }
    if let Some(protected) = rules.protected.iter().find(|protected| protected.starts_with(path) || path.starts_with(protected)) {
        let how = if path.starts_with(protected) { "is or lies in" } else { "holds" };
        return Err(refuse(facts, &format!("it {how} {}, the engine's socket or this program's own", protected.display()), A_PROJECT));
    }
    if let Some(place) = sensitive_in(path) {
        return Err(refuse(facts, &format!("it is or lies in '{place}', where keys are kept"), A_PROJECT));
    }
    if let Some(entry) = facts.entries.iter().find(|entry| sensitive_in(&path.join(entry)).is_some()) {
        return Err(refuse(
            facts,
            &format!("it holds '{entry}', where keys or an engine's socket are kept"),
            "give a folder inside that holds none",
        ));
    }
    if !rules.allowed_roots.is_empty() && !rules.allowed_roots.iter().any(|root| path.starts_with(root)) {
        let roots: Vec<_> = rules.allowed_roots.iter().map(|root| root.display().to_string()).collect();
        let hint = format!("workspaces may be in {}; 'workspace.allowed_roots' in config.toml says so", roots.join(", "));
        return Err(refuse(facts, "it is outside the allowed roots", &hint));
    }
    Ok(source.to_owned())
}

/// The caller, so that new files are the caller's; for root, the folder's owner; never root itself.
fn run_as(facts: &FolderFacts, mode: WorkspaceMode, caller: Caller) -> Result<RunAs> {
    let (uid, gid) = if caller.uid == 0 { (facts.uid, facts.gid) } else { (caller.uid, caller.gid) };
    // Group 0 opens what is root's to its group; the group of the user's own number is the convention that it breaks.
    let gid = if gid == 0 { uid } else { gid };
    if let Some(run_as) = RunAs::new(uid, gid) {
        return Ok(run_as);
    }
    match mode {
        WorkspaceMode::ReadOnly => Ok(RunAs::SANDBOX),
        WorkspaceMode::ReadWrite => {
            let hint =
                format!("give it to an ordinary user (chown -R 1000:1000 {}), or mount it read-only with :ro", facts.canonical.display());
            Err(refuse(facts, "it belongs to root, and no session runs as root", &hint))
        }
    }
}

fn refuse(facts: &FolderFacts, why: &str, hint: &str) -> Failure {
    let canonical = facts.canonical.display().to_string();
    let which = if facts.asked == canonical { canonical } else { format!("{}, which is {canonical}", facts.asked) };
    Failure::new(Code::Refused, "this folder cannot be a workspace").detail(format!("'--workspace' {which}: {why}")).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: Caller = Caller { uid: 1001, gid: 1001 };
    const ROOT: Caller = Caller { uid: 0, gid: 0 };

    fn folder(path: &str) -> FolderFacts {
        FolderFacts { asked: path.to_owned(), canonical: path.into(), device: 5, inode: 7, uid: 1001, gid: 1001, entries: Vec::new() }
    }

    fn rules() -> Rules {
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect();
        Rules {
            homes: paths(&["/home/alice", "/home/bob", "/root", "/data/people/carol"]),
            protected: paths(&["/srv/engine/docker.sock", "/home/alice/.config/palisade", "/home/alice/state"]),
            allowed_roots: Vec::new(),
        }
    }

    fn refusal(facts: &FolderFacts) -> String {
        let error = judge(facts, WorkspaceMode::ReadOnly, &rules(), ALICE).unwrap_err();
        assert_eq!(error.code, Code::Refused);
        assert!(error.hint.is_some());
        error.to_string()
    }

    #[test]
    fn a_projects_folder_is_mounted_and_runs_as_the_caller() {
        for path in [
            "/home/alice/project",
            "/srv",
            "/srv/x",
            "/opt/x",
            "/mnt",
            "/mnt/disk",
            "/tmp/x",
            "/var/tmp",
            "/var/tmp/x",
            "/root/p",
            "/data/x",
            "/etcetera",
        ] {
            let (mount, run_as) =
                judge(&folder(path), WorkspaceMode::ReadWrite, &Rules { protected: Vec::new(), ..rules() }, ALICE).unwrap();
            assert_eq!((mount.source.as_str(), mount.device, mount.inode, mount.mode), (path, 5, 7, WorkspaceMode::ReadWrite));
            assert_eq!(run_as.to_string(), "1001:1001");
        }
    }

    #[test]
    fn the_root_system_folders_and_what_everybody_shares_are_refused() {
        for path in [
            "/",
            "/etc",
            "/etc/ssl",
            "/usr/local/src",
            "/var",
            "/var/lib/docker",
            "/proc/1",
            "/run/user/1001",
            "/dev/shm",
            "/boot",
            "/sys",
            "/lib64",
            "/tmp",
            "/opt",
            "/home",
        ] {
            refusal(&folder(path));
        }
    }

    #[test]
    fn homes_and_what_holds_one_are_refused() {
        assert!(refusal(&folder("/home/alice")).contains("it is a home folder"));
        assert!(refusal(&folder("/home/bob")).contains("it is a home folder"));
        assert!(refusal(&folder("/data/people")).contains("holds the home folder /data/people/carol"));
        refusal(&folder("/data"));
        refusal(&folder("/root"));
    }

    #[test]
    fn keys_engine_sockets_and_our_own_folders_are_out_of_reach_from_both_sides() {
        for path in ["/home/alice/.ssh", "/home/alice/.aws/sso", "/mnt/backup/.gnupg", "/home/alice/.config/gcloud"] {
            assert!(refusal(&folder(path)).contains("keys"), "{path}");
        }
        for (path, entry) in
            [("/mnt/backup", ".ssh"), ("/mnt/backup", ".config/gcloud"), ("/mnt/x/.config", "gcloud"), ("/mnt/x", "docker.sock")]
        {
            let facts = FolderFacts { entries: vec![entry.to_owned()], ..folder(path) };
            assert!(refusal(&facts).contains(&format!("holds '{entry}'")), "{path}");
        }
        for path in ["/srv", "/srv/engine", "/home/alice/.config", "/home/alice/.config/palisade/profiles", "/home/alice/state"] {
            refusal(&folder(path));
        }
        let harmless = FolderFacts { entries: vec!["gcloud".to_owned(), "share/keyrings".to_owned()], ..folder("/home/alice/project") };
        assert!(judge(&harmless, WorkspaceMode::ReadWrite, &rules(), ALICE).is_ok());
    }

    #[test]
    fn outside_the_allowed_roots_nothing_is_mounted_and_inside_the_rest_still_holds() {
        let rules = Rules { allowed_roots: vec!["/srv/work".into(), "/home/alice".into()], ..rules() };
        let verdict = |path: &str| judge(&folder(path), WorkspaceMode::ReadWrite, &rules, ALICE);
        assert!(verdict("/srv/work").is_ok() && verdict("/srv/work/a").is_ok() && verdict("/home/alice/p").is_ok());
        assert!(verdict("/srv/workshop").unwrap_err().to_string().contains("workspaces may be in /srv/work, /home/alice"));
        assert!(verdict("/home/alice").is_err() && verdict("/home/alice/.ssh").is_err());
    }

    #[test]
    fn a_refusal_names_the_path_as_asked_and_where_it_leads() {
        let facts = FolderFacts { asked: "./link/..".to_owned(), ..folder("/etc") };
        assert!(refusal(&facts).contains("./link/.., which is /etc: it is or lies in the system folder /etc"));
        assert!(!refusal(&folder("/etc")).contains("which is"));
    }

    #[test]
    fn a_path_that_a_terminal_would_act_on_is_refused_and_shown_harmless() {
        let shown = refusal(&folder("/tmp/a\u{1b}[2J\nb"));
        assert!(!shown.contains('\u{1b}') && shown.contains("\\u{1b}"), "{shown:?}");
    }

    #[test]
    fn roots_workspace_runs_as_its_owner_and_never_as_root() {
        let owned = |uid, gid| FolderFacts { uid, gid, ..folder("/srv/x") };
        let as_whom = |facts: &FolderFacts, mode, caller| {
            judge(facts, mode, &Rules::default(), caller).map(|(_, run_as)| run_as.to_string()).map_err(|error| error.to_string())
        };
        assert_eq!(as_whom(&owned(1234, 5678), WorkspaceMode::ReadWrite, ROOT).unwrap(), "1234:5678");
        assert_eq!(as_whom(&owned(1234, 0), WorkspaceMode::ReadWrite, ROOT).unwrap(), "1234:1234");
        assert_eq!(as_whom(&owned(0, 0), WorkspaceMode::ReadOnly, ROOT).unwrap(), "1000:1000");
        let refused = as_whom(&owned(0, 1000), WorkspaceMode::ReadWrite, ROOT).unwrap_err();
        assert!(refused.contains("chown -R 1000:1000 /srv/x") && refused.contains(":ro"), "{refused}");
        assert_eq!(as_whom(&owned(0, 0), WorkspaceMode::ReadWrite, ALICE).unwrap(), "1001:1001");
        assert_eq!(as_whom(&owned(0, 0), WorkspaceMode::ReadWrite, Caller { uid: 1001, gid: 0 }).unwrap(), "1001:1001");
    }
}
