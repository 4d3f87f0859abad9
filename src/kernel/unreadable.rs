use std::fmt;
use std::io;

/// Why the kernel's facts of a container could not be read here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// `/proc` here does not show this process as the container's: the engine is remote, in a virtual machine, or
    /// in another PID namespace. Also what a container that has already ended looks like: ask the engine again.
    NotLocal,
    /// This user may not look: not root, or fenced in by a security module.
    Denied,
    /// The container's first process ended while it was read.
    Gone,
    /// It did not happen in the time given.
    TimedOut,
    /// Anything else, in words.
    Other(String),
}

impl Unreadable {
    /// From an error on a file of the container's first process, which was there a moment ago.
    pub(super) fn from_io(doing: impl fmt::Display, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Gone,
            io::ErrorKind::PermissionDenied => Self::Denied,
            _ if error.raw_os_error() == Some(nix::libc::ESRCH) => Self::Gone,
            _ => Self::Other(format!("cannot {doing}: {error}")),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLocal => f.write_str("the container's processes are not in this machine's /proc"),
            Self::Denied => f.write_str("this user may not read the container's entries in /proc"),
            Self::Gone => f.write_str("the container's first process ended while it was read"),
            Self::TimedOut => f.write_str("the container's supervisor did not report in time"),
            Self::Other(why) => f.write_str(&crate::units::sanitise(why)),
        }
    }
}

impl std::error::Error for Unreadable {}
