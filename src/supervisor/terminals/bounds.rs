use std::time::Duration;

use tokio::net::UnixStream;

use super::peer::Peer;

/// What the holder takes at most: whoever asks may be a hostile process of the sandbox.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Terminals at once.
    pub terminals: usize,
    /// Connections at once.
    pub connections: usize,
    /// Connections whose bridge may hand its pipes over; the others are passed on by it.
    pub pipes: usize,
    /// Of terminals and connections, what processes of the sandbox itself may have.
    pub inside: usize,
    /// Who has connected.
    pub who: fn(&UnixStream) -> Peer,
    /// For a connection to say what it wants.
    pub first_word: Duration,
    /// Who takes nothing for so long no longer holds a program back.
    pub patience: Duration,
    /// Between the hang-up and SIGKILL.
    pub grace: Duration,
    /// A terminal that nobody has used for so long ends; `None` for never.
    pub idle: Option<Duration>,
}

impl Bounds {
    /// With so many descriptors: a terminal takes two, a connection one, and one that is handed over two more.
    pub fn under(files: usize, grace: Duration, idle: Option<Duration>) -> Self {
        let terminals = (files / 4).clamp(1, 16);
        let connections = terminals * 2;
        Self {
            terminals,
            connections,
            pipes: files.saturating_sub(terminals * 2 + connections) / 2,
            inside: terminals / 2,
            who: Peer::of,
            first_word: Duration::from_secs(5),
            patience: Duration::from_secs(2),
            grace,
            idle,
        }
    }
}
