//! How much memory streams take: large pieces while they are few, for throughput, small ones when they are many, so
//! that all of them together stay within a few megabytes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Fewer streams than this read large pieces, and one piece ahead.
const FEW: usize = 16;
/// Fewer than this read middling ones: 128 x 64 KiB are 8 MiB.
const MANY: usize = 128;
const LARGE: usize = 256 * 1024;
const MIDDLING: usize = 64 * 1024;
const SMALL: usize = 16 * 1024;
/// Large buffers kept for the next read: taking fresh pages from the kernel costs more than reading into them.
const SPARE: usize = 8;

/// Shared by all streams of a store.
#[derive(Default)]
pub(super) struct Pace {
    active: AtomicUsize,
    spare: Mutex<Vec<Vec<u8>>>,
}

/// One stream, as long as it lives.
pub(super) struct Active(Arc<Pace>);

impl Pace {
    pub(super) fn enter(self: &Arc<Self>) -> Active {
        self.active.fetch_add(1, Ordering::Relaxed);
        Active(Arc::clone(self))
    }

    fn take(&self, length: usize) -> Vec<u8> {
        let kept = if length == LARGE { self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop() } else { None };
        kept.unwrap_or_else(|| vec![0; length])
    }
}

impl Active {
    /// Most bytes of the next piece.
    pub(super) fn piece(&self) -> usize {
        match self.0.active.load(Ordering::Relaxed) {
            ..FEW => LARGE,
            FEW..MANY => MIDDLING,
            MANY.. => SMALL,
        }
    }

    pub(super) fn reads_ahead(&self) -> bool {
        self.piece() == LARGE
    }

    /// A buffer of a piece's length.
    pub(super) fn buffer(&self, length: usize) -> Buffer {
        Buffer { bytes: self.0.take(length), pace: Arc::clone(&self.0) }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Memory that is used again when the last part of it was sent.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    pace: Arc<Pace>,
}

impl Buffer {
    pub(super) fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    pub(super) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.bytes.len() == LARGE {
            let mut spare = self.pace.spare.lock().unwrap_or_else(PoisonError::into_inner);
            if spare.len() < SPARE {
                spare.push(std::mem::take(&mut self.bytes));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_streams_take_small_pieces_and_buffers_are_used_again() {
        let pace = Arc::new(Pace::default());
        let first = pace.enter();
        assert_eq!((first.piece(), first.reads_ahead()), (LARGE, true));
        let some: Vec<Active> = (0..15).map(|_| pace.enter()).collect();
        assert_eq!((first.piece(), first.reads_ahead()), (MIDDLING, false));
        let more: Vec<Active> = (0..200).map(|_| pace.enter()).collect();
        assert_eq!(first.piece(), SMALL);
        drop((some, more));
        assert_eq!(first.piece(), LARGE);

        let sent = first.buffer(LARGE).freeze();
        let part = sent.slice(..10);
        drop(sent);
        assert!(pace.spare.lock().unwrap().is_empty(), "a part of it is still to be sent");
        drop(part);
        assert_eq!(pace.spare.lock().unwrap().len(), 1);
        let again = first.buffer(LARGE);
        assert_eq!((again.as_ref().len(), pace.spare.lock().unwrap().len()), (LARGE, 0));
    }
}
