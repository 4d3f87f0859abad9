use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::fcntl::{OFlag, open};
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::stat::Mode;
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::io::unix::AsyncFd;

use crate::terminal::Size;

const HALF_A_PAGE: usize = 2048;

/// A pseudo-terminal, from the side that a terminal has of it.
pub struct Pty {
    master: AsyncFd<PtyMaster>,
    name: String,
    /// The program's side, held open until the program has ended: while nobody has it open, the kernel reports an end over and over.
    other_side: Option<OwnedFd>,
}

impl Pty {
    /// A new one, of this size before anybody can look.
    pub fn open(size: Size) -> io::Result<Self> {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname_r(&master)?;
        let other_side = open(name.as_str(), OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC, Mode::empty())?;
        #[expect(deprecated, reason = "its successor is unsafe; the descriptor is the master's own, and lives as long")]
        let master = AsyncFd::new(master)?;
        let pty = Self { master, name, other_side: Some(other_side) };
        pty.resize(size)?;
        Ok(pty)
    }

    /// What the program's side is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells the program its size; the kernel sends it SIGWINCH.
    pub fn resize(&self, size: Size) -> io::Result<()> {
        let size = Winsize { ws_row: size.rows(), ws_col: size.columns(), ws_xpixel: 0, ws_ypixel: 0 };
        Ok(tcsetwinsize(self.master.get_ref(), size)?)
    }

    /// What was written, as much as is there and fits; at least a byte.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.master.readable().await?;
            if let Ok(read) = ready.try_io(|master| fill(master.get_ref(), buffer)) {
                return read;
            }
        }
    }

    /// What is written within this time. Nothing else is done meanwhile, so it is for an echo, which is there sooner than a sleeper is awake.
    pub fn read_soon(&self, buffer: &mut [u8], patience: Duration) -> Option<usize> {
        let until = Instant::now() + patience;
        loop {
            match fill(self.master.get_ref(), buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < until => std::thread::yield_now(),
                read => return read.ok(),
            }
        }
    }

    /// What is there now, once the program has ended; 0 for no more.
    pub fn rest(&mut self, buffer: &mut [u8]) -> usize {
        self.other_side = None;
        fill(self.master.get_ref(), buffer).unwrap_or(0)
    }

    /// Types as much as is taken, at least a byte.
    pub async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.master.writable().await?;
            if let Ok(written) = ready.try_io(|master| (&mut master.get_ref()).write(bytes)) {
                return written;
            }
        }
    }
}

/// The kernel gives a page at a time, or nearly: from less than half of one there is no more for now.
fn fill(mut master: &PtyMaster, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match master.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => {
                filled += read;
                if read < HALF_A_PAGE {
                    break;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) if filled > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
