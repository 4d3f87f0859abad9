//! `palisade terminal`: what a manager's exec runs in the session. It hands its own streams over to the holder and waits; where that
//! does not take them, it passes bytes between them and the holder's socket, both ways and at once, and knows nothing of what they
//! say. It ends when either end does.

use std::ffi::OsString;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::SOCKET;
use super::line::{HAND_OVER, KEPT, TAKEN};
use crate::supervisor::supervise::say;

/// One read.
const SIZE: usize = 64 << 10;
/// A supervisor that has just been let go takes a moment until it listens.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(5);
/// For what was typed last to be taken, once the manager is gone.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Passes bytes between its streams and the holder's socket, of the usual name or this one, until either end is done; the exit code says only whether there was a holder.
pub fn main(socket: Option<&OsString>) -> u8 {
    let socket = socket.map_or(SOCKET.as_bytes(), |name| name.as_bytes());
    match connect(socket).and_then(|socket| serve(&socket, io::stdin().as_fd(), io::stdout().as_fd())) {
        Ok(()) => 0,
        Err(error) => {
            say(&format!("the terminals of this session cannot be reached: {error}"));
            1
        }
    }
}

fn connect(name: &[u8]) -> io::Result<UnixStream> {
    let address = SocketAddr::from_abstract_name(name)?;
    let due = Instant::now() + PATIENCE;
    loop {
        match UnixStream::connect_addr(&address) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused && Instant::now() < due => std::thread::sleep(PAUSE),
            outcome => return outcome,
        }
    }
}

pub(super) fn serve(socket: &UnixStream, input: BorrowedFd<'_>, output: BorrowedFd<'_>) -> io::Result<()> {
    match hand_over(socket, input, output)? {
        Some(TAKEN) => watch(socket, input, output),
        Some(KEPT) => pass(socket, input, output),
        // Turned away: that is a word for the manager.
        Some(first) => {
            io::stdout().write_all(&[first])?;
            io::stdout().flush()?;
            pass(socket, input, output)
        }
        None => Ok(()),
    }
}

/// Hands the streams over, and gives the holder's answer; `None` where there is none to come.
fn hand_over(mut socket: &UnixStream, input: BorrowedFd<'_>, output: BorrowedFd<'_>) -> io::Result<Option<u8>> {
    let streams = [input, output];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&streams));
    match sendmsg(socket, &[IoSlice::new(&HAND_OVER)], &mut control, SendFlags::NOSIGNAL) {
        // Closed already: why, it may have said.
        Ok(_) | Err(rustix::io::Errno::PIPE | rustix::io::Errno::CONNRESET) => {}
        Err(error) => return Err(error.into()),
    }
    let mut answer = [0];
    let is_there = Vigil::new(input, output).hears(socket)? && socket.read(&mut answer)? > 0;
    Ok(is_there.then_some(answer[0]))
}

/// Waits until either end is gone, and is gone itself: the other end knows by that.
fn watch(mut socket: &UnixStream, input: BorrowedFd<'_>, output: BorrowedFd<'_>) -> io::Result<()> {
    let mut vigil = Vigil::new(input, output);
    while vigil.hears(socket)? {
        if matches!(socket.read(&mut [0; 64]), Ok(0) | Err(_)) {
            break;
        }
    }
    Ok(())
}

/// The streams as something to be watched and not read.
struct Vigil<'a> {
    input: BorrowedFd<'a>,
    output: BorrowedFd<'a>,
    /// Its input has ended: what was typed last may still be taken until then.
    leaves_at: Option<Instant>,
}

impl<'a> Vigil<'a> {
    fn new(input: BorrowedFd<'a>, output: BorrowedFd<'a>) -> Self {
        Self { input, output, leaves_at: None }
    }

    /// Waits until the holder says something or is gone; false where the manager is.
    fn hears(&mut self, socket: &UnixStream) -> io::Result<bool> {
        loop {
            let mut fds = vec![PollFd::new(socket.as_fd(), PollFlags::POLLIN), PollFd::new(self.output, PollFlags::empty())];
            if self.leaves_at.is_none() {
                fds.push(PollFd::new(self.input, PollFlags::empty()));
            }
            match poll(&mut fds, time_until(self.leaves_at)) {
                Ok(0) if self.leaves_at.is_some_and(|at| at <= Instant::now()) => return Ok(false),
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            if fds[0].any() == Some(true) {
                return Ok(true);
            }
            if fds[1].any() == Some(true) {
                return Ok(false);
            }
            if self.leaves_at.is_none() && fds[2].any() == Some(true) {
                self.leaves_at = Some(Instant::now() + LAST_WORDS);
            }
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
