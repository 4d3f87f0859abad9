//! A command in a terminal of its own.

use std::ffi::{OsStr, OsString};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open as open_folder};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, chdir, fchdir};

use super::pty::Pty;
use super::shell;
use crate::supervisor::start::{Streams, environment, start};
use crate::terminal::{COLORTERM, Size, TERM};

/// A command that was started in a terminal.
pub struct Opened {
    /// The terminal.
    pub pty: Pty,
    /// What runs in it.
    pub pid: Pid,
}

/// What an operator asks for, or why that cannot be; also what is said to run.
pub fn open(command: &[String], env: &[String], working_dir: &str, size: Size) -> Result<(Opened, Vec<String>), String> {
    let command = if command.is_empty() {
        let path = std::env::vars_os().find(|(name, _)| name == "PATH").map(|(_, path)| path);
        let shell = shell::find(path.as_deref()).ok_or("the image has neither bash nor sh: give a command")?;
        vec![shell.to_owned()]
    } else {
        command.to_vec()
    };
    if env.iter().any(|line| line.starts_with('=') || !line.contains('=')) {
        return Err("a variable is not NAME=VALUE".to_owned());
    }
    let argv: Vec<OsString> = command.iter().map(OsString::from).collect();
    let opened = in_folder(working_dir, || start_in(&argv, env, size)).map_err(|why| why.to_string(&command[0], working_dir))?;
    Ok((opened, command))
}

/// Starts a command in a terminal of this size.
pub fn start_in(argv: &[OsString], env: &[String], size: Size) -> Result<Opened, Why> {
    let pty = Pty::open(size).map_err(|error| Why::Terminal(error.to_string()))?;
    let pid = start(argv, &terminals_environment(env), Streams::Terminal(pty.name())).map_err(Why::Command)?;
    Ok(Opened { pty, pid })
}

/// As engines do: the kind of terminal is ours to say where nobody else does.
fn terminals_environment(env: &[String]) -> Vec<OsString> {
    let is_set = |name: &str| std::env::vars_os().any(|(set, _)| set == OsStr::new(name));
    let ours: Vec<String> = [("TERM", TERM), ("COLORTERM", COLORTERM)]
        .iter()
        .filter(|(name, _)| !is_set(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    environment(ours.iter().chain(env).map(String::as_str))
}

/// Why a command does not run in a terminal.
#[derive(Debug)]
pub enum Why {
    /// There is none to be had.
    Terminal(String),
    /// The folder cannot be gone to.
    Folder(Errno),
    /// It cannot be started.
    Command(Errno),
}

impl Why {
    fn to_string(&self, program: &str, folder: &str) -> String {
        match self {
            Self::Terminal(why) => format!("no terminal is to be had: {why}"),
            Self::Folder(errno) => format!("cannot begin in {folder}: {}", errno.desc()),
            Self::Command(Errno::EAGAIN) => {
                format!("cannot run {program}: as many processes run in the session as its pids_limit allows; end some first")
            }
            Self::Command(errno) => format!("cannot run {program}: {}", errno.desc()),
        }
    }
}

/// Does something in another folder. This process has one thread, so that nobody else is led astray.
fn in_folder(folder: &str, work: impl FnOnce() -> Result<Opened, Why>) -> Result<Opened, Why> {
    if folder.is_empty() {
        return work();
    }
    let here = open_folder(".", OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()).map_err(Why::Folder)?;
    chdir(folder).map_err(Why::Folder)?;
    let done = work();
    fchdir(&here).map_err(Why::Folder)?;
    done
}
