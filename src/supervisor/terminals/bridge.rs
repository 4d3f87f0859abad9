//! `palisade terminal`: what a manager's exec runs in the session. It passes bytes between its own streams and the holder's
//! socket, both ways and at once, and knows nothing of what they say. It ends when either end does.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::SOCKET;
use crate::supervisor::supervise::say;

/// One read.
const SIZE: usize = 64 << 10;
/// A supervisor that has just been let go takes a moment until it listens.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);
/// For what was typed last to be taken, once the manager is gone.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Passes bytes until either end is done; the exit code says only whether there was a holder.
pub fn main() -> u8 {
    match connect(SOCKET).and_then(|socket| pass(&socket, io::stdin().as_fd(), io::stdout().as_fd())) {
        Ok(()) => 0,
        Err(error) => {
            say(&format!("the terminals of this session cannot be reached: {error}"));
            1
        }
    }
}

fn connect(name: &str) -> io::Result<UnixStream> {
    let address = SocketAddr::from_abstract_name(name)?;
    let due = Instant::now() + PATIENCE;
    loop {
        match UnixStream::connect_addr(&address) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused && Instant::now() < due => std::thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
}

/// One direction: what was read and not written yet.
struct Way<'a> {
    from: BorrowedFd<'a>,
    to: BorrowedFd<'a>,
    buffer: Box<[u8]>,
    kept: std::ops::Range<usize>,
    ended: bool,
}

impl<'a> Way<'a> {
    fn new(from: BorrowedFd<'a>, to: BorrowedFd<'a>) -> io::Result<Self> {
        for fd in [from, to] {
            let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?);
            fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        }
        Ok(Self { from, to, buffer: vec![0; SIZE].into_boxed_slice(), kept: 0..0, ended: false })
    }

    /// Whichever it waits for.
    fn waits_for(&self) -> PollFd<'a> {
        if self.kept.is_empty() { PollFd::new(self.from, PollFlags::POLLIN) } else { PollFd::new(self.to, PollFlags::POLLOUT) }
    }

    /// Moves what can be moved now.
    fn go_on(&mut self) -> io::Result<()> {
        loop {
            if self.kept.is_empty() {
                match nix::unistd::read(self.from, &mut self.buffer) {
                    Ok(0) => {
                        self.ended = true;
                        return Ok(());
                    }
                    Ok(read) => self.kept = 0..read,
                    Err(Errno::EINTR) => continue,
                    Err(Errno::EAGAIN) => return Ok(()),
                    Err(errno) => return Err(errno.into()),
                }
            }
            match nix::unistd::write(self.to, &self.buffer[self.kept.clone()]) {
                Ok(written) => self.kept.start += written,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Whether it is done, for better or worse: an end that is gone ends the passing.
    fn is_over(&mut self) -> bool {
        self.go_on().is_err() || self.ended
    }
}

fn pass(socket: &UnixStream, input: BorrowedFd<'_>, output: BorrowedFd<'_>) -> io::Result<()> {
    let (mut up, mut down) = (Way::new(input, socket.as_fd())?, Way::new(socket.as_fd(), output)?);
    let mut leaves_at = None;
    loop {
        let mut fds = vec![up.waits_for(), down.waits_for()];
        if leaves_at.is_none() {
            // An end of the input is to be heard also while something else is waited for.
            fds.push(PollFd::new(input, PollFlags::empty()));
        }
        match poll(&mut fds, time_until(leaves_at)) {
            Ok(0) if leaves_at.is_some_and(|at| at <= Instant::now()) => return Ok(()),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let (typed, shown) = (fds[0].any() == Some(true), fds[1].any() == Some(true));
        if leaves_at.is_none() && fds[2].any() == Some(true) {
            leaves_at = Some(Instant::now() + LAST_WORDS);
        }
        if shown && down.is_over() || typed && up.is_over() {
            return Ok(());
        }
    }
}

fn time_until(due: Option<Instant>) -> PollTimeout {
    let left = due.map(|due| due.saturating_duration_since(Instant::now()) + Duration::from_millis(1));
    left.map_or(PollTimeout::NONE, |left| PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX))
}
