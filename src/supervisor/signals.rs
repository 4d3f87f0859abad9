use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use super::duties::{Duties, Waited};
use super::life::Life;
use super::terminals::{self, Terminals};
use crate::terminal::Size;

/// For everybody to hear of the end; the holder's own patience is shorter.
const LAST_PATIENCE: Duration = Duration::from_secs(15);

/// The signals that this process takes from a file descriptor instead of being interrupted by them, and what it does
/// while it waits for one.
pub struct Signals {
    fd: SignalFd,
    /// What is done meanwhile.
    pub duties: Duties,
    terminals: Option<Terminals>,
}

/// How the wait for somebody to look on ended.
pub enum Awaited {
    /// Somebody does, from a terminal of this size.
    By(Size),
    /// A signal came first.
    Signal(Signal),
    /// Nobody came in time.
    Nobody,
}

impl Signals {
    /// Takes them from now on.
    pub fn block() -> io::Result<Self> {
        let mut set = SigSet::empty();
        for signal in Signal::iterator() {
            // Faults must stay fatal; SIGKILL and SIGSTOP cannot be taken.
            let ours_to_take = !matches!(
                signal,
                Signal::SIGKILL
                    | Signal::SIGSTOP
                    | Signal::SIGSEGV
                    | Signal::SIGBUS
                    | Signal::SIGFPE
                    | Signal::SIGILL
                    | Signal::SIGTRAP
                    | Signal::SIGABRT
                    | Signal::SIGSYS
                    | Signal::SIGPIPE
            );
            if ours_to_take {
                set.add(signal);
            }
        }
        set.thread_block()?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Self { fd, duties: Duties::new()?, terminals: None })
    }

    /// The next signal, or `None` once `due` has come or the session's deadline was moved.
    pub fn next(&self, due: Option<Instant>, life: &Life) -> io::Result<Option<Signal>> {
        loop {
            if let Some(signal) = self.taken()? {
                return Ok(Some(signal));
            }
            let patience = due.map(|due| due.saturating_duration_since(Instant::now()));
            if patience == Some(Duration::ZERO) {
                return Ok(None);
            }
            if self.duties.wait_for(self.fd.as_fd(), patience, life.changed())? == Waited::Done(()) {
                return Ok(None);
            }
        }
    }

    /// A signal that has come; one that says that a child has ended, the terminals hear of too.
    fn taken(&self) -> io::Result<Option<Signal>> {
        while let Some(info) = self.fd.read_signal()? {
            // A real-time signal has no name here and no meaning to pass on.
            let Ok(signal) = Signal::try_from(i32::try_from(info.ssi_signo).unwrap_or(0)) else { continue };
            if let Some(terminals) = self.terminals.as_ref().filter(|_| signal == Signal::SIGCHLD) {
                terminals.reap();
            }
            return Ok(Some(signal));
        }
        Ok(None)
    }

    /// Holds terminals from now on, for who comes to this socket.
    pub fn hold_terminals(&mut self, socket: &str, bounds: terminals::Bounds, has_main: bool, life: Life) -> io::Result<()> {
        let _among = self.duties.enter();
        self.terminals = Some(Terminals::listen(socket, bounds, has_main, life)?);
        Ok(())
    }

    /// Waits until somebody wants to see the command that is to begin.
    pub fn until_awaited(&mut self, due: Instant) -> io::Result<Awaited> {
        loop {
            if let Some(signal) = self.taken()? {
                return Ok(Awaited::Signal(signal));
            }
            let patience = due.saturating_duration_since(Instant::now());
            let Some(terminals) = self.terminals.as_mut().filter(|_| !patience.is_zero()) else { return Ok(Awaited::Nobody) };
            if let Waited::Done(size) = self.duties.wait_for(self.fd.as_fd(), Some(patience), terminals.awaited())? {
                return Ok(Awaited::By(size));
            }
        }
    }

    /// Says something in every terminal.
    pub fn say(&self, text: &str) {
        if let Some(terminals) = &self.terminals {
            terminals.say(text);
        }
    }

    /// Starts the session's own command in a terminal.
    pub fn start_in_terminal(&self, argv: &[OsString], size: Size, log: OwnedFd) -> Result<Pid, Errno> {
        let _among = self.duties.enter();
        self.terminals.as_ref().ok_or(Errno::ENOTTY)?.start_main(argv, size, log)
    }

    /// Tells everybody who looks on how the session's own command ended, or that it did not begin.
    pub fn tell_the_end(&mut self, outcome: &Result<u8, (u8, String)>) -> io::Result<()> {
        let Some(mut terminals) = self.terminals.take() else { return Ok(()) };
        self.last(async move {
            match outcome {
                Ok(code) => terminals.finish(*code).await,
                Err((_, why)) => terminals.cannot_run(why.clone()).await,
            }
        })
    }

    /// Does the last of its duties, unless that takes too long.
    pub fn last(&self, duty: impl Future<Output = ()>) -> io::Result<()> {
        let due = Instant::now() + LAST_PATIENCE;
        let mut duty = Box::pin(duty);
        loop {
            let patience = due.saturating_duration_since(Instant::now());
            if patience.is_zero() || self.duties.wait_for(self.fd.as_fd(), Some(patience), &mut duty)? == Waited::Done(()) {
                return Ok(());
            }
            // Whoever wants it to end is obeyed at once; a child's end is nothing new.
            while let Some(info) = self.fd.read_signal()? {
                if Signal::try_from(i32::try_from(info.ssi_signo).unwrap_or(0)) == Ok(Signal::SIGTERM) {
                    return Ok(());
                }
            }
        }
    }

    /// Waits until `fd` can be read (`None`), or a signal that ends this process comes.
    pub fn until_readable(&self, fd: BorrowedFd<'_>, patience: Duration) -> io::Result<Option<Signal>> {
        let due = Instant::now() + patience;
        loop {
            while let Some(info) = self.fd.read_signal()? {
                if let Ok(signal @ (Signal::SIGTERM | Signal::SIGINT | Signal::SIGQUIT | Signal::SIGHUP)) =
                    Signal::try_from(i32::try_from(info.ssi_signo).unwrap_or(0))
                {
                    return Ok(Some(signal));
                }
            }
            let mut fds = [PollFd::new(fd, PollFlags::POLLIN), PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let message = "nobody measured this session and opened its gate, nothing was run; start it with: palisade start NAME";
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            wait_for(&mut fds, Some(left))?;
            if fds[0].any() == Some(true) {
                return Ok(None);
            }
        }
    }
}

/// poll(2), where an interruption is no error and nothing is promised on return.
pub(super) fn wait_for(fds: &mut [PollFd<'_>], patience: Option<Duration>) -> io::Result<()> {
    let timeout = match patience {
        None => PollTimeout::NONE,
        // A millisecond more, so that a wait never ends just before its time.
        Some(patience) => PollTimeout::try_from(patience + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX),
    };
    match poll(fds, timeout) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
