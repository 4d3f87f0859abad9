//! A file that is not yet a blob: hashed as it is written, and given its name only when it is whole and right. Everything
//! here blocks.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::Arc;

use super::alias::Alias;
use super::blob::Blob;
use super::core::{Core, lock};
use super::key::Key;
use super::places;
use super::room::{MOST_BLOBS, Room};
use super::signature::Signature;
use super::stock::Proof;
use super::sums::Sums;
use crate::depot::promise::{Algorithm, Digest};

/// Removed when it is dropped, unless it was kept.
pub(super) struct Temporary {
    core: Arc<Core>,
    path: PathBuf,
    file: Arc<File>,
    sums: Sums,
    room: Room,
    is_kept: bool,
}

impl Temporary {
    /// For content that is promised by an algorithm.
    pub(super) fn new(core: &Arc<Core>, room: Room, promised: Algorithm) -> io::Result<Self> {
        let (path, file) = core.with_room(0, || core.places.temporary())?;
        Ok(Self { core: Arc::clone(core), path, file: Arc::new(file), sums: Sums::new(promised), room, is_kept: false })
    }

    /// The file, for readers that follow.
    pub(super) const fn file(&self) -> &Arc<File> {
        &self.file
    }

    pub(super) const fn written(&self) -> u64 {
        self.room.written()
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (at, length) = (self.written(), bytes.len() as u64);
        self.room.grow(length)?;
        self.sums.update(bytes);
        let file = &self.file;
        self.core.with_room(length, || file.write_all_at(bytes, at))
    }

    /// What was written: its name, and its digest by the promised algorithm.
    fn finish(&mut self) -> (Key, Digest) {
        std::mem::replace(&mut self.sums, Sums::new(Algorithm::Sha256)).finish()
    }

    /// Makes it a blob if its digest is the promised one; gives the other digest back if not. No flush to the medium:
    /// a killed process loses nothing by that, and what a power cut leaves is proved or removed before it is served.
    pub(super) fn keep(mut self, promised: Option<&Digest>) -> io::Result<Result<Blob, Digest>> {
        let (key, digest) = self.finish();
        if promised.is_some_and(|promised| *promised != digest) {
            return Ok(Err(digest));
        }
        self.file.set_permissions(Permissions::from_mode(0o400))?;
        let core = Arc::clone(&self.core);
        let also = if Key::of(&digest).is_some() { Vec::new() } else { vec![digest] };
        let blob = core.with_room(0, || self.name(&key, &also))?;
        core.evict(|stock| stock.len() <= MOST_BLOBS);
        for digest in &also {
            let alias = Alias { key, size: blob.size() };
            // Without its alias the blob is only fetched again.
            let _ = core.with_room(0, || core.add_alias(&alias, digest));
        }
        Ok(Ok(blob))
    }

    fn name(&mut self, key: &Key, also: &[Digest]) -> io::Result<Blob> {
        let core = Arc::clone(&self.core);
        let _names = lock(&core.names);
        places::rename(&self.path, &core.places.blob(key))?;
        self.is_kept = true;
        // After the rename, which changes it.
        let signature = Signature::of(&self.file.metadata()?);
        let mut stock = lock(&core.stock);
        self.room.settle(&mut stock);
        let used = stock.tick(core.now());
        stock.insert(*key, signature.size, used, Some(Proof { signature, also: also.to_vec() }));
        drop(stock);
        Ok(Blob::new(Arc::clone(&self.file), key, signature, Arc::clone(&core.pace)))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_kept {
            places::remove(&self.path);
        }
    }
}
