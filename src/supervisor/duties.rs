use std::future::{Future, pending};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::{Builder, EnterGuard, Runtime};

/// Name of a thread that the runtime would start for blocking work. There is none, which a test holds.
pub(super) const NO_SUCH_THREAD: &str = "duty-blocking";

/// What the supervisor does while it waits: the relay to the depot, the terminals. All of it on its one thread: threads count
/// against the sandbox's `pids_limit`, and what the supervisor does first, signals and the deadline, is never behind bytes.
pub struct Duties {
    runtime: Runtime,
}

/// What ended a wait.
#[derive(Debug, PartialEq, Eq)]
pub enum Waited<T> {
    /// There may be something to read, or the patience is over: which of the two, the caller finds out.
    Called,
    /// What was waited for is there.
    Done(T),
}

impl Duties {
    /// None yet.
    pub fn new() -> io::Result<Self> {
        Ok(Self { runtime: Builder::new_current_thread().thread_name(NO_SUCH_THREAD).enable_io().enable_time().build()? })
    }

    /// Where sockets are made and tasks begun. They work from the next wait on.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Works until `fd` can be read or the patience is over; which of the two, the caller finds out.
    #[cfg(test)]
    pub fn wait(&self, fd: BorrowedFd<'_>, patience: Option<Duration>) -> io::Result<()> {
        self.wait_for(fd, patience, pending::<()>()).map(drop)
    }

    /// Works until `fd` can be read or the patience is over, or until `what` is done.
    pub fn wait_for<T>(&self, fd: BorrowedFd<'_>, patience: Option<Duration>, what: impl Future<Output = T>) -> io::Result<Waited<T>> {
        self.runtime.block_on(async {
            #[expect(deprecated, reason = "its successor is unsafe; this descriptor is borrowed for longer than the wait")]
            let fd = AsyncFd::with_interest(fd.as_raw_fd(), Interest::READABLE)?;
            let over = async {
                match patience {
                    Some(patience) => tokio::time::sleep(patience).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                ready = fd.readable() => ready.map(|_| Waited::Called),
                () = over => Ok(Waited::Called),
                done = what => Ok(Waited::Done(done)),
            }
        })
    }
}
