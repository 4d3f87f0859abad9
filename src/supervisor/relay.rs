//! The way from a sandbox without a network to the depot: listens on the sandbox's own loopback and passes each
//! connection on to the depot's socket, opening it with the session's token, which no process of the sandbox sees.
//!
//! It runs on the supervisor's one thread, and only while the supervisor [waits](Relay::wait): threads count against
//! the sandbox's `pids_limit`, and what the supervisor does first, signals and the deadline, is never behind bytes.
//! What it takes is bounded, because the sandbox decides how often and how slowly it asks. It knows neither HTTP,
//! but for the one answer it gives itself, nor packages.

mod connection;
mod pump;

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use pump::Scratch;

/// Name of a thread that the runtime would start for blocking work. There is none, which a test holds.
const NO_SUCH_THREAD: &str = "relay-blocking";
/// Connections that wait for their turn; the kernel's `somaxconn` may allow fewer.
const BACKLOG: u32 = 4096;
/// Descriptors that are the supervisor's own: standard streams, signals, the runtime's, the listener, and some to spare.
const OWN_DESCRIPTORS: u64 = 16;
/// Before asking again for a descriptor that was not to be had, where no connection of ours can end and give one back.
const NO_DESCRIPTOR_PAUSE: Duration = Duration::from_millis(100);

/// Where connections lead, and what each is held to.
#[derive(Clone)]
pub struct Way {
    /// The depot's socket.
    pub depot: PathBuf,
    /// What opens each connection to it; a secret.
    pub greeting: Vec<u8>,
    /// The bounds.
    pub bounds: Bounds,
}

/// What a relay takes at most.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections relayed at once; further ones wait in the kernel's backlog and are not lost.
    pub connections: usize,
    /// How long the depot may be away before a client is told so: long enough for it to be started anew.
    pub patience: Duration,
    /// How long a connection may be silent in both directions: longer than any registry takes to answer.
    pub idle: Duration,
    /// The same once the depot has said all: what is left is for the client to close.
    pub linger: Duration,
}

impl Bounds {
    /// The bounds under this process's own limit of open files, of which a connection takes two.
    pub fn of_this_process() -> Self {
        let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft);
        Self::under(files)
    }

    fn under(files: u64) -> Self {
        let affordable = usize::try_from(files.saturating_sub(OWN_DESCRIPTORS) / 2).unwrap_or(usize::MAX);
        Self {
            // As many as npm opens to one registry at its widest; pip and uv open fewer.
            connections: affordable.clamp(1, 64),
            patience: Duration::from_secs(20),
            idle: Duration::from_mins(10),
            linger: Duration::from_secs(5),
        }
    }
}

/// A relay that listens, and works while it is waited with.
pub struct Relay {
    runtime: Runtime,
    address: SocketAddr,
}

impl Relay {
    /// Listens at `address` from now on; nothing is taken before the first [`wait`](Self::wait).
    pub fn listen(address: SocketAddr, way: Way) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().thread_name(NO_SUCH_THREAD).enable_io().enable_time().build()?;
        let listener = {
            let _runtime = runtime.enter();
            let socket = TcpSocket::new_v4()?;
            // What a former listener's connections left behind keeps nobody out; one that listens still does.
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            socket.listen(BACKLOG)?
        };
        let address = listener.local_addr()?;
        runtime.spawn(serve(listener, Arc::new(way)));
        Ok(Self { runtime, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Relays until `fd` can be read or the patience is over; which of the two, the caller finds out.
    pub fn wait(&self, fd: BorrowedFd<'_>, patience: Option<Duration>) -> io::Result<()> {
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
                ready = fd.readable() => ready.map(|_| ()),
                () = over => Ok(()),
            }
        })
    }
}

/// Takes connections for ever, as many at once as the bounds allow.
async fn serve(listener: TcpListener, way: Arc<Way>) -> Infallible {
    let scratch = Arc::new(Scratch::default());
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        if open.len() >= way.bounds.connections {
            open.join_next().await;
            continue;
        }
        if let Ok((client, _)) = listener.accept().await {
            let (way, scratch) = (Arc::clone(&way), Arc::clone(&scratch));
            open.spawn(async move { connection::relay(client, &way, &scratch).await });
        } else {
            // No descriptor or memory left: the client stays in the backlog until something ends.
            tokio::select! {
                Some(_) = open.join_next() => {}
                () = tokio::time::sleep(NO_DESCRIPTOR_PAUSE) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
