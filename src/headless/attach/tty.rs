//! The operator's own terminal: taken, and given back as it was, however this program ends.

use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::fcntl::{OFlag, open};
use nix::sys::termios::{InputFlags, LocalFlags, SetArg, SpecialCharacterIndices, Termios, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::{getpgrp, isatty, tcgetpgrp};

use crate::failure::{Failure, Result};
use crate::terminal::Size;

/// How it was and how it is, while it is ours: for whoever must give it back in a hurry.
static SET: Mutex<Option<(Termios, Termios)>> = Mutex::new(None);
/// Whether it shows its alternate screen.
static ALTERNATE: AtomicBool = AtomicBool::new(false);

/// What of the operator's keys the terminal itself acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing, and what is written goes to it as it is.
    Raw,
    /// Nothing, but lines that are written begin at the left as ever.
    Keys,
}

/// The terminal while it is ours.
#[derive(Debug)]
pub struct Tty {
    brackets: bool,
}

impl Tty {
    /// Takes it. `brackets` has it tell what is pasted from what is typed.
    pub fn take(mode: Mode, brackets: bool) -> Result<Self> {
        let stdin = io::stdin();
        let was = tcgetattr(stdin.as_fd()).map_err(|error| Failure::io("ask the terminal how it is set", &error.into()))?;
        let mut now = was.clone();
        match mode {
            Mode::Raw => cfmakeraw(&mut now),
            Mode::Keys => {
                now.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG | LocalFlags::IEXTEN);
                now.input_flags.remove(InputFlags::IXON | InputFlags::ICRNL);
                now.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
                now.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
            }
        }
        if let Ok(mut set) = SET.lock() {
            *set = Some((was, now.clone()));
        }
        let tty = Self { brackets };
        tcsetattr(stdin.as_fd(), SetArg::TCSANOW, &now).map_err(|error| Failure::io("set the terminal to raw mode", &error.into()))?;
        if brackets {
            write(b"\x1b[?2004h");
        }
        Ok(tty)
    }

    /// Gives it back. One that takes no output any more is only set as it was.
    pub fn give_back(self, takes_output: bool) {
        if takes_output && self.brackets {
            write(b"\x1b[?2004l");
        }
        ALTERNATE.store(false, Ordering::SeqCst);
        restore();
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        restore();
    }
}

/// Standard input, where it is a terminal, opened once more: a description that may be set not to wait without the operator's shell
/// having it so too.
pub fn own_input() -> io::Result<OwnedFd> {
    opened_again(io::stdin().as_fd(), OFlag::O_RDONLY)
}

/// The same of standard output.
pub fn own_output() -> io::Result<OwnedFd> {
    opened_again(io::stdout().as_fd(), OFlag::O_WRONLY)
}

fn opened_again(fd: BorrowedFd<'_>, how: OFlag) -> io::Result<OwnedFd> {
    if !isatty(fd)? {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let name = format!("/proc/self/fd/{}", fd.as_raw_fd());
    Ok(open(name.as_str(), how | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC, nix::sys::stat::Mode::empty())?)
}

/// How large it is now.
pub fn size() -> Size {
    match crossterm::terminal::window_size() {
        Ok(size) if size.columns > 0 && size.rows > 0 => Size::new(size.columns, size.rows),
        // A line without a size, such as a serial one.
        _ => Size::USUAL,
    }
}

/// This program was stopped and goes on: whoever had the terminal meanwhile set it to their own liking.
pub fn take_again() {
    let stdin = io::stdin();
    // In the background it is not ours to set, and the kernel would stop us for it.
    if tcgetpgrp(stdin.as_fd()).is_ok_and(|foreground| foreground == getpgrp())
        && let Ok(set) = SET.try_lock()
        && let Some((_, now)) = &*set
    {
        let _ = tcsetattr(stdin.as_fd(), SetArg::TCSANOW, now);
    }
}

/// Notes whether it shows its alternate screen.
pub fn note_alternate(is_alternate: bool) {
    ALTERNATE.store(is_alternate, Ordering::SeqCst);
}

/// Gives the terminal back in a hurry, where it is ours: this program has a fault.
pub fn give_back() {
    let is_ours = SET.try_lock().is_ok_and(|set| set.is_some());
    if is_ours {
        if ALTERNATE.swap(false, Ordering::SeqCst) {
            write(b"\x1b[?1049l");
        }
        write(b"\x1b[0m\x1b[0 q\x1b[?25h\x1b[?2004l\x1b[999;1H\n");
        restore();
    }
}

/// What was typed and not read yet stays for whoever reads next.
fn restore() {
    if let Ok(mut set) = SET.try_lock()
        && let Some((was, _)) = set.take()
    {
        let _ = tcsetattr(io::stdin().as_fd(), SetArg::TCSANOW, &was);
    }
}

/// To a terminal that is gone there is nothing to say.
fn write(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}
