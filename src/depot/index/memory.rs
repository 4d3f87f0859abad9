use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::entry::Entry;
use crate::depot::promise::{Catalogue, Digest};

/// Files in all catalogues that are held: about 400 bytes each.
const FILES: usize = 24_000;
/// Entries and pages that are remembered; each costs a few hundred bytes.
const REMEMBERED: usize = 2_000;

/// What need not be read from disk again. Everything in it can be found again there.
#[derive(Default)]
pub struct Memory(Mutex<Held>);

#[derive(Default)]
struct Held {
    turn: u64,
    entries: HashMap<String, Arc<Entry>>,
    catalogues: HashMap<Digest, (Arc<Catalogue>, u64)>,
    pages: HashMap<String, Digest>,
}

impl Memory {
    /// The entry by its key.
    pub fn entry(&self, key: &str) -> Option<Arc<Entry>> {
        self.held().entries.get(key).cloned()
    }

    /// Remembers an entry.
    pub fn keep_entry(&self, key: &str, entry: &Arc<Entry>) {
        let mut held = self.held();
        if held.entries.len() >= REMEMBERED && !held.entries.contains_key(key) {
            held.entries.clear();
        }
        held.entries.insert(key.to_owned(), Arc::clone(entry));
    }

    /// Forgets an entry.
    pub fn forget(&self, key: &str) {
        self.held().entries.remove(key);
    }

    /// Forgets everything.
    pub fn forget_all(&self) {
        *self.held() = Held::default();
    }

    /// The catalogue by its digest.
    pub fn catalogue(&self, digest: &Digest) -> Option<Arc<Catalogue>> {
        let mut held = self.held();
        held.turn += 1;
        let turn = held.turn;
        let (catalogue, used) = held.catalogues.get_mut(digest)?;
        *used = turn;
        Some(Arc::clone(catalogue))
    }

    /// Remembers a catalogue, and lets those go that were not used for longest.
    pub fn keep_catalogue(&self, digest: &Digest, catalogue: &Arc<Catalogue>) {
        let mut held = self.held();
        held.turn += 1;
        let turn = held.turn;
        held.catalogues.insert(digest.clone(), (Arc::clone(catalogue), turn));
        let mut files: usize = held.catalogues.values().map(|(catalogue, _)| catalogue.files.len()).sum();
        while files > FILES && held.catalogues.len() > 1 {
            let Some(oldest) = held.catalogues.iter().min_by_key(|(_, (_, used))| *used).map(|(digest, _)| digest.clone()) else { return };
            files -= held.catalogues.remove(&oldest).map_or(0, |(catalogue, _)| catalogue.files.len());
        }
    }

    /// The digest of a page that was written.
    pub fn page(&self, key: &str) -> Option<Digest> {
        self.held().pages.get(key).cloned()
    }

    /// Remembers a page that was written.
    pub fn keep_page(&self, key: &str, digest: &Digest) {
        let mut held = self.held();
        if held.pages.len() >= REMEMBERED {
            held.pages.clear();
        }
        held.pages.insert(key.to_owned(), digest.clone());
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::depot::promise::{Algorithm, Promise};

    fn catalogue(files: usize) -> Arc<Catalogue> {
        let promise = Promise { version: String::new(), url: String::new(), digest: None, size: None, published: None };
        Arc::new(Catalogue { files: (0..files).map(|at| (at.to_string(), promise.clone())).collect() })
    }

    #[test]
    fn catalogues_are_bounded_by_their_files_and_the_least_used_goes_first() {
        let memory = Memory::default();
        let digest = |byte: u8| Digest::new(Algorithm::Sha256, [byte; 32]).unwrap();
        memory.keep_catalogue(&digest(1), &catalogue(FILES / 2));
        memory.keep_catalogue(&digest(2), &catalogue(FILES / 2));
        assert!(memory.catalogue(&digest(1)).is_some());
        memory.keep_catalogue(&digest(3), &catalogue(FILES / 2));
        assert!(memory.catalogue(&digest(2)).is_none() && memory.catalogue(&digest(1)).is_some());
        memory.keep_catalogue(&digest(4), &catalogue(FILES * 2));
        assert!(memory.catalogue(&digest(4)).is_some(), "one is always held, however large");
    }
}
