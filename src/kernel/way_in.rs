use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, socket};

use super::Unreadable;

/// Who listens has just begun, or is not there.
const PAUSE: Duration = Duration::from_millis(2);

/// A connection, and the number of the process that listens at its other end.
pub(super) struct Reached {
    pub(super) stream: UnixStream,
    pub(super) listener: u32,
}

/// Connects to the abstract socket of this name in a network namespace, on a thread that is never in another one again: nothing
/// else of this process is ever in that namespace.
pub(super) fn connect_in(namespace: OwnedFd, name: &str, deadline: Instant) -> Result<Reached, Unreadable> {
    let name = name.to_owned();
    let thread = thread::Builder::new().name("way in".to_owned()).spawn(move || {
        setns(namespace, CloneFlags::CLONE_NEWNET)?;
        reach(&name, deadline)
    });
    let outcome = thread.map_err(|error| Unreadable::from_io("start a thread", &error))?.join();
    outcome.unwrap_or(Err(Errno::EIO)).map_err(|errno| Unreadable::from_io("reach its supervisor", &io::Error::from(errno)))
}

fn reach(name: &str, deadline: Instant) -> Result<Reached, Errno> {
    let address = UnixAddr::new_abstract(name.as_bytes())?;
    loop {
        // What waits for a place in a queue that a process of the container has filled would wait for as long as that one likes.
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
        match connect(std::os::fd::AsRawFd::as_raw_fd(&socket), &address) {
            Err(Errno::ECONNREFUSED) if Instant::now() < deadline => sleep(PAUSE),
            Err(errno) => return Err(errno),
            Ok(()) => {
                let listener = getsockopt(&socket, PeerCredentials)?.pid();
                return Ok(Reached { stream: socket.into(), listener: listener.cast_unsigned() });
            }
        }
    }
}
