//! Room on the disk: what may be begun, what is being written, and what has to go for it, least recently used first.

use std::io;
use std::sync::Arc;

use super::core::{Core, lock};
use super::places;
use super::stock::{Stock, Victim};
use super::{FetchError, Freed};

/// More blobs than this are not kept: each takes some memory too, and small ones would fill a disk's inodes.
pub(super) const MOST_BLOBS: usize = 100_000;
/// What is freed at the least when the disk is full although the store is not: others write to it as well.
const FULL: u64 = 16 * 1024 * 1024;

const TOO_MUCH: &str = "the store is too small for all that is being fetched at once";

/// Part of the store's size, set aside for one temporary file until it is kept or given up.
pub(super) struct Room {
    core: Arc<Core>,
    admitted: u64,
    written: u64,
}

impl Room {
    /// For a file of that size; an unknown one is admitted as it grows. Everything under way must fit in the store at once.
    pub(super) fn admit(core: &Arc<Core>, size: Option<u64>) -> Result<Self, FetchError> {
        let mut room = Self { core: Arc::clone(core), admitted: 0, written: 0 };
        let admitted = room.raise(size.unwrap_or(0));
        admitted.then_some(room).ok_or_else(|| FetchError::Store(TOO_MUCH.to_owned()))
    }

    fn raise(&mut self, by: u64) -> bool {
        let mut stock = lock(&self.core.stock);
        let fits = stock.admitted.checked_add(by).is_some_and(|all| all <= self.core.limits.size);
        if fits {
            stock.admitted += by;
            self.admitted += by;
        }
        fits
    }

    /// Before more is written: evicts what is in the way. Blocks.
    pub(super) fn grow(&mut self, by: u64) -> io::Result<()> {
        let beyond = self.written.saturating_add(by).saturating_sub(self.admitted);
        if beyond > 0 && !self.raise(beyond) {
            return Err(io::Error::new(io::ErrorKind::StorageFull, TOO_MUCH));
        }
        {
            let mut stock = lock(&self.core.stock);
            stock.temporary = stock.temporary.saturating_add(by);
            self.written += by;
        }
        let size = self.core.limits.size;
        self.core.evict(|stock| stock.taken() <= size);
        Ok(())
    }

    /// Bytes that were written.
    pub(super) const fn written(&self) -> u64 {
        self.written
    }

    /// In the same breath in which the file becomes a blob, so that its bytes never count twice.
    pub(super) fn settle(&mut self, stock: &mut Stock) {
        stock.temporary = stock.temporary.saturating_sub(self.written);
        stock.admitted = stock.admitted.saturating_sub(self.admitted);
        (self.written, self.admitted) = (0, 0);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let core = Arc::clone(&self.core);
        self.settle(&mut lock(&core.stock));
    }
}

impl Core {
    /// Removes the least recently used until enough are gone. Blocks.
    pub(super) fn evict(&self, enough: impl Fn(&Stock) -> bool) {
        while let Some(_freed) = self.remove_oldest_unless(&enough) {
            lock(&self.stock).evicted += 1;
        }
    }

    /// One step of an eviction: what it freed, or `None` when enough are gone or nothing is left.
    pub(super) fn remove_oldest_unless(&self, enough: impl Fn(&Stock) -> bool) -> Option<Freed> {
        // Asked before, so that nobody waits for the names who needs no room.
        if enough(&lock(&self.stock)) {
            return None;
        }
        // Nothing is given a name while names are taken away: a blob that was just kept anew would go with the old one.
        let _names = lock(&self.names);
        let victim = {
            let mut stock = lock(&self.stock);
            if enough(&stock) { None } else { stock.remove_oldest() }
        }?;
        self.unlink(&victim);
        Some(Freed { blobs: 1, bytes: victim.size })
    }

    /// Takes a blob that is out of stock from the disk; `names` is held.
    pub(super) fn unlink(&self, victim: &Victim) {
        places::remove(&self.places.blob(&victim.key));
        let removed = victim.aliases.iter().filter(|alias| places::remove(&self.places.alias(alias))).count();
        let mut stock = lock(&self.stock);
        stock.aliases = stock.aliases.saturating_sub(removed);
    }

    /// Does what needs room on the disk; where that is full, evicts and tries once more. Blocks.
    pub(super) fn with_room<T>(&self, needed: u64, mut action: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        match action() {
            Err(error) if is_full(&error) => {
                let goal = lock(&self.stock).bytes.saturating_sub(needed.max(FULL));
                self.evict(|stock| stock.bytes <= goal);
                action()
            }
            done => done,
        }
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
