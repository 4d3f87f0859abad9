//! What the depot writes itself, rendered straight into a temporary file; and what operators have removed.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;

use super::blob::Blob;
use super::core::Core;
use super::room::Room;
use super::temporary::Temporary;
use super::{ByteStream, Freed};
use crate::depot::promise::Algorithm;

/// Removed in one go on a blocking thread.
const STEP: u32 = 64;

impl Core {
    pub(super) async fn put<T: Send + 'static>(
        self: &Arc<Self>,
        most: u64,
        write: impl FnOnce(&mut dyn Write) -> io::Result<T> + Send + 'static,
    ) -> io::Result<(Blob, T)> {
        self.blocking(move |core| {
            let room = Room::admit(core, None).map_err(io::Error::other)?;
            let bounded = Bounded { file: Temporary::new(core, room, Algorithm::Sha256)?, most };
            let mut out = BufWriter::with_capacity(64 * 1024, bounded);
            let value = write(&mut out)?;
            let bounded = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            match bounded.file.keep(None)? {
                Ok(blob) => Ok((blob, value)),
                Err(_) => Err(io::Error::other("nothing was promised")),
            }
        })
        .await
    }

    /// Keeps what comes, unproved: in short steps, so that what comes slowly holds no thread. What breaks off, or whose taker
    /// leaves, is not kept.
    pub(super) async fn take_in(self: &Arc<Self>, most: u64, mut body: ByteStream) -> io::Result<Blob> {
        let mut bounded = self
            .blocking(move |core| {
                let room = Room::admit(core, None).map_err(io::Error::other)?;
                Ok(Bounded { file: Temporary::new(core, room, Algorithm::Sha256)?, most })
            })
            .await?;
        let active = self.pace.enter();
        loop {
            let (pieces, is_over) = gather(&mut body, active.piece()).await?;
            bounded = self
                .blocking(move |_| {
                    pieces.iter().try_for_each(|piece| bounded.write_all(piece))?;
                    Ok(bounded)
                })
                .await?;
            if is_over {
                break;
            }
        }
        let kept = self.blocking(move |_| bounded.file.keep(None)).await?;
        kept.map_err(|_| io::Error::other("nothing was promised"))
    }

    pub(super) async fn prune(self: &Arc<Self>, keep: Option<u64>, unused_since: Option<Timestamp>) -> io::Result<Freed> {
        let since = unused_since.map_or(0, |since| u64::try_from(since.as_millisecond()).unwrap_or(0));
        let keep = keep.unwrap_or(u64::MAX);
        let mut all = Freed::default();
        loop {
            let freed = self
                .blocking(move |core| {
                    let enough = |stock: &super::stock::Stock| stock.bytes <= keep && stock.oldest().is_none_or(|used| used >= since);
                    let mut freed = Freed::default();
                    for _ in 0..STEP {
                        let Some(one) = core.remove_oldest_unless(enough) else { break };
                        freed = Freed { blobs: freed.blobs + one.blobs, bytes: freed.bytes + one.bytes };
                    }
                    Ok(freed)
                })
                .await?;
            if freed.blobs == 0 {
                break;
            }
            all = Freed { blobs: all.blobs + freed.blobs, bytes: all.bytes.saturating_add(freed.bytes) };
        }
        if all.blobs > 0 {
            self.sweep().await?;
        }
        Ok(all)
    }
}

/// Waits for a piece, and takes what else is there already into the same step. Whether that was all.
async fn gather(body: &mut ByteStream, step: usize) -> io::Result<(Vec<Bytes>, bool)> {
    let (mut pieces, mut length) = (Vec::new(), 0);
    while length < step {
        let next = if pieces.is_empty() { Some(body.next().await) } else { body.next().now_or_never() };
        match next {
            None => break,
            Some(None) => return Ok((pieces, true)),
            Some(Some(piece)) => {
                let piece = piece?;
                length += piece.len();
                pieces.push(piece);
            }
        }
    }
    Ok((pieces, false))
}

/// Takes so many bytes and no more.
struct Bounded {
    file: Temporary,
    most: u64,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.written().saturating_add(bytes.len() as u64) > self.most {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {} bytes", self.most)));
        }
        self.file.write(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
