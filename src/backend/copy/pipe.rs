//! Between a stream of chunks and a thread that reads or writes: a short queue, so that neither side runs ahead.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::rc::Rc;

use bytes::{Buf, Bytes as Chunk, BytesMut};
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;

use crate::backend::engine::ByteStream;

/// Size of a piece that is sent.
const PIECE: usize = 64 * 1024;

/// The receiving end as a stream for the engine.
pub(super) fn stream(receiver: mpsc::Receiver<io::Result<Chunk>>) -> ByteStream {
    stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|chunk| (chunk, receiver)) }).boxed()
}

/// A stream of chunks as a blocking reader.
pub(super) struct ChunkReader {
    receiver: mpsc::Receiver<io::Result<Chunk>>,
    current: Chunk,
}

impl ChunkReader {
    pub(super) fn new(receiver: mpsc::Receiver<io::Result<Chunk>>) -> Self {
        Self { receiver, current: Chunk::new() }
    }
}

impl Read for ChunkReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                None => return Ok(0),
                Some(chunk) => self.current = chunk?,
            }
        }
        let count = self.current.len().min(into.len());
        self.current.copy_to_slice(into.get_mut(..count).unwrap_or_default());
        Ok(count)
    }
}

/// A reader that gives no more than it is allowed to at the moment: an archive's headers are read into memory by
/// their own account of their length.
pub(super) struct Rationed<R> {
    inner: R,
    ration: Rc<Ration>,
}

/// What a [`Rationed`] may give.
#[derive(Default)]
pub(super) struct Ration {
    left: Cell<u64>,
    dry: Cell<bool>,
}

impl Ration {
    pub(super) fn allow(&self, bytes: u64) {
        self.left.set(bytes);
    }

    /// Whether more was wanted than there is.
    pub(super) fn ran_dry(&self) -> bool {
        self.dry.get()
    }
}

impl<R> Rationed<R> {
    pub(super) fn new(inner: R) -> (Self, Rc<Ration>) {
        let ration = Rc::<Ration>::default();
        (Self { inner, ration: Rc::clone(&ration) }, ration)
    }
}

impl<R: Read> Read for Rationed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.ration.left.get()).unwrap_or(usize::MAX);
        if left == 0 && !into.is_empty() {
            return Err(io::Error::other("a header in the archive is longer than any name can be"));
        }
        let room = left.min(into.len());
        let count = self.inner.read(into.get_mut(..room).unwrap_or_default())?;
        self.ration.dry.set(count == 0 && room > 0);
        self.ration.left.set(self.ration.left.get().saturating_sub(count as u64));
        Ok(count)
    }
}

/// A blocking writer into a stream of chunks.
pub(super) struct ChunkWriter {
    sender: mpsc::Sender<io::Result<Chunk>>,
    waiting: BytesMut,
}

impl ChunkWriter {
    pub(super) fn new(sender: mpsc::Sender<io::Result<Chunk>>) -> Self {
        Self { sender, waiting: BytesMut::with_capacity(PIECE) }
    }
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PIECE - self.waiting.len();
        let taken = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        self.waiting.extend_from_slice(taken);
        if self.waiting.len() == PIECE {
            self.flush()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let piece = self.waiting.split().freeze();
        self.waiting.reserve(PIECE);
        self.sender.blocking_send(Ok(piece)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
