//! The process's surroundings, read once at the start: everything else gets them as a value.
#![expect(clippy::disallowed_methods, reason = "this is where the environment is read")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What this process was started with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    /// Variables; one that is not UTF-8 is left out.
    pub vars: BTreeMap<String, String>,
    /// Working directory; `/` where it has been removed.
    pub cwd: PathBuf,
    /// Home folder: `HOME`, or what the password file says.
    pub home: Option<PathBuf>,
    /// Real user id.
    pub uid: u32,
    /// Real group id.
    pub gid: u32,
    /// This machine's name.
    pub hostname: String,
}

impl Environment {
    /// Reads them.
    pub fn capture() -> Self {
        let vars: BTreeMap<String, String> =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
        let uid = nix::unistd::getuid().as_raw();
        let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
        Self {
            home: home.or_else(|| home_of(uid, &std::fs::read_to_string("/etc/passwd").unwrap_or_default())),
            vars,
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            uid,
            gid: nix::unistd::getgid().as_raw(),
            hostname: nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default(),
        }
    }

    /// A variable that is set and not empty.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Who runs this process, as labels and the audit log name him.
    pub fn operator(&self) -> String {
        format!("{}@{}", self.uid, self.hostname)
    }

    /// A path as typed, made absolute: `~/` is the home folder, anything relative is under the working directory.
    /// A `~` in any other place is part of a name.
    pub fn absolute(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.cwd.join(path),
        }
    }
}

/// The home folder that a password file gives a user. Read by hand, because a static binary cannot load the
/// name services that `getpwuid` may ask.
fn home_of(uid: u32, passwd: &str) -> Option<PathBuf> {
    let uid = uid.to_string();
    let line = passwd.lines().find(|line| line.split(':').nth(2) == Some(uid.as_str()))?;
    line.split(':').nth(5).map(Path::new).filter(|home| home.is_absolute()).map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_is_empty_is_as_good_as_unset() {
        let vars = BTreeMap::from([("A".to_owned(), String::new()), ("B".to_owned(), "1".to_owned())]);
        let environment = Environment { vars, ..Environment::default() };
        assert_eq!((environment.var("A"), environment.var("B"), environment.var("C")), (None, Some("1"), None));
    }

    #[test]
    fn a_home_is_found_without_the_variable() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbad line\nalice:x:1000:1000:,,,:/home/alice:/bin/bash\nodd:x:7:7:::\n";
        assert_eq!(home_of(1000, passwd), Some("/home/alice".into()));
        assert_eq!(home_of(0, passwd), Some("/root".into()));
        assert_eq!((home_of(7, passwd), home_of(5, passwd)), (None, None));
    }

    #[test]
    fn a_typed_path_is_under_the_home_or_the_working_directory() {
        let environment = Environment { cwd: "/work".into(), home: Some("/home/a".into()), ..Environment::default() };
        for (typed, absolute) in [("x", "/work/x"), ("/x", "/x"), ("~/x", "/home/a/x"), ("~", "/work/~"), ("~b/x", "/work/~b/x")] {
            assert_eq!(environment.absolute(typed), PathBuf::from(absolute));
        }
    }

    #[test]
    fn the_process_has_a_working_directory_and_a_user() {
        let environment = Environment::capture();
        assert!(environment.cwd.is_absolute() && !environment.hostname.is_empty());
        assert_eq!(environment.uid, nix::unistd::getuid().as_raw());
    }
}
