//! The way from a sandbox without a network to the depot: listens on the sandbox's own loopback and passes each
//! connection on to the depot's socket, opening it with the session's token, which no process of the sandbox sees.
//!
//! It is one of the supervisor's duties, so it works only while the supervisor waits. What it takes is
//! bounded, because the sandbox decides how often and how slowly it asks. It knows neither HTTP, but for the one answer it
//! gives itself, nor packages.

mod connection;
mod pump;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;

use pump::Scratch;

/// Connections that wait for their turn; the kernel's `somaxconn` may allow fewer.
const BACKLOG: u32 = 4096;
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
    /// With so many descriptors, of which a connection takes two.
    pub fn under(files: usize) -> Self {
        let affordable = files / 2;
        Self {
            // As many as npm opens to one registry at its widest; pip and uv open fewer.
            connections: affordable.clamp(1, 64),
            patience: Duration::from_secs(20),
            idle: Duration::from_mins(10),
            linger: Duration::from_secs(5),
        }
    }
}

/// Listens at `address` from now on, and says where that is. What comes is taken while the supervisor does its duties, among which
/// this is called.
pub fn listen(address: SocketAddr, way: Way) -> io::Result<SocketAddr> {
    let socket = TcpSocket::new_v4()?;
    // What a former listener's connections left behind keeps nobody out; one that listens still does.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    let listener = socket.listen(BACKLOG)?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(listener, Arc::new(way)));
    Ok(address)
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
