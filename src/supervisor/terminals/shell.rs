use std::ffi::OsStr;
use std::path::PathBuf;

use nix::unistd::{AccessFlags, access};

/// From the best on.
const SHELLS: [&str; 2] = ["bash", "sh"];
/// Where to look where the image does not say.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The session's shell: bash where the image has it, else sh.
pub fn find(path: Option<&OsStr>) -> Option<&'static str> {
    let path = path.unwrap_or(OsStr::new(USUAL_PATH));
    let folders: Vec<PathBuf> = std::env::split_paths(path).collect();
    SHELLS.into_iter().find(|shell| folders.iter().any(|folder| access(&folder.join(shell), AccessFlags::X_OK).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_without_bash_has_sh_and_one_with_neither_has_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(find(Some(folder.path().as_os_str())), None);
        for shell in ["sh", "bash"] {
            std::os::unix::fs::symlink("/bin/sh", folder.path().join(shell)).unwrap();
            assert_eq!(find(Some(folder.path().as_os_str())), Some(shell));
        }
    }
}
