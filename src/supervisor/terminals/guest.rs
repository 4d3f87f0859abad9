//! A connection from its beginning: who it is, what it wants, and what it types.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::line::{Begun, Reads, Writes};
use super::order::Order;
use super::peer::Peer;
use crate::supervisor::life::{Life, Visit};
use crate::terminal::wire::{Frames, Garbled, Say, Told, Want};

/// Read at once.
const READ: usize = 16 << 10;
/// Typed and not taken by the program, of one connection; more waits at the other end.
const TYPED: usize = 256 << 10;

/// For a word to be taken.
const SAYING: Duration = Duration::from_secs(2);

/// A connection's place among those that there can be: free again when all that was its is gone.
pub struct Slot {
    peer: Peer,
    places: Vec<OwnedSemaphorePermit>,
    /// Who comes by no exec is seen to use the session by this, until they leave.
    visit: Mutex<Option<Visit>>,
}

impl Slot {
    /// With what it takes of the bounds.
    pub fn new(peer: Peer, places: Vec<OwnedSemaphorePermit>, life: &Life) -> Self {
        let visit = (peer == Peer::Outside).then(|| life.visit());
        Self { peer, places, visit: Mutex::new(visit) }
    }

    /// Its other end is gone; what it typed may still have its place.
    fn left(&self) {
        self.visit.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Who has it.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Takes one more of the bounds.
    pub fn add(&mut self, place: OwnedSemaphorePermit) {
        self.places.push(place);
    }

    /// Whether a process of the sandbox has it.
    pub fn is_inside(&self) -> bool {
        self.peer == Peer::Inside
    }
}

/// A connection that has said what it wants, or nothing yet.
pub struct Guest {
    pub slot: Arc<Slot>,
    pub reads: Reads,
    pub writes: Writes,
    frames: Frames,
}

impl Guest {
    /// One that has just connected.
    pub fn new(begun: Begun, slot: Slot) -> Self {
        let Begun { reads, writes, first } = begun;
        let mut frames = Frames::default();
        frames.push(&first);
        Self { slot: Arc::new(slot), reads, writes, frames }
    }

    /// Its first word; `None` where it goes, or says nothing in time.
    pub async fn want(&mut self, patience: Duration) -> Option<Result<Want, Garbled>> {
        let read = async {
            loop {
                match self.frames.say() {
                    Ok(Some(Say::Want(want))) => return Some(Ok(want)),
                    Ok(Some(_)) => return Some(Err(Garbled("the first must say what is wanted"))),
                    Err(garbled) => return Some(Err(garbled)),
                    Ok(None) => {}
                }
                if !take(&self.reads, &mut self.frames).await {
                    return None;
                }
            }
        };
        tokio::time::timeout(patience, read).await.ok().flatten()
    }

    /// One word to it, which it has to take soon.
    pub async fn say(&mut self, told: &Told) -> io::Result<()> {
        let told = told.encode();
        let said = tokio::time::timeout(SAYING, self.writes.write_all(&told)).await;
        said.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
    }

    /// Splits into what a terminal writes to, and what reads for it.
    pub fn attach(self, number: u64, orders: mpsc::Sender<Order>, keys: mpsc::Sender<Vec<u8>>) -> (Arc<Slot>, Writes) {
        let listener = Listener { number, reads: self.reads, frames: self.frames, orders, keys, slot: Arc::clone(&self.slot) };
        tokio::spawn(listener.listen());
        (self.slot, self.writes)
    }
}

/// Reads what a client types.
struct Listener {
    number: u64,
    reads: Reads,
    frames: Frames,
    orders: mpsc::Sender<Order>,
    keys: mpsc::Sender<Vec<u8>>,
    slot: Arc<Slot>,
}

impl Listener {
    async fn listen(mut self) {
        let mut typed = Vec::new();
        // Its first words may have come together.
        let mut is_there = self.heard(&mut typed).await;
        if !is_there {
            self.left().await;
        }
        // What was typed before it left is typed all the same.
        while is_there || !typed.is_empty() {
            let came = tokio::select! {
                permit = self.keys.reserve(), if !typed.is_empty() => match permit {
                    Ok(permit) => {
                        permit.send(std::mem::take(&mut typed));
                        continue;
                    }
                    // The terminal is gone.
                    Err(_) => return,
                },
                came = take(&self.reads, &mut self.frames), if is_there && typed.len() < TYPED => came,
                () = self.reads.gone(), if is_there && typed.len() >= TYPED => false,
            };
            is_there = came && self.heard(&mut typed).await;
            if !is_there {
                self.left().await;
            }
        }
    }

    async fn left(&self) {
        self.slot.left();
        let _ = self.orders.send(Order::Left(self.number)).await;
    }

    /// Whether there may be more: what is no frame ends a connection.
    async fn heard(&mut self, typed: &mut Vec<u8>) -> bool {
        loop {
            match self.frames.say() {
                Ok(Some(Say::Input(bytes))) => typed.extend_from_slice(&bytes),
                Ok(Some(Say::Resize(size))) => {
                    if self.orders.send(Order::Resize(self.number, size)).await.is_err() {
                        return false;
                    }
                }
                Ok(Some(Say::Want(_))) | Err(_) => return false,
                Ok(None) => return true,
            }
        }
    }
}

/// Whether something came. The buffer is nobody's while nothing comes.
async fn take(reads: &Reads, frames: &mut Frames) -> bool {
    loop {
        let Ok(is_last) = reads.ready().await else { return false };
        let mut buffer = [0; READ];
        match reads.try_read(&mut buffer) {
            Ok(0) => return false,
            Ok(read) => {
                frames.push(&buffer[..read]);
                return true;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock && !is_last => {}
            Err(_) => return false,
        }
    }
}
