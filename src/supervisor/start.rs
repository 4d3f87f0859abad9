//! How the supervisor starts what is not its own: the session's command, and what runs in terminals.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::libc;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::signal::SigSet;
use nix::sys::stat::Mode;
use nix::unistd::Pid;

/// What a command finds on its standard streams.
#[derive(Debug, Clone, Copy)]
pub enum Streams<'a> {
    /// This process's own.
    Ours,
    /// Nothing to read, and these for its output and its errors.
    Writes(RawFd, RawFd),
    /// The terminal of this name, which becomes that of the command's session.
    Terminal(&'a str),
}

/// The environment of what is started: this process's own, and what comes over it as `KEY=VALUE`.
pub fn environment<'a>(over: impl IntoIterator<Item = &'a str>) -> Vec<OsString> {
    let mut all: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    for line in over {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        all.insert(name.into(), value.into());
    }
    all.into_iter().map(|(name, value)| OsString::from_vec([name.as_bytes(), value.as_bytes()].join(&b'='))).collect()
}

/// Starts a command in a process group of its own, so that the deadline reaches its children and not this process, with no
/// signal blocked or ignored: the standard library would hand on this process's mask. In a terminal, it leads a session too.
pub fn start(argv: &[OsString], env: &[OsString], streams: Streams<'_>) -> Result<Pid, Errno> {
    let text = |text: &OsStr| CString::new(text.as_bytes()).map_err(|_| Errno::EINVAL);
    let argv = argv.iter().map(|argument| text(argument)).collect::<Result<Vec<_>, _>>()?;
    let env = env.iter().map(|line| text(line)).collect::<Result<Vec<_>, _>>()?;
    let program = argv.first().ok_or(Errno::ENOENT)?;
    let mut attributes = PosixSpawnAttr::init()?;
    let signals = PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF;
    let mut files = PosixSpawnFileActions::init()?;
    match streams {
        Streams::Ours | Streams::Writes(..) => {
            attributes.set_flags(signals | PosixSpawnFlags::POSIX_SPAWN_SETPGROUP)?;
            attributes.set_pgroup(Pid::from_raw(0))?;
        }
        Streams::Terminal(_) => {
            // A flag that the library has no name for. Who leads a session leads a group.
            attributes.set_flags(signals | PosixSpawnFlags::from_bits_retain(libc::POSIX_SPAWN_SETSID.into()))?;
        }
    }
    attributes.set_sigmask(&SigSet::empty())?;
    attributes.set_sigdefault(&SigSet::all())?;
    match streams {
        Streams::Ours => {}
        Streams::Writes(output, errors) => {
            files.add_open(0, "/dev/null", OFlag::O_RDONLY, Mode::empty())?;
            files.add_dup2(output, 1)?;
            files.add_dup2(errors, 2)?;
        }
        Streams::Terminal(name) => {
            // Opened by a session's leader that has none, it becomes its controlling terminal.
            files.add_open(0, name, OFlag::O_RDWR, Mode::empty())?;
            files.add_dup2(0, 1)?;
            files.add_dup2(0, 2)?;
        }
    }
    posix_spawnp(program, &files, &attributes, &argv, &env)
}
