//! One stored artifact, proved and open. Its file stays readable however the store changes meanwhile; should the file
//! itself change, reading it fails rather than give a byte that was not proved.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::task::JoinHandle;

use super::ByteStream;
use super::key::Key;
use super::pace::{Active, Pace};
use super::signature::Signature;
use crate::depot::promise::Digest;

/// A stored artifact, to be read as often as is liked.
#[derive(Clone)]
pub struct Blob(Arc<Open>);

/// What is not larger is read in the step that finds it: a second trip to a blocking thread would cost more than the reading.
const SMALL: u64 = 16 * 1024;

struct Open {
    file: Arc<File>,
    /// All of it, where it is small and was asked for.
    content: Option<Bytes>,
    digest: Digest,
    signature: Signature,
    pace: Arc<Pace>,
}

impl Blob {
    pub(super) fn new(file: Arc<File>, key: &Key, signature: Signature, pace: Arc<Pace>) -> Self {
        Self(Arc::new(Open { file, content: None, digest: key.digest(), signature, pace }))
    }

    /// The same, with its content at hand if it is small. Blocks.
    pub(super) fn at_hand(file: Arc<File>, key: &Key, signature: Signature, pace: Arc<Pace>) -> Self {
        let mut open = Open { file, content: None, digest: key.digest(), signature, pace };
        if let Some(length) = usize::try_from(signature.size).ok().filter(|_| signature.size <= SMALL) {
            let mut content = vec![0; length];
            // Where it cannot be read now, the stream will say so.
            open.content = open.read_exact_at(&mut content, 0).is_ok().then(|| content.into());
        }
        Self(Arc::new(open))
    }

    /// Bytes that it has.
    pub fn size(&self) -> u64 {
        self.0.signature.size
    }

    /// Its SHA-256, whatever was promised of it.
    pub fn digest(&self) -> &Digest {
        &self.0.digest
    }

    /// Some of its bytes; what lies beyond its end is left out.
    pub fn stream(&self, range: Range<u64>) -> ByteStream {
        let end = range.end.min(self.size());
        if let Some(content) = &self.0.content {
            let range = usize::try_from(range.start).ok().zip(usize::try_from(end).ok());
            let part = range.filter(|(start, end)| start < end && *end <= content.len()).map(|(start, end)| Ok(content.slice(start..end)));
            return stream::iter(part).boxed();
        }
        let reading = Reading { blob: self.clone(), at: range.start, end, ahead: None, active: self.0.pace.enter() };
        stream::unfold(reading, Reading::next).boxed()
    }

    /// All of its bytes from the beginning, each reader with a place of its own. Blocks.
    pub fn reader(&self) -> io::Result<impl Read + Send + use<>> {
        Ok(Reader { blob: self.clone(), at: 0 })
    }
}

impl Open {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let count = self.file.read_at(buffer, at)?;
        // After the read: a change before it shows now, one after it did no harm to these bytes.
        if !self.signature.holds(&self.file.metadata()?) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a stored file changed while it was read"));
        }
        Ok(count)
    }

    fn read_exact_at(&self, buffer: &mut [u8], at: u64) -> io::Result<()> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.read_at(rest, at.saturating_add(done as u64))? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => done += count,
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({}, {} bytes)", self.0.digest, self.size())
    }
}

struct Reader {
    blob: Blob,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.blob.size().saturating_sub(self.at)).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        let count = self.blob.0.read_at(buffer.get_mut(..length).unwrap_or_default(), self.at)?;
        if count == 0 && length > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at = self.at.saturating_add(count as u64);
        Ok(count)
    }
}

/// A stream's place in a blob.
struct Reading {
    blob: Blob,
    /// What is read next, by a piece that is not yet on its way.
    at: u64,
    end: u64,
    ahead: Option<JoinHandle<io::Result<Bytes>>>,
    active: Active,
}

impl Reading {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        let piece = self.ahead.take().or_else(|| self.read())?;
        let piece = piece.await.map_err(io::Error::other).and_then(|piece| piece);
        if piece.is_err() {
            self.end = self.at;
        } else if self.active.reads_ahead() {
            self.ahead = self.read();
        }
        Some((piece, self))
    }

    /// Sends for the next piece; `None` at the end.
    fn read(&mut self) -> Option<JoinHandle<io::Result<Bytes>>> {
        let left = self.end.checked_sub(self.at).filter(|left| *left > 0)?;
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(self.active.piece());
        let (blob, at, mut buffer) = (self.blob.clone(), self.at, self.active.buffer(length));
        self.at += length as u64;
        Some(tokio::task::spawn_blocking(move || {
            blob.0.read_exact_at(buffer.as_mut(), at)?;
            Ok(buffer.freeze())
        }))
    }
}
