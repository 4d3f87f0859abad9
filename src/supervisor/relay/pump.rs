//! One direction of one connection: bytes from one stream to another, through a buffer that all share.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

/// One read. Larger is not faster: this much stays in the processor's cache between the read and the write. `splice(2)`
/// takes a third of the processor time, but no less time, and two pipes more of a small `nofile`.
const SIZE: usize = 128 << 10;

/// The buffer that every direction of every connection reads into. One thread relays, and what it has read it writes
/// at once, so an idle connection holds no memory; only what a slow peer did not take is kept, [`SIZE`] at most.
pub struct Scratch(Mutex<Box<[u8]>>);

impl Default for Scratch {
    fn default() -> Self {
        Self(Mutex::new(vec![0; SIZE].into_boxed_slice()))
    }
}

/// Counts what a connection moves, either way: how its idleness is told.
#[derive(Default)]
pub struct Moved(AtomicU64);

impl Moved {
    fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Different from before exactly if something moved.
    pub fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Which stream failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The one read from.
    Source,
    /// The one written to.
    Sink,
}

/// Passes everything on, and at its end the end.
pub async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    scratch: &Scratch,
    moved: &Moved,
) -> Result<(), Broken> {
    loop {
        // What was read and not taken at once; `None` at the end.
        let (read, rest) = poll_fn(|context| {
            let mut scratch = scratch.0.lock().unwrap_or_else(PoisonError::into_inner);
            let mut buffer = ReadBuf::new(&mut scratch);
            if ready!(Pin::new(&mut *from).poll_read(context, &mut buffer)).is_err() {
                return Poll::Ready(Err(Broken::Source));
            }
            let bytes = buffer.filled();
            let taken = match Pin::new(&mut *to).poll_write(context, bytes) {
                _ if bytes.is_empty() => 0,
                Poll::Ready(Ok(taken)) => taken,
                Poll::Ready(Err(_)) => return Poll::Ready(Err(Broken::Sink)),
                Poll::Pending => 0,
            };
            Poll::Ready(Ok((bytes.len(), bytes[taken..].to_vec())))
        })
        .await?;
        if read == 0 {
            return to.shutdown().await.map_err(|_| Broken::Sink);
        }
        moved.add();
        if !rest.is_empty() {
            to.write_all(&rest).await.map_err(|_| Broken::Sink)?;
            moved.add();
        }
        if read == SIZE {
            // There is more: let signals, the deadline and the other connections have their turn first.
            tokio::task::yield_now().await;
        }
    }
}

/// Reads to the end and keeps nothing.
pub async fn drain(from: &mut (impl AsyncRead + Unpin), scratch: &Scratch, moved: &Moved) -> Result<(), Broken> {
    pump(from, &mut tokio::io::sink(), scratch, moved).await
}
