//! The way out of a session that nobody waits for: what its command writes passes here on its way to the engine's log, at a [`Pace`]. A
//! command that is faster waits, as it does for any reader; nothing is left out.
//!
//! A command that somebody waits for writes to the engine's pipes itself.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::sys::stat::{SFlag, fstat};
use nix::unistd::pipe2;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::pace::Pace;

/// One read.
const PIECE: usize = 16 << 10;
/// What a kernel keeps of a program's output, and more.
const REST: usize = 256 << 10;

/// Both ways out of a command that is to be started.
pub struct Outlets {
    output: Outlet,
    errors: Outlet,
}

/// One of them.
enum Outlet {
    /// Ours, where it is no pipe.
    Ours(RawFd),
    /// A pipe to this process, and from it to where ours leads.
    Passed { from: OwnedFd, command: OwnedFd, to: OwnedFd },
}

/// What passes a command's output on.
pub struct Passing {
    streams: JoinSet<()>,
    ending: watch::Sender<bool>,
}

impl Outlets {
    /// Beside this process's own.
    pub fn open() -> io::Result<Self> {
        Ok(Self { output: Outlet::beside(io::stdout().as_fd())?, errors: Outlet::beside(io::stderr().as_fd())? })
    }

    /// What the command has for its output and its errors.
    pub fn of_command(&self) -> (RawFd, RawFd) {
        (self.output.of_command(), self.errors.of_command())
    }

    /// Passes on what comes, once the command is started, among the supervisor's duties.
    pub fn pass(self) -> io::Result<Passing> {
        let pace = Arc::new(Mutex::new(Pace::new(Instant::now())));
        let (ending, ends) = watch::channel(false);
        let mut streams = JoinSet::new();
        for outlet in [self.output, self.errors] {
            if let Outlet::Passed { from, command, to } = outlet {
                // What is left of it is the command's own.
                drop(command);
                let stream = Stream {
                    from: Receiver::from_owned_fd(from)?,
                    to: Sender::from_owned_fd(to)?,
                    pace: Arc::clone(&pace),
                    ends: ends.clone(),
                };
                streams.spawn(stream.pass());
            }
        }
        Ok(Passing { streams, ending })
    }
}

impl Outlet {
    fn beside(ours: BorrowedFd<'_>) -> io::Result<Self> {
        if SFlag::from_bits_truncate(fstat(ours)?.st_mode) & SFlag::S_IFMT != SFlag::S_IFIFO {
            return Ok(Self::Ours(ours.as_raw_fd()));
        }
        let (from, command) = pipe2(OFlag::O_CLOEXEC)?;
        Ok(Self::Passed { from, command, to: ours.try_clone_to_owned()? })
    }

    fn of_command(&self) -> RawFd {
        match self {
            Self::Ours(ours) => *ours,
            Self::Passed { command, .. } => command.as_raw_fd(),
        }
    }
}

impl Passing {
    /// Passes on what the command has left behind, at once, now that it has ended.
    pub async fn finish(&mut self) {
        self.ending.send_replace(true);
        while self.streams.join_next().await.is_some() {}
    }
}

struct Stream {
    from: Receiver,
    to: Sender,
    pace: Arc<Mutex<Pace>>,
    ends: watch::Receiver<bool>,
}

impl Stream {
    /// Until there is no more, or nobody takes it: then the command finds a closed pipe.
    async fn pass(mut self) {
        let mut buffer = [0; PIECE];
        let mut ends = self.ends.clone();
        loop {
            let is_ready = tokio::select! {
                ready = self.from.readable() => ready.is_ok(),
                () = ended(&mut ends) => return self.rest(&mut buffer).await,
            };
            let read = match self.from.try_read(&mut buffer) {
                Ok(read @ 1..) if is_ready => read,
                Err(error) if is_ready && matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => continue,
                Ok(_) | Err(_) => return,
            };
            if self.to.write_all(&buffer[..read]).await.is_err() {
                return;
            }
            let wait = self.pace.lock().unwrap_or_else(PoisonError::into_inner).after(&buffer[..read], Instant::now());
            if wait > Duration::ZERO {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = ended(&mut ends) => {}
                }
            }
        }
    }

    /// What is there. A child that the command left behind may write without end.
    async fn rest(&mut self, buffer: &mut [u8]) {
        let mut left = REST;
        while left > 0 {
            // Asked of the kernel itself: the runtime has not heard yet of what was written last.
            match nix::unistd::read(&self.from, &mut *buffer) {
                Ok(read @ 1..) if self.to.write_all(&buffer[..read]).await.is_ok() => left = left.saturating_sub(read),
                Err(nix::errno::Errno::EINTR) => {}
                Ok(_) | Err(_) => return,
            }
        }
    }
}

/// Waits until the command has ended.
async fn ended(ends: &mut watch::Receiver<bool>) {
    let _ = ends.wait_for(|ends| *ends).await;
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};

    use super::*;

    /// A way out through a pipe of the test's: what the command writes to, what passes it on, and what the engine reads.
    fn way() -> (File, Passing, File) {
        let (engine, to) = pipe2(OFlag::O_CLOEXEC).unwrap();
        let (from, command) = pipe2(OFlag::O_CLOEXEC).unwrap();
        let kept = command.try_clone().unwrap();
        let passed = Outlets { output: Outlet::Passed { from, command, to }, errors: Outlet::Ours(2) };
        (File::from(kept), passed.pass().unwrap(), File::from(engine))
    }

    #[tokio::test]
    async fn all_of_it_arrives_in_order() {
        let (mut command, mut passing, mut engine) = way();
        let text: Vec<u8> = (0..100_000).flat_map(|number| format!("{number}\n").into_bytes()).collect();
        let written = text.clone();
        let writing = std::thread::spawn(move || command.write_all(&written));
        let reading = tokio::task::spawn_blocking(move || {
            let mut read = Vec::new();
            engine.read_to_end(&mut read).map(|_| read)
        });
        while passing.streams.join_next().await.is_some() {}
        writing.join().unwrap().unwrap();
        assert!(reading.await.unwrap().unwrap() == text);
    }

    #[tokio::test]
    async fn what_was_written_last_arrives_though_a_child_holds_the_pipe() {
        for _ in 0..100 {
            let (mut child, mut passing, mut engine) = way();
            child.write_all(b"the last words\n").unwrap();
            passing.finish().await;
            let mut read = String::new();
            engine.read_to_string(&mut read).unwrap();
            assert_eq!(read, "the last words\n");
        }
    }

    #[tokio::test]
    async fn a_child_that_writes_without_end_holds_nobody_up() {
        let (mut child, mut passing, mut engine) = way();
        let writing = std::thread::spawn(move || while child.write_all(&[b'x'; 4096]).is_ok() {});
        let reading = tokio::task::spawn_blocking(move || io::copy(&mut engine, &mut io::sink()));
        tokio::task::yield_now().await;
        passing.finish().await;
        reading.await.unwrap().unwrap();
        writing.join().unwrap();
    }

    #[tokio::test]
    async fn a_command_whose_reader_is_gone_finds_a_closed_pipe() {
        let (mut command, mut passing, engine) = way();
        drop(engine);
        command.write_all(b"x").unwrap();
        while passing.streams.join_next().await.is_some() {}
        assert_eq!(command.write_all(b"y").unwrap_err().kind(), ErrorKind::BrokenPipe);
    }

    #[test]
    fn what_is_no_pipe_is_the_command_s_own() {
        let file = tempfile::tempfile().unwrap();
        assert!(matches!(Outlet::beside(file.as_fd()).unwrap(), Outlet::Ours(fd) if fd == file.as_raw_fd()));
    }
}
