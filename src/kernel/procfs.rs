#![expect(clippy::disallowed_methods, reason = "this is where files of /proc and of the cgroup hierarchies are opened")]

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// No file of `/proc` that is read here is longer on a sane machine; a hostile mount table ends here.
const MOST: u64 = 8 << 20;

/// A `/proc`, at its usual place or at a test's.
#[derive(Debug, Clone)]
pub(super) struct Procfs {
    root: PathBuf,
}

impl Procfs {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn path(&self, pid: u32, name: &str) -> PathBuf {
        self.root.join(format!("{pid}/{name}"))
    }

    /// `/proc/PID/NAME`.
    pub(super) fn read(&self, pid: u32, name: &str) -> io::Result<String> {
        read_text(&self.path(pid, name))
    }

    /// The first so many bytes of `/proc/PID/NAME`.
    pub(super) fn head(&self, pid: u32, name: &str, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.path(pid, name))?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// `/proc/NAME`.
    pub(super) fn read_own(&self, name: &str) -> io::Result<String> {
        read_text(&self.root.join(name))
    }

    /// Where the link `/proc/PID/NAME` points, as text.
    pub(super) fn link(&self, pid: u32, name: &str) -> io::Result<String> {
        Ok(std::fs::read_link(self.path(pid, name))?.to_string_lossy().into_owned())
    }

    /// What a process runs, by its first thread that still runs.
    pub(super) fn exe(&self, pid: u32) -> io::Result<String> {
        self.link(pid, "exe").or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                return Err(error);
            }
            let others = self.threads(pid)?.into_iter().filter(|thread| *thread != pid);
            others.into_iter().find_map(|thread| self.link(pid, &format!("task/{thread}/exe")).ok()).ok_or(error)
        })
    }

    /// The inode of a namespace of a process: two are one namespace when these are equal.
    pub(super) fn namespace(&self, pid: impl std::fmt::Display, kind: &str) -> io::Result<u64> {
        let link = std::fs::read_link(self.root.join(format!("{pid}/ns/{kind}")))?;
        let text = link.to_string_lossy();
        let inode = text.rsplit_once('[').and_then(|(_, rest)| rest.strip_suffix(']')).and_then(|number| number.parse().ok());
        inode.ok_or_else(|| io::Error::other(format!("'{text}' names no namespace")))
    }

    /// A namespace of a process, to be entered.
    pub(super) fn open_namespace(&self, pid: u32, kind: &str) -> io::Result<OwnedFd> {
        Ok(File::open(self.path(pid, &format!("ns/{kind}")))?.into())
    }

    /// Every process id, as numbers.
    pub(super) fn pids(&self) -> io::Result<Vec<u32>> {
        numbers(&self.root)
    }

    /// The threads of a process.
    pub(super) fn threads(&self, pid: u32) -> io::Result<Vec<u32>> {
        numbers(&self.path(pid, "task"))
    }

    /// Whether `/proc/PATH` exists here at all.
    pub(super) fn has(&self, path: &str) -> bool {
        self.root.join(path).symlink_metadata().is_ok()
    }

    /// Follows `/proc/PID/exe` to the very file that is running, whatever stands at its path now.
    pub(super) fn open_exe(&self, pid: u32) -> io::Result<File> {
        File::open(self.path(pid, "exe"))
    }
}

fn numbers(folder: &Path) -> io::Result<Vec<u32>> {
    let mut numbers: Vec<u32> = std::fs::read_dir(folder)?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// A file as text, without the size query that tells nothing in `/proc`; bytes that are not UTF-8 are replaced.
pub(super) fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::with_capacity(2048);
    File::open(path)?.take(MOST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// A file that is read again and again.
pub(super) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// The folders directly in a folder.
pub(super) fn folders(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}
