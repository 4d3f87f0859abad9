//! How bytes come and go: by the connection's own socket, or by the pipes of the engine's exec that its bridge runs in. A bridge hands
//! those over, so that a key and its echo pass no process between; from then on its socket only says that it is there. Who comes
//! straight from outside greets first, and learns by the answer that it may go on.

use std::io::{self, ErrorKind, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use tokio::io::{AsyncWrite, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::peer::Peer;
use crate::terminal::wire::{GREETING, WELCOME};

/// What comes with the pipes: first its input, then its output. No frame begins so.
pub const HAND_OVER: [u8; 5] = *b"P\0\0\0\0";
/// The answer where they were taken.
pub const TAKEN: u8 = WELCOME;
/// The answer where they were not: the bridge passes the bytes itself.
pub const KEPT: u8 = b'-';

/// Between two looks whether a socket's other end is there, while nothing is read from it.
const HANG_UP_PAUSE: Duration = Duration::from_millis(250);

/// Where bytes come from.
pub enum Reads {
    Socket(OwnedReadHalf),
    /// The pipe, and the socket of the bridge that handed it over.
    Pipe(Receiver, OwnedReadHalf),
}

/// Where bytes go. Dropped, it ends the bridge.
pub enum Writes {
    Socket(OwnedWriteHalf),
    /// The pipe, and the socket of the bridge that handed it over.
    Pipe {
        pipe: Sender,
        _bridge: OwnedWriteHalf,
    },
}

/// A connection's beginning.
pub struct Begun {
    pub reads: Reads,
    pub writes: Writes,
    /// What was read of its first words.
    pub first: Vec<u8>,
}

/// Hears how a connection begins; its pipes are taken where `takes` says so and they are pipes.
pub async fn begin(stream: UnixStream, peer: Peer, takes: bool) -> io::Result<Begun> {
    loop {
        stream.readable().await?;
        match stream.try_io(Interest::READABLE, || receive(&stream, takes)) {
            Ok((first, _)) if first != HAND_OVER => {
                let is_greeting = first == GREETING;
                if is_greeting {
                    say(&stream, if peer == Peer::Outside { WELCOME } else { KEPT }).await?;
                }
                let (reads, writes) = stream.into_split();
                let first = if is_greeting { Vec::new() } else { first };
                return Ok(Begun { reads: Reads::Socket(reads), writes: Writes::Socket(writes), first });
            }
            Ok((_, handed)) => {
                let pipes = pipes(handed);
                say(&stream, if pipes.is_some() { TAKEN } else { KEPT }).await?;
                let (reads, writes) = stream.into_split();
                let (reads, writes) = match pipes {
                    Some((input, output)) => (Reads::Pipe(input, reads), Writes::Pipe { pipe: output, _bridge: writes }),
                    None => (Reads::Socket(reads), Writes::Socket(writes)),
                };
                return Ok(Begun { reads, writes, first: Vec::new() });
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// The first bytes, and what was handed over with them. Without room for it the kernel lets go of it.
fn receive(stream: &UnixStream, takes: bool) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut first = HAND_OVER;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = if takes { RecvAncillaryBuffer::new(&mut space) } else { RecvAncillaryBuffer::default() };
    let received = recvmsg(stream, &mut [IoSliceMut::new(&mut first)], &mut control, RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT)?;
    let mut handed = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            handed.extend(descriptors);
        }
    }
    Ok((first[..received.bytes].to_vec(), handed))
}

/// Both, where they are pipes with their ends the right way round: anything else could hold the supervisor up.
fn pipes(handed: Vec<OwnedFd>) -> Option<(Receiver, Sender)> {
    let [input, output] = <[OwnedFd; 2]>::try_from(handed).ok()?;
    Some((Receiver::from_owned_fd(input).ok()?, Sender::from_owned_fd(output).ok()?))
}

async fn say(stream: &UnixStream, answer: u8) -> io::Result<()> {
    loop {
        stream.writable().await?;
        match stream.try_write(&[answer]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            outcome => return outcome.map(drop),
        }
    }
}

impl Reads {
    /// Waits until there may be something; whether the bridge is gone, so that what is there is all.
    pub async fn ready(&self) -> io::Result<bool> {
        match self {
            Self::Socket(socket) => socket.readable().await.map(|()| false),
            Self::Pipe(pipe, bridge) => tokio::select! {
                biased;
                ready = pipe.readable() => ready.map(|()| false),
                () = gone(bridge) => Ok(true),
            },
        }
    }

    /// What is there; 0 for the end.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Socket(socket) => socket.try_read(buffer),
            Self::Pipe(pipe, _) => pipe.try_read(buffer),
        }
    }

    /// Until the other end is gone, for whoever does not read.
    pub async fn gone(&self) {
        match self {
            Self::Socket(socket) => hung_up(socket).await,
            Self::Pipe(_, bridge) => gone(bridge).await,
        }
    }
}

/// A bridge that has handed its pipes over says nothing more: what comes is its end.
async fn gone(bridge: &OwnedReadHalf) {
    loop {
        if bridge.readable().await.is_err() {
            return;
        }
        match bridge.try_read(&mut [0; 64]) {
            Ok(1..) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => return,
        }
    }
}

/// What is there to be read would end any wait for its end: it is looked for now and then.
async fn hung_up(socket: &OwnedReadHalf) {
    loop {
        let mut fds = [PollFd::new(socket.as_ref().as_fd(), PollFlags::empty())];
        if poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0) {
            return;
        }
        tokio::time::sleep(HANG_UP_PAUSE).await;
    }
}

impl Writes {
    /// Writes as much as is taken.
    pub fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Socket(out) => Pin::new(out).poll_write(context, bytes),
            Self::Pipe { pipe, .. } => Pin::new(pipe).poll_write(context, bytes),
        }
    }

    /// Whether something would be taken.
    pub fn poll_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Socket(out) => out.as_ref().poll_write_ready(context),
            Self::Pipe { pipe, .. } => pipe.poll_write_ready(context),
        }
    }

    /// Writes all of it.
    pub async fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = std::future::poll_fn(|context| self.poll_write(context, bytes)).await?;
            bytes = &bytes[written..];
        }
        Ok(())
    }
}
