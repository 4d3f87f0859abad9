//! A minimal Debian made from its packages on this machine, for engines that reach no image registry.
//!
//! debootstrap checks every package against the archive's signature. It runs in a mount and PID namespace of its own:
//! what it mounts and starts ends with it, so that its folder can always be removed.
#![expect(clippy::disallowed_methods, reason = "owns the folder that debootstrap fills")]

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use crate::backend::Reporter;
use crate::backend::engine::Progress;
use crate::failure::{Code, Failure, Result};
use crate::units::Untrusted;

/// Only root writes here: no one else can put a link or a folder in the way.
const WORKSHOP: &str = "/var/cache/palisade/bootstrap";
/// The caller's own PATH may lack the system's folders, and as root it must not choose the tools.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const SCRIPTS: &str = "/usr/share/debootstrap/scripts";
/// Lines of debootstrap's own log that tell why it failed.
const LOG_LINES: usize = 10;

/// The folder in which one bootstrap at a time works. Emptied when it opens, so that what a killed run left goes, and
/// when it closes.
pub struct Workshop {
    folder: PathBuf,
    _lock: Flock<File>,
}

impl Workshop {
    /// Opens it, or says what this machine lacks.
    pub async fn open(reporter: &dyn Reporter) -> Result<Self> {
        let way_out = "run scripts/quickstart or 'palisade image build' once as root on the engine's machine, \
                       or give --base with an image that the engine has or can pull";
        if !nix::unistd::geteuid().is_root() {
            return Err(Failure::new(Code::Refused, "bootstrapping a base image needs root").hint(way_out));
        }
        for (tool, package) in [("debootstrap", "debootstrap"), ("unshare", "util-linux")] {
            if !PATH.split(':').any(|folder| Path::new(folder).join(tool).is_file()) {
                return Err(Failure::new(Code::NotFound, format!("bootstrapping a base image needs {tool}, which is not installed"))
                    .hint(format!("apt-get install {package} debian-archive-keyring gpgv, or {way_out}")));
            }
        }
        Self::open_at(PathBuf::from(WORKSHOP), reporter).await
    }

    async fn open_at(folder: PathBuf, reporter: &dyn Reporter) -> Result<Self> {
        let doing = |what: &str| format!("{what} {}", folder.display());
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| Failure::io(doing("create"), &error))?;
        let file = File::open(&folder).map_err(|error| Failure::io(doing("open"), &error))?;
        let lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => lock,
            Err((file, _)) => {
                reporter.step("waiting for another bootstrap on this machine");
                tokio::task::spawn_blocking(|| Flock::lock(file, FlockArg::LockExclusive))
                    .await
                    .map_err(|error| Failure::new(Code::Internal, format!("waiting for a lock ended: {error}")))?
                    .map_err(|(_, error)| Failure::io(doing("lock"), &error.into()))?
            }
        };
        let workshop = Self { folder, _lock: lock };
        workshop.empty().map_err(|error| Failure::io(format!("empty {}", workshop.folder.display()), &error))?;
        Ok(workshop)
    }

    fn empty(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
        }
        Ok(())
    }

    /// Makes a minimal system and gives its root, which goes with the workshop.
    pub async fn bootstrap(&self, suite: &str, mirror: &str, reporter: &dyn Reporter) -> Result<PathBuf> {
        reporter.step(&format!("bootstrapping Debian {suite} from {mirror}"));
        let root = self.folder.join("root");
        spare_the_disk(&root).map_err(|error| Failure::io(format!("prepare {}", root.display()), &error))?;
        let mut command = Command::new("unshare");
        command.env("PATH", PATH).env("LC_ALL", "C.UTF-8").env("DEBIAN_FRONTEND", "noninteractive").env_remove("TMPDIR");
        command.args(["--mount", "--pid", "--fork", "--kill-child", "--"]);
        command.args(["debootstrap", "--force-check-gpg", "--variant=minbase", "--include=ca-certificates"]);
        command.arg(suite).arg(&root).arg(mirror);
        if !Path::new(SCRIPTS).join(suite).exists() {
            // A release that is younger than this machine's debootstrap is made as the unreleased one is.
            command.arg("sid");
        }
        let ended = follow(command, reporter).await;
        ended.map_err(|failure| explain(failure, &root))?;
        Ok(root)
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // A bootstrap that was cut short is being killed at this moment and may still write: a second at most.
        for _ in 0..50 {
            if self.empty().is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// dpkg waits for the disk after each file, for which a tree that is thrown away when it fails has no use: it
/// would be most of the time.
fn spare_the_disk(root: &Path) -> io::Result<()> {
    let settings = root.join("etc/dpkg/dpkg.cfg.d");
    DirBuilder::new().recursive(true).mode(0o755).create(&settings)?;
    fs::write(settings.join("palisade"), "force-unsafe-io\n")
}

/// Runs it to its end, tells every line of it, and collects its errors.
async fn follow(mut command: Command, reporter: &dyn Reporter) -> Result<()> {
    let failed = |doing: &str, error: &io::Error| Failure::io(format!("{doing} debootstrap"), error);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed("start", &error))?;
    let errors = std::sync::Mutex::new(Vec::new());
    let tell = |line: &str| match line.split_once(": ") {
        Some(("I", text)) => {
            reporter.progress(&Progress { item: Untrusted::default(), text: text.into(), amount: None });
        }
        Some(("W", text)) => reporter.warning(&crate::units::sanitise(text)),
        _ => {
            if let Ok(mut errors) = errors.lock() {
                errors.push(line.strip_prefix("E: ").unwrap_or(line).to_owned());
            }
        }
    };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (out, err) = tokio::join!(lines(stdout, &tell), lines(stderr, &tell));
    out.and(err).map_err(|error| failed("read", &error))?;
    let status = child.wait().await.map_err(|error| failed("wait for", &error))?;
    if status.success() {
        return Ok(());
    }
    let mut failure = Failure::new(Code::Io, format!("debootstrap failed ({status})"));
    failure.details = errors.into_inner().unwrap_or_default();
    Err(failure)
}

async fn lines(stream: Option<impl AsyncRead + Unpin>, tell: &impl Fn(&str)) -> io::Result<()> {
    let Some(stream) = stream else { return Ok(()) };
    let mut lines = BufReader::new(stream).split(b'\n');
    while let Some(line) = lines.next_segment().await? {
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        if !line.is_empty() {
            tell(line);
        }
    }
    Ok(())
}

/// Adds what debootstrap wrote to its log, where it got as far.
fn explain(mut failure: Failure, root: &Path) -> Failure {
    if let Ok(log) = fs::read(root.join("debootstrap/debootstrap.log")) {
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        failure.details.extend(lines[lines.len().saturating_sub(LOG_LINES)..].iter().map(|line| (*line).to_owned()));
    }
    failure.hint("check 'image.debian_mirror' and the network, or give --base with an image that the engine has or can pull")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl Reporter for Told {
        fn step(&self, text: &str) {
            self.0.lock().unwrap().push(format!("step: {text}"));
        }
        fn progress(&self, progress: &Progress) {
            self.0.lock().unwrap().push(progress.text.to_string());
        }
        fn warning(&self, text: &str) {
            self.0.lock().unwrap().push(format!("warning: {text}"));
        }
    }

    #[tokio::test]
    async fn a_workshop_is_cleared_of_what_a_killed_run_left_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bootstrap");
        fs::create_dir_all(path.join("root/etc")).unwrap();
        let workshop = Workshop::open_at(path.clone(), &Told::default()).await.unwrap();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
        spare_the_disk(&path.join("root")).unwrap();
        drop(workshop);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn two_bootstraps_do_not_share_a_workshop() {
        let folder = tempfile::tempdir().unwrap();
        let first = Workshop::open_at(folder.path().to_owned(), &Told::default()).await.unwrap();
        let told = Told::default();
        let second = Workshop::open_at(folder.path().to_owned(), &told);
        tokio::pin!(second);
        // It says that it waits, and waits.
        assert!(futures_util::poll!(second.as_mut()).is_pending());
        assert_eq!(told.0.lock().unwrap().as_slice(), ["step: waiting for another bootstrap on this machine"]);
        drop(first);
        second.await.unwrap();
    }

    #[tokio::test]
    async fn what_debootstrap_says_is_told_and_its_errors_are_the_failure() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'I: Retrieving tar 1.35'; echo 'W: old \u{1b}[2Jkeyring'; echo 'E: no such suite' >&2; exit 3"]);
        let told = Told::default();
        let failure = follow(command, &told).await.unwrap_err();
        assert_eq!(failure.details, ["no such suite"]);
        let told = told.0.lock().unwrap();
        assert!(told.contains(&"Retrieving tar 1.35".to_owned()));
        assert!(told.iter().any(|line| line.starts_with("warning: old") && !line.contains('\u{1b}')), "{told:?}");
    }
}
