//! A Docker Engine of a test's own: it can be stopped without taking it from anyone.
//!
//! It has a network namespace to itself, so that its bridge is not the host's. Its sessions outlive it, as they do where
//! an engine is upgraded under them, unless it is one whose sessions do not.

use std::cell::RefCell;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::support::{palisade, text, until};

pub struct Engine {
    folder: PathBuf,
    dockerd: RefCell<Option<Child>>,
    sessions: Sessions,
}

/// What becomes of an engine's sessions when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    OutliveIt,
    /// They are ended by the next one at the latest: how engines are that nobody has set otherwise.
    EndWithIt,
}

impl Engine {
    /// One that answers, with an image that is nearly empty: sessions that idle need nothing of it.
    pub fn new() -> Self {
        Self::whose(Sessions::OutliveIt)
    }

    pub fn whose(sessions: Sessions) -> Self {
        // A socket's path is short, whatever the checkout's is.
        let folder = std::env::temp_dir().join(format!("palisade-{}", crate::support::name()));
        std::fs::create_dir_all(folder.join("image/etc")).unwrap();
        std::fs::write(folder.join("image/etc/passwd"), "root:x:0:0::/:/\n").unwrap();
        let engine = Self { folder, dockerd: RefCell::default(), sessions };
        engine.start();
        let image = format!("tar c -C {0}/image . | docker --host {1} import - tiny:latest", engine.folder.display(), engine.address());
        assert!(Command::new("sh").args(["-c", &image]).stdout(Stdio::null()).status().unwrap().success());
        engine
    }

    pub fn address(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    pub fn start(&self) {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.file("log")).unwrap();
        let mut dockerd = Command::new("unshare");
        dockerd.args(["--net", "dockerd", "--host", &self.address(), "--data-root"]).arg(self.file("data"));
        if self.sessions == Sessions::OutliveIt {
            dockerd.arg("--live-restore");
        }
        dockerd.arg("--exec-root").arg(self.file("exec")).arg("--pidfile").arg(self.file("pid"));
        let dockerd = dockerd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.dockerd.replace(Some(dockerd));
        until("the engine answers", || self.docker(&["version"]).status.success());
    }

    /// As a system's manager stops it; its sessions go on.
    pub fn stop(&self) {
        let Some(mut dockerd) = self.dockerd.take() else { return };
        let _ = Command::new("kill").arg(dockerd.id().to_string()).status();
        let _ = dockerd.wait();
    }

    /// As the kernel ends it where memory runs out; its containers go on.
    pub fn kill(&self) {
        let Some(mut dockerd) = self.dockerd.take() else { return };
        dockerd.kill().unwrap();
        dockerd.wait().unwrap();
        // Its containerd ends with it, and where nobody reaps that, the next dockerd takes its number for a living one's.
        let pid = self.file("exec/containerd/containerd.pid");
        let _ = Command::new("kill").args(["-9", std::fs::read_to_string(&pid).unwrap_or_default().trim()]).output();
        let _ = std::fs::remove_file(pid);
    }

    pub fn socket(&self) -> PathBuf {
        self.file("engine.sock")
    }

    pub fn docker(&self, args: &[&str]) -> std::process::Output {
        Command::new("docker").args(["--host", &self.address()]).args(args).output().unwrap()
    }

    /// A session that idles.
    pub fn launch(&self, name: &str) {
        let output =
            palisade().args(["--host", &self.address(), "launch", name, "--image", "tiny:latest", "--network", "none"]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let all = text(&self.docker(&["ps", "-aq"]).stdout);
        let _ = self.docker(&[&["rm", "-fv"], all.lines().collect::<Vec<_>>().as_slice()].concat());
        self.stop();
        // What a killed engine leaves: who watched over its containers, and mounts.
        let watchers = format!("pgrep -f -- '[-]address {}/' | xargs -r kill -9", self.folder.display());
        let _ = Command::new("sh").args(["-c", &watchers]).output();
        let unmount = format!("grep -o ' {}/[^ ]*' /proc/mounts | xargs -r umount", self.folder.display());
        let _ = Command::new("sh").args(["-c", &unmount]).output();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
