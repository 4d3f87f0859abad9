//! A state folder on a disk that is full: what was asked for is done, and what could not be written down is told.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{Session, name, palisade, text};

/// A small file system of its own.
struct Small {
    folder: tempfile::TempDir,
}

impl Small {
    fn new() -> Self {
        let small = Self { folder: tempfile::tempdir().unwrap() };
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"]).arg(small.path()).output().unwrap();
        assert!(mount.status.success(), "{}", text(&mount.stderr));
        small
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    /// To its last byte.
    fn fill(&self) {
        std::fs::write(self.filler(), vec![0; 1 << 20]).unwrap_err();
    }

    fn call(&self, args: &[&str]) -> Output {
        palisade().env("XDG_STATE_HOME", self.path()).args(args).output().unwrap()
    }

    fn succeed(&self, args: &[&str]) -> String {
        let output = self.call(args);
        assert!(output.status.success(), "{args:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stderr)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l"]).arg(self.path()).output();
    }
}

#[test]
fn a_full_disk_under_the_state_folder_costs_a_warning_and_no_session() {
    let small = Small::new();
    let session = Session { name: name() };
    // One entry in the log, so that the next begins in the middle of a page.
    small.succeed(&["launch", &session.name, "--network", "none", "--", "sleep", "600"]);
    small.fill();
    let renamed = Session { name: format!("{}-b", session.name) };
    let deeds: [&[&str]; 4] = [
        &["verify", &session.name],
        &["stop", "--grace", "0", &session.name],
        &["start", &session.name],
        &["rename", &session.name, &renamed.name],
    ];
    for deed in deeds {
        let told = small.succeed(deed);
        assert!(told.contains("is not in the audit log") && told.contains("No space left"), "{deed:?}: {told}");
        // Half an entry would be found.
        small.succeed(&["audit", "verify"]);
    }
    small.succeed(&["exec", &renamed.name, "--", "true"]);
    let other = Session { name: format!("{}-c", session.name) };
    let told = small.succeed(&["launch", &other.name, "--network", "none", "--", "sleep", "600"]);
    assert!(told.contains("what is under way cannot be written"), "{told}");
    small.succeed(&["rm", "-f", &renamed.name]);
    std::fs::remove_file(small.filler()).unwrap();
    let told = small.succeed(&["rm", "-f", &other.name]);
    assert!(!told.contains("warning"), "{told}");
    small.succeed(&["audit", "verify"]);
}
