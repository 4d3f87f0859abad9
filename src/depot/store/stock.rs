//! What is in the store, in memory: sizes, when each blob was last used, what was proved of it, and what is being
//! written. Touches no file; every call is short, so a plain lock around it will do.

use std::collections::{BTreeSet, HashMap};

use super::key::Key;
use super::signature::Signature;
use crate::depot::promise::Digest;

/// Everything that is kept.
#[derive(Default)]
pub(super) struct Stock {
    blobs: HashMap<Key, Entry>,
    /// By last use, oldest first.
    order: BTreeSet<(u64, Key)>,
    /// Of blobs.
    pub(super) bytes: u64,
    /// Of temporary files, as far as they are written.
    pub(super) temporary: u64,
    /// Of temporary files, when they will be whole.
    pub(super) admitted: u64,
    /// Alias files.
    pub(super) aliases: usize,
    /// Blobs that had to make room.
    pub(super) evicted: u64,
    /// Blobs and aliases that were not what their name says.
    pub(super) damaged: u64,
}

struct Entry {
    size: u64,
    used: u64,
    /// Boxed, because most blobs of a large store are not asked for in one run.
    proof: Option<Box<Proof>>,
}

/// What was proved of a blob since the store was opened.
#[derive(Clone)]
pub(super) struct Proof {
    /// Of the file that was read.
    pub(super) signature: Signature,
    /// Digests by other algorithms; a content has one by each.
    pub(super) also: Vec<Digest>,
}

/// A blob that is to be removed from the disk.
pub(super) struct Victim {
    pub(super) key: Key,
    pub(super) size: u64,
    /// Aliases known to lead to it.
    pub(super) aliases: Vec<Digest>,
}

impl Stock {
    pub(super) fn len(&self) -> usize {
        self.blobs.len()
    }

    pub(super) fn size(&self, key: &Key) -> Option<u64> {
        self.blobs.get(key).map(|entry| entry.size)
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        self.blobs.keys().copied().collect()
    }

    /// Everything with its last use, oldest first.
    pub(super) fn usage(&self) -> impl Iterator<Item = (Key, u64)> {
        self.order.iter().map(|(used, key)| (*key, *used))
    }

    /// Last use of the blob that is next to go.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.order.first().map(|(used, _)| *used)
    }

    /// Bytes that blobs and temporary files take together.
    pub(super) const fn taken(&self) -> u64 {
        self.bytes.saturating_add(self.temporary)
    }

    pub(super) fn insert(&mut self, key: Key, size: u64, used: u64, proof: Option<Proof>) {
        // The same content again: what else was proved of it stays true.
        let known = self.remove(&key).map(|victim| victim.aliases).unwrap_or_default();
        let mut proof = proof.map(Box::new);
        if let Some(proof) = &mut proof {
            let news: Vec<Digest> = known.into_iter().filter(|digest| !proof.also.contains(digest)).collect();
            proof.also.extend(news);
        }
        self.order.insert((used, key));
        self.bytes = self.bytes.saturating_add(size);
        self.blobs.insert(key, Entry { size, used, proof });
    }

    /// A time for what is used now: later than every other, whatever the clock does.
    pub(super) fn tick(&self, now: u64) -> u64 {
        self.order.last().map_or(now, |(last, _)| now.max(last.saturating_add(1)))
    }

    pub(super) fn touch(&mut self, key: &Key, now: u64) {
        let used = self.tick(now);
        self.set_used(key, used);
    }

    /// Sets the last use as it was kept on the disk.
    pub(super) fn set_used(&mut self, key: &Key, used: u64) {
        if let Some(entry) = self.blobs.get_mut(key) {
            self.order.remove(&(entry.used, *key));
            entry.used = used;
            self.order.insert((used, *key));
        }
    }

    /// Whether a file with that signature is known to have that digest, besides its name.
    pub(super) fn is_proved(&self, key: &Key, signature: &Signature, digest: &Digest) -> bool {
        let proof = self.blobs.get(key).and_then(|entry| entry.proof.as_deref());
        proof.is_some_and(|proof| proof.signature == *signature && (Key::of(digest) == Some(*key) || proof.also.contains(digest)))
    }

    pub(super) fn prove(&mut self, key: &Key, signature: Signature, digest: &Digest) {
        let Some(entry) = self.blobs.get_mut(key) else { return };
        let proof = entry.proof.get_or_insert_with(|| Box::new(Proof { signature, also: Vec::new() }));
        proof.signature = signature;
        if Key::of(digest).is_none() && !proof.also.contains(digest) {
            proof.also.push(digest.clone());
        }
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Victim> {
        let entry = self.blobs.remove(key)?;
        self.order.remove(&(entry.used, *key));
        self.bytes = self.bytes.saturating_sub(entry.size);
        Some(Victim { key: *key, size: entry.size, aliases: entry.proof.map(|proof| proof.also).unwrap_or_default() })
    }

    /// The least recently used.
    pub(super) fn remove_oldest(&mut self) -> Option<Victim> {
        let (_, key) = *self.order.first()?;
        self.remove(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key {
        Key::new([byte; 32])
    }

    #[test]
    fn the_least_recently_used_goes_first_even_when_the_clock_goes_back() {
        let mut stock = Stock::default();
        for (byte, used) in [(1, 100), (2, 100), (3, 50)] {
            stock.insert(key(byte), 10, used, None);
        }
        stock.touch(&key(3), 7);
        stock.touch(&key(1), 8);
        let order: Vec<Key> = std::iter::from_fn(|| stock.remove_oldest()).map(|victim| victim.key).collect();
        assert_eq!(order, [key(2), key(3), key(1)]);
        assert_eq!((stock.bytes, stock.len()), (0, 0));
    }

    #[test]
    fn the_same_content_again_counts_once() {
        let mut stock = Stock::default();
        stock.insert(key(1), 10, 1, None);
        stock.insert(key(1), 10, 2, None);
        assert_eq!((stock.bytes, stock.len(), stock.usage().count()), (10, 1, 1));
    }
}
