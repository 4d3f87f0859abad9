//! The operator's own terminal: taken, and given back as it was, however this program ends.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::termios::{InputFlags, LocalFlags, SetArg, SpecialCharacterIndices, Termios, cfmakeraw, tcgetattr, tcsetattr};

use crate::failure::{Failure, Result};
use crate::terminal::Size;

/// How it was, while it is ours: for whoever must give it back in a hurry.
static WAS: Mutex<Option<Termios>> = Mutex::new(None);
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
        if let Ok(mut kept) = WAS.lock() {
            *kept = Some(was);
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

/// How large it is now.
pub fn size() -> Size {
    match crossterm::terminal::window_size() {
        Ok(size) if size.columns > 0 && size.rows > 0 => Size::new(size.columns, size.rows),
        // A line without a size, such as a serial one.
        _ => Size::USUAL,
    }
}

/// Notes whether it shows its alternate screen.
pub fn note_alternate(is_alternate: bool) {
    ALTERNATE.store(is_alternate, Ordering::SeqCst);
}

/// Gives the terminal back in a hurry, where it is ours: this program has a fault.
pub fn give_back() {
    let is_ours = WAS.try_lock().is_ok_and(|was| was.is_some());
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
    if let Ok(mut was) = WAS.try_lock()
        && let Some(was) = was.take()
    {
        let _ = tcsetattr(io::stdin().as_fd(), SetArg::TCSANOW, &was);
    }
}

/// To a terminal that is gone there is nothing to say.
fn write(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}
