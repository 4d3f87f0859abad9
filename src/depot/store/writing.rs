//! What the depot writes itself, rendered straight into a temporary file; and what operators have removed.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;

use jiff::Timestamp;

use super::Freed;
use super::blob::Blob;
use super::core::Core;
use super::room::Room;
use super::temporary::Temporary;
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
