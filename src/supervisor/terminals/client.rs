//! One who looks on: what it is to be told and has not taken yet.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::guest::Slot;
use super::line::Writes;
use crate::terminal::wire::{PIECE, Told};

/// More than this, and the program waits for the client.
const BACKLOG: usize = 256 << 10;

/// What a client is here for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To see what is written.
    Watch,
    /// To be told of the end.
    Await,
}

/// A connection's way out.
pub struct Client {
    /// Which, among those of its terminal.
    pub number: u64,
    /// What for.
    pub purpose: Purpose,
    slot: Arc<Slot>,
    /// Gone once everything has been said.
    out: Option<Writes>,
    queue: VecDeque<Bytes>,
    /// Of the first in the queue, what has been taken.
    at: usize,
    bytes: usize,
    taken: Instant,
    /// It fell behind, and what it missed is not kept: it gets the screen anew once it takes something again.
    behind: bool,
    last: bool,
}

/// What became of a client when it was written to.
#[derive(Debug, PartialEq, Eq)]
pub enum Flushed {
    /// It took something.
    Some,
    /// It fell behind and takes again: it needs the screen.
    Again,
    /// It is gone.
    Gone,
}

impl Client {
    /// One that has just come.
    pub fn new(number: u64, purpose: Purpose, slot: Arc<Slot>, out: Writes) -> Self {
        let (queue, taken) = (VecDeque::new(), Instant::now());
        Self { number, purpose, slot, out: Some(out), queue, at: 0, bytes: 0, taken, behind: false, last: false }
    }

    /// To be told this, unless it has fallen behind.
    pub fn tell(&mut self, frame: Bytes) {
        if !self.behind {
            self.push(frame);
        }
    }

    /// The screen from its beginning.
    pub fn show(&mut self, screen: &[Bytes]) {
        self.behind = false;
        for frame in screen {
            self.push(frame.clone());
        }
    }

    /// The last word; after it the connection is closed.
    pub fn tell_last(&mut self, frame: Bytes) {
        self.push(frame);
        self.last = true;
    }

    fn push(&mut self, frame: Bytes) {
        if self.queue.is_empty() {
            // It owed nothing until now.
            self.taken = Instant::now();
        }
        self.bytes += frame.len();
        self.queue.push_back(frame);
    }

    /// Until when the program waits for it.
    pub fn holds_back(&self, patience: Duration) -> Option<Instant> {
        // A process of the sandbox has no claim to another's time.
        let patience = if self.slot.is_inside() { Duration::ZERO } else { patience };
        (!self.behind && self.bytes > BACKLOG).then(|| self.taken + patience)
    }

    /// Whether somebody outside the sandbox looks on by it, and waits for what comes.
    pub fn is_waiting(&self) -> bool {
        self.purpose == Purpose::Watch && !self.slot.is_inside()
    }

    /// Whether it misses something.
    pub fn is_behind(&self) -> bool {
        self.behind && self.purpose == Purpose::Watch
    }

    /// Until when it is waited for once everything has been said.
    pub fn is_waited_for(&self, patience: Duration) -> Instant {
        self.taken + patience
    }

    /// Lets go of what it has not taken, but for a frame that it has taken a part of.
    pub fn drop_backlog(&mut self) {
        self.queue.truncate(usize::from(self.at > 0));
        self.bytes = self.queue.front().map_or(0, |front| front.len() - self.at);
        self.behind = true;
    }

    /// Writes what the connection takes; ready when that changed something.
    pub fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Flushed> {
        let Some(out) = &mut self.out else { return Poll::Pending };
        let mut took = false;
        while let Some(front) = self.queue.front() {
            match out.poll_write(context, &front[self.at..]) {
                Poll::Ready(Ok(taken)) => {
                    took = true;
                    self.taken = Instant::now();
                    self.bytes -= taken;
                    self.at += taken;
                    if self.at == front.len() {
                        self.queue.pop_front();
                        self.at = 0;
                    }
                }
                Poll::Ready(Err(_)) => return Poll::Ready(Flushed::Gone),
                Poll::Pending if took => return Poll::Ready(Flushed::Some),
                Poll::Pending => return Poll::Pending,
            }
        }
        if self.last {
            self.out = None;
            return Poll::Ready(Flushed::Some);
        }
        if self.behind {
            return match ready!(out.poll_ready(context)) {
                Ok(()) => Poll::Ready(Flushed::Again),
                Err(_) => Poll::Ready(Flushed::Gone),
            };
        }
        if took { Poll::Ready(Flushed::Some) } else { Poll::Pending }
    }
}

/// A screen as frames: the first says that it begins anew.
pub fn anew(dump: &[u8]) -> Vec<Bytes> {
    let (first, rest) = dump.split_at(dump.len().min(PIECE));
    let first = Told::Anew(first.to_vec()).encode();
    std::iter::once(first).chain(rest.chunks(PIECE).map(|piece| Told::Output(piece.to_vec()).encode())).map(Bytes::from).collect()
}

/// Writes one word to a connection that will get no other.
pub async fn say_and_close(mut out: Writes, told: &Told) -> io::Result<()> {
    out.write_all(&told.encode()).await
}
