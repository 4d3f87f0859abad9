//! The session's own output, which the engine keeps as its log: what the session's command writes to its terminal goes there too.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

/// More than this, and the program waits.
const BACKLOG: usize = 256 << 10;

/// A way out that may be slow, and must not hold the supervisor.
pub struct Log {
    out: Out,
    kept: Vec<u8>,
    taken: Instant,
    /// Nobody took anything for too long: what came meanwhile is not there.
    behind: bool,
}

enum Out {
    Pipe(AsyncFd<File>),
    /// Files and devices, which always take.
    Ready(File),
}

impl Log {
    /// Over this descriptor, which is made not to wait.
    pub fn new(out: OwnedFd) -> io::Result<Self> {
        let flags = OFlag::from_bits_retain(fcntl(&out, FcntlArg::F_GETFL)?);
        fcntl(&out, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        let copy = File::from(out.try_clone()?);
        #[expect(deprecated, reason = "its successor is unsafe; the descriptor is the file's own, and lives as long")]
        let out = AsyncFd::new(copy).map_or_else(|_| Out::Ready(File::from(out)), Out::Pipe);
        Ok(Self { out, kept: Vec::new(), taken: Instant::now(), behind: false })
    }

    /// To be written, unless nobody takes it.
    pub fn write(&mut self, bytes: &[u8]) {
        if self.behind {
            return;
        }
        if self.kept.is_empty() {
            self.taken = Instant::now();
        }
        self.kept.extend_from_slice(bytes);
    }

    /// Until when the program waits for it.
    pub fn holds_back(&self, patience: Duration) -> Option<Instant> {
        (!self.behind && self.kept.len() > BACKLOG).then(|| self.taken + patience)
    }

    /// Until when it is waited for once the program has ended.
    pub fn is_waited_for(&self, patience: Duration) -> Instant {
        self.taken + patience
    }

    /// Whether everything has been taken.
    pub fn is_done(&self) -> bool {
        self.kept.is_empty()
    }

    /// Lets go of what was not taken.
    pub fn drop_backlog(&mut self) {
        self.kept.clear();
        self.behind = true;
    }

    /// Writes what is taken; ready when that changed something.
    pub fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.kept.is_empty() && !self.behind {
            return Poll::Pending;
        }
        loop {
            let written = match &mut self.out {
                Out::Ready(file) => file.write(&self.kept),
                Out::Pipe(pipe) => {
                    let Ok(mut ready) = ready!(pipe.poll_write_ready_mut(context)) else {
                        self.kept.clear();
                        return Poll::Ready(());
                    };
                    if self.behind {
                        self.behind = false;
                        return Poll::Ready(());
                    }
                    match ready.try_io(|pipe| pipe.get_mut().write(&self.kept)) {
                        Ok(written) => written,
                        Err(_would_block) => continue,
                    }
                }
            };
            self.taken = Instant::now();
            match written {
                Ok(written) => _ = self.kept.drain(..written),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Nobody reads it any more: as with any program whose reader went, but that the session goes on.
                Err(_) => self.kept.clear(),
            }
            return Poll::Ready(());
        }
    }
}
