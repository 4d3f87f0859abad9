//! What is typed at the operator's terminal, read by a thread that takes no key more than it must: whatever is typed after the
//! keys that leave is for the operator's shell.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::thread::JoinHandle;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::sync::mpsc;

use crate::failure::{Failure, Result};
use crate::terminal::typed::{Typed, Typing};

/// A sequence that a terminal sends comes within this, also over a slow line; what a person types does not.
const PAUSE_MS: u8 = 25;
/// Of what is pasted, one read.
const PIECE: usize = 4096;
/// Pieces that wait to be taken.
const IN_FLIGHT: usize = 64;

/// The thread that reads, and what it has read.
#[derive(Debug)]
pub struct Keyboard {
    typed: mpsc::Receiver<Vec<Typed>>,
    reading: Option<(io::PipeWriter, JoinHandle<()>)>,
}

impl Keyboard {
    /// Begins to read standard input.
    pub fn read(typing: Typing) -> Result<Self> {
        let (sender, typed) = mpsc::channel(IN_FLIGHT);
        let failed = |error: io::Error| Failure::io("read the terminal", &error);
        let (stopped, stop) = io::pipe().map_err(failed)?;
        let thread = std::thread::Builder::new()
            .name("keyboard".into())
            .spawn(move || read(io::stdin().as_fd(), stopped.as_fd(), typing, &sender))
            .map_err(failed)?;
        Ok(Self { typed, reading: Some((stop, thread)) })
    }

    /// What a test types.
    #[cfg(test)]
    pub fn scripted() -> (mpsc::Sender<Vec<Typed>>, Self) {
        let (sender, typed) = mpsc::channel(IN_FLIGHT);
        (sender, Self { typed, reading: None })
    }

    /// The next pieces; `None` when the terminal is gone.
    pub async fn next(&mut self) -> Option<Vec<Typed>> {
        self.typed.recv().await
    }

    /// Ends it: when this returns, nothing reads the terminal any more.
    pub fn stop(mut self) {
        self.typed.close();
        // One that waits for room finds that there is none to wait for.
        while self.typed.try_recv().is_ok() {}
        if let Some((stop, thread)) = self.reading.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

/// Until the detach keys, the end of the terminal, or until nobody listens.
fn read(from: BorrowedFd<'_>, stopped: BorrowedFd<'_>, mut typing: Typing, to: &mpsc::Sender<Vec<Typed>>) {
    let mut buffer = [0; PIECE];
    loop {
        let timeout = if typing.waits() { PollTimeout::from(PAUSE_MS) } else { PollTimeout::NONE };
        let mut out = Vec::new();
        match wait(from, stopped, timeout) {
            Come::Stop => return,
            Come::Nothing => typing.pause(&mut out),
            Come::Input => {
                let mut taken = 0;
                while taken < PIECE {
                    // Byte for byte, so that nothing after the detach keys is taken; in a paste there are none.
                    let most = if typing.is_paste() { PIECE } else { 1 };
                    match nix::unistd::read(from, &mut buffer[..most]) {
                        Ok(0) => return flush(out, to),
                        Ok(count) => {
                            taken += count;
                            typing.push(&buffer[..count], &mut out);
                        }
                        Err(Errno::EINTR | Errno::EAGAIN) => {}
                        Err(_) => return flush(out, to),
                    }
                    if out.last() == Some(&Typed::Leave) {
                        return flush(out, to);
                    }
                    if !matches!(wait(from, stopped, PollTimeout::ZERO), Come::Input) {
                        break;
                    }
                }
            }
        }
        if !out.is_empty() && to.blocking_send(out).is_err() {
            return;
        }
    }
}

fn flush(out: Vec<Typed>, to: &mpsc::Sender<Vec<Typed>>) {
    if !out.is_empty() {
        let _ = to.blocking_send(out);
    }
}

enum Come {
    Input,
    Nothing,
    Stop,
}

fn wait(from: BorrowedFd<'_>, stopped: BorrowedFd<'_>, timeout: PollTimeout) -> Come {
    loop {
        let mut fds = [PollFd::new(from, PollFlags::POLLIN), PollFd::new(stopped, PollFlags::POLLIN)];
        match poll(&mut fds, timeout) {
            Ok(0) => return Come::Nothing,
            Ok(_) if fds[1].revents().is_some_and(|events| !events.is_empty()) => return Come::Stop,
            Ok(_) => return Come::Input,
            Err(Errno::EINTR) => {}
            Err(_) => return Come::Stop,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;
    use crate::terminal::typed::DetachKeys;

    #[test]
    fn what_is_typed_after_the_detach_keys_stays_for_the_shell() {
        for _ in 0..20 {
            let (mut shell, mut keys) = io::pipe().unwrap();
            let (stopped, _stop) = io::pipe().unwrap();
            keys.write_all(b"vim\x10\x11ls -l\n").unwrap();
            let (sender, mut typed) = mpsc::channel(9);
            read(shell.as_fd(), stopped.as_fd(), Typing::new(&DetachKeys::default()), &sender);
            assert_eq!(typed.blocking_recv().unwrap(), [Typed::Keys(b"vim".to_vec()), Typed::Leave]);
            drop(keys);
            let mut rest = String::new();
            shell.read_to_string(&mut rest).unwrap();
            assert_eq!(rest, "ls -l\n");
        }
    }

    #[test]
    fn it_ends_at_once_when_it_is_told_to_and_takes_nothing_more() {
        let (mut shell, mut keys) = io::pipe().unwrap();
        let (stopped, stop) = io::pipe().unwrap();
        let (sender, typed) = mpsc::channel(IN_FLIGHT);
        let from = shell.try_clone().unwrap();
        let thread = std::thread::spawn(move || read(from.as_fd(), stopped.as_fd(), Typing::new(&DetachKeys::default()), &sender));
        Keyboard { typed, reading: Some((stop, thread)) }.stop();
        keys.write_all(b"mine").unwrap();
        drop(keys);
        let mut rest = String::new();
        shell.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "mine");
    }

    #[test]
    fn a_lone_escape_arrives_though_nothing_follows() {
        let (shell, mut keys) = io::pipe().unwrap();
        let (stopped, stop) = io::pipe().unwrap();
        let (sender, mut typed) = mpsc::channel(9);
        keys.write_all(b"\x1b").unwrap();
        let thread = std::thread::spawn(move || read(shell.as_fd(), stopped.as_fd(), Typing::new(&DetachKeys::default()), &sender));
        assert_eq!(typed.blocking_recv().unwrap(), [Typed::Keys(b"\x1b".to_vec())]);
        drop(keys);
        assert_eq!(typed.blocking_recv(), None, "the terminal is gone");
        thread.join().unwrap();
        drop(stop);
    }
}
