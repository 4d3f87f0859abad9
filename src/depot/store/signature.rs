//! What a file's inode said when its content was proved. A change of content changes it, so a stat per request tells
//! whether the proof still holds. It cannot see a medium that rots in silence while the depot runs: every blob is
//! proved anew after each start, and on demand.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// Inode, size, and the times of the last change of content and of inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) inode: u64,
    pub(super) size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Signature {
    pub(super) fn of(data: &Metadata) -> Self {
        Self {
            inode: data.ino(),
            size: data.size(),
            modified: (data.mtime(), data.mtime_nsec()),
            changed: (data.ctime(), data.ctime_nsec()),
        }
    }

    /// Whether an open file is still what it was. Losing its name changes an inode's time too, and with it gone nobody else
    /// can open the file: an evicted blob is judged by its content's time alone.
    pub(super) fn holds(&self, data: &Metadata) -> bool {
        let now = Self::of(data);
        let changed = if data.nlink() == 0 { self.changed } else { now.changed };
        Self { changed, ..now } == *self
    }
}
