//! A fetch under way as those see it who wait for it: any number of them follow one temporary file, each at its own
//! pace. Knows nothing of how bytes come in.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::sync::watch;

use super::blob::Blob;
use super::core::{Core, lock};
use super::pace::Active;
use super::{ByteStream, FetchError, HOLD_BACK};
use crate::depot::promise::Digest;

/// What is known of a fetch so far.
#[derive(Default)]
pub(super) struct Progress {
    pub(super) file: Option<Arc<File>>,
    pub(super) written: u64,
    pub(super) total: Option<u64>,
    pub(super) end: Option<Result<Blob, FetchError>>,
}

impl Progress {
    /// How many bytes may be given out although the whole is not proved.
    const fn given(&self) -> u64 {
        self.written.saturating_sub(HOLD_BACK)
    }
}

/// A fetch under way.
pub(super) struct Flight {
    progress: watch::Receiver<Progress>,
    received: AtomicU64,
    is_needless: AtomicBool,
}

impl Flight {
    /// Bytes that have come from upstream.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// The end of a flight that fetches. However it goes, it is taken off the list first and then tells its end.
pub(super) struct Pilot {
    pub(super) core: Arc<Core>,
    pub(super) digest: Digest,
    pub(super) flight: Arc<Flight>,
    progress: watch::Sender<Progress>,
    /// In a lock only because it need not be `Sync`.
    held: Mutex<Option<Box<dyn std::any::Any + Send>>>,
}

impl Pilot {
    pub(super) fn new(core: &Arc<Core>, digest: &Digest, held: Box<dyn std::any::Any + Send>) -> Self {
        let (progress, follow) = watch::channel(Progress::default());
        let flight = Flight { progress: follow, received: AtomicU64::new(0), is_needless: AtomicBool::new(false) };
        Self { core: Arc::clone(core), digest: digest.clone(), flight: Arc::new(flight), progress, held: Mutex::new(Some(held)) }
    }

    pub(super) fn tell(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }

    /// More has come from upstream.
    pub(super) fn receive(&self, count: u64) -> u64 {
        self.flight.received.fetch_add(count, Ordering::Relaxed).saturating_add(count)
    }

    /// It is in the store already.
    pub(super) fn is_needless(&self) {
        self.flight.is_needless.store(true, Ordering::Relaxed);
    }

    pub(super) fn end(mut self, end: Result<Blob, FetchError>) {
        self.finish(end);
    }

    fn finish(&mut self, end: Result<Blob, FetchError>) {
        {
            let mut flights = lock(&self.core.flights);
            if flights.get(&self.digest).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
                flights.remove(&self.digest);
            }
        }
        drop(lock(&self.held).take());
        self.tell(|progress| {
            progress.total = end.as_ref().map(Blob::size).ok().or(progress.total);
            progress.end = Some(end);
        });
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        if self.progress.borrow().end.is_none() {
            self.finish(Err(FetchError::Store("the fetch was given up".to_owned())));
        }
    }
}

/// One who waits for a fetch: the one that began it, or one that joined it. The fetch goes on when it leaves.
pub struct Transfer {
    core: Arc<Core>,
    flight: Arc<Flight>,
    progress: watch::Receiver<Progress>,
    began: bool,
}

impl Transfer {
    pub(super) fn new(core: &Arc<Core>, flight: &Arc<Flight>, began: bool) -> Self {
        Self { core: Arc::clone(core), flight: Arc::clone(flight), progress: flight.progress.clone(), began }
    }

    /// Whether what is fetched is fetched for this one. Certain once [`Transfer::ready`] has returned: a blob that came into the
    /// store just before is not fetched again, and then nobody is the first.
    pub fn is_first(&self) -> bool {
        self.began && !self.flight.is_needless.load(Ordering::Relaxed)
    }

    /// Waits until bytes may be sent, because more than the hold-back has arrived or because the fetch has ended: the whole size where
    /// it is known, or why it failed.
    pub async fn ready(&mut self) -> Result<Option<u64>, FetchError> {
        let progress = self.progress.wait_for(|progress| progress.end.is_some() || progress.given() > 0).await;
        let progress = progress.map_err(|_| gone())?;
        match &progress.end {
            Some(Err(error)) => Err(error.clone()),
            _ => Ok(progress.total),
        }
    }

    /// All bytes from the first, as they arrive. The last [`HOLD_BACK`] are given only when the whole is proved; when the fetch
    /// fails, so does the stream, and nobody ever has a whole wrong body.
    pub fn stream(&self) -> ByteStream {
        let mut progress = self.progress.clone();
        progress.mark_changed();
        let following = Following { progress, at: 0, active: Some(self.core.pace.enter()), rest: None };
        stream::unfold(following, Following::next).boxed()
    }

    /// Waits for the end.
    pub async fn finished(&mut self) -> Result<Blob, FetchError> {
        let progress = self.progress.wait_for(|progress| progress.end.is_some()).await.map_err(|_| gone())?;
        progress.end.clone().unwrap_or_else(|| Err(gone()))
    }

    /// Bytes that have come from upstream so far.
    pub fn fetched(&self) -> u64 {
        self.flight.received()
    }
}

fn gone() -> FetchError {
    FetchError::Store("the fetch was given up".to_owned())
}

/// A stream's place in a flight.
struct Following {
    progress: watch::Receiver<Progress>,
    at: u64,
    /// Until it becomes a stream of the blob, which counts for itself.
    active: Option<Active>,
    /// What follows from the blob once that is there; nothing after an error.
    rest: Option<ByteStream>,
}

enum Step {
    Read(Arc<File>, u64),
    Rest(Blob),
    Fail(FetchError),
    Wait,
}

impl Following {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        loop {
            if let Some(rest) = &mut self.rest {
                let piece = rest.next().await?;
                return Some((piece, self));
            }
            let step = self.step();
            let piece = match step {
                Step::Read(file, given) => self.read(file, given).await,
                Step::Rest(blob) => {
                    self.active = None;
                    self.rest = Some(blob.stream(self.at..blob.size()));
                    continue;
                }
                Step::Fail(error) => Err(io::Error::other(error)),
                Step::Wait => match self.progress.changed().await {
                    Ok(()) => continue,
                    Err(_) => Err(io::Error::other(gone())),
                },
            };
            if piece.is_err() {
                self.rest = Some(stream::empty().boxed());
            }
            return Some((piece, self));
        }
    }

    fn step(&mut self) -> Step {
        let progress = self.progress.borrow_and_update();
        match (&progress.end, &progress.file) {
            (Some(Ok(blob)), _) => Step::Rest(blob.clone()),
            (Some(Err(error)), _) => Step::Fail(error.clone()),
            (None, Some(file)) if progress.given() > self.at => Step::Read(Arc::clone(file), progress.given()),
            (None, _) => Step::Wait,
        }
    }

    async fn read(&mut self, file: Arc<File>, given: u64) -> io::Result<Bytes> {
        let Some(active) = &self.active else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        let length = usize::try_from(given.saturating_sub(self.at)).unwrap_or(usize::MAX).min(active.piece());
        let (at, mut buffer) = (self.at, active.buffer(length));
        let read = tokio::task::spawn_blocking(move || file.read_exact_at(buffer.as_mut(), at).map(|()| buffer.freeze()));
        let piece = read.await.map_err(io::Error::other)??;
        self.at = self.at.saturating_add(piece.len() as u64);
        Ok(piece)
    }
}
