//! The store: what registries promised and sent, named by its SHA-256, on a volume that the depot alone mounts.
//!
//! Nothing is given out that was not compared with what was promised of it: while it comes in, when it is first asked
//! for after a start, and when its file has changed since. Its size is bounded by removing what was used least recently.
//! Knows digests and bytes; nothing of registries, projects or sessions.

mod alias;
mod audit;
mod blob;
mod check;
mod core;
mod flight;
mod key;
mod pace;
mod places;
mod pump;
mod room;
mod scan;
mod signature;
mod stock;
mod sums;
mod sweep;
mod temporary;
#[cfg(test)]
mod tests;
mod usage;
mod writing;

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;

use self::core::{Core, lock};
use crate::depot::ledger::StoreFacts;
use crate::depot::promise::Digest;

pub use blob::Blob;
pub use flight::Transfer;

/// Bytes of an artifact that are given out only when all of it is proved. What is not larger is proved before its first byte is given.
pub const HOLD_BACK: u64 = 256 * 1024;

/// Bytes in pieces, as they come.
pub type ByteStream = BoxStream<'static, io::Result<Bytes>>;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most bytes that the whole store takes, temporary files included.
    pub size: u64,
    /// Most bytes of one artifact.
    pub artifact_size: u64,
}

/// What a promise leads to.
#[derive(Debug, Clone)]
pub enum Found {
    /// All of it, proved.
    Whole(Blob),
    /// Not there.
    Missing,
    /// It was there and is not what was promised: removed, counted, to be fetched again.
    Damaged,
}

/// What comes from upstream.
pub struct Incoming {
    /// `Content-Length`.
    pub size: Option<u64>,
    /// The body.
    pub body: ByteStream,
}

/// Why a fetch failed. Nothing of it was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Upstream did not answer, or not with the artifact.
    #[error("{reason}")]
    Upstream {
        /// Whether it could not be reached at all.
        away: bool,
        /// One sentence.
        reason: String,
    },
    /// It is not what was promised.
    #[error("{expected} was promised, and what came is {got}")]
    Mismatch {
        /// By the index.
        expected: Digest,
        /// Of what came.
        got: Digest,
    },
    /// It is larger than what is kept.
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// Most bytes.
        limit: u64,
    },
    /// Upstream has or sends another number of bytes than was promised.
    #[error("{expected} bytes were promised, and {got} came or were announced")]
    WrongSize {
        /// By the index, or by upstream itself.
        expected: u64,
        /// Announced, or received before the fetch was given up.
        got: u64,
    },
    /// It ended too soon.
    #[error("it ended after {got} bytes{}{}", .expected.map_or_else(String::new, |expected| format!(" of {expected}")), separated(.reason))]
    CutShort {
        /// Where it was known.
        expected: Option<u64>,
        /// Received.
        got: u64,
        /// How the connection ended; empty where it ended in order.
        reason: String,
    },
    /// The store itself cannot take it.
    #[error("the store cannot take it: {0}")]
    Store(String),
}

fn separated(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

/// What [`Store::verify`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Blobs that are what their names say.
    pub blobs: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// What was removed because it is not what its name says.
    pub damaged: Vec<Digest>,
}

/// What [`Store::prune`] removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Freed {
    /// Blobs.
    pub blobs: u64,
    /// Bytes of these.
    pub bytes: u64,
}

/// A store on the disk. Every clone is the same one; at most one process may have it open.
#[derive(Clone)]
pub struct Store(Arc<Core>);

impl Store {
    /// Opens the store below `root`, or makes it. Temporary files, and whatever else has no business in its folders, are removed. Blocks.
    pub fn open(root: &Path, limits: Limits) -> io::Result<Self> {
        Core::open(root, limits).map(|core| Self(Arc::new(core)))
    }

    /// The artifact of which that was promised, by any algorithm.
    pub async fn get(&self, digest: &Digest) -> io::Result<Found> {
        self.0.get(digest).await
    }

    /// Keeps what `write` writes, `most` bytes at most: what the depot makes itself. It is written on a blocking thread.
    pub async fn put<T: Send + 'static>(
        &self,
        most: u64,
        write: impl FnOnce(&mut dyn Write) -> io::Result<T> + Send + 'static,
    ) -> io::Result<(Blob, T)> {
        self.0.put(most, write).await
    }

    /// Keeps what comes, `most` bytes at most, once it has ended in order: documents of which nothing was promised.
    pub async fn take_in(&self, most: u64, body: ByteStream) -> io::Result<Blob> {
        self.0.take_in(most, body).await
    }

    /// Begins to fetch what was promised, or joins the fetch of it that is under way; then `held` and `start` are dropped at once. Otherwise
    /// `start` runs in a task of its own, which goes on whoever leaves, and `held` is dropped when that has ended. A fetch that failed is
    /// forgotten: the next request tries again.
    pub fn fetch<F>(&self, digest: &Digest, size: Option<u64>, held: Box<dyn std::any::Any + Send>, start: F) -> Transfer
    where
        F: Future<Output = Result<Incoming, FetchError>> + Send + 'static,
    {
        self.0.fetch(digest, size, held, start)
    }

    /// The store in figures.
    pub fn facts(&self) -> StoreFacts {
        let stock = lock(&self.0.stock);
        StoreFacts {
            bytes: stock.taken(),
            capacity: self.0.limits.size,
            blobs: stock.len() as u64,
            evicted: stock.evicted,
            damaged: stock.damaged,
        }
    }

    /// Reads every blob and compares it with its name and with what was promised of it; what is damaged is removed.
    /// `progress` is told bytes done and bytes in all.
    pub async fn verify(&self, progress: impl FnMut(u64, u64) + Send + 'static) -> io::Result<Verified> {
        self.0.verify(progress).await
    }

    /// Removes the least recently used until at most `keep` bytes stay, and what was not used since `unused_since`.
    pub async fn prune(&self, keep: Option<u64>, unused_since: Option<Timestamp>) -> io::Result<Freed> {
        self.0.prune(keep, unused_since).await
    }

    /// Writes down when each blob was last used, as an orderly end does; meanwhile that happens once a minute.
    pub async fn save(&self) -> io::Result<()> {
        self.0.blocking(|core| core.save_usage()).await
    }
}
