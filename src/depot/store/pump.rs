//! A fetch as it goes: bytes from upstream into a temporary file, in short blocking steps, and no further than was promised.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};

use super::blob::Blob;
use super::core::{Core, lock};
use super::flight::{Pilot, Transfer};
use super::room::Room;
use super::temporary::Temporary;
use super::{FetchError, Found, Incoming};
use crate::depot::promise::Digest;

/// What is hashed and written in one go, if as much is there: a millisecond of a blocking thread.
const STEP: usize = 256 * 1024;

impl Core {
    /// Joins the fetch of a promise, or begins it.
    pub(super) fn fetch<F>(self: &Arc<Self>, digest: &Digest, size: Option<u64>, held: Box<dyn std::any::Any + Send>, start: F) -> Transfer
    where
        F: Future<Output = Result<Incoming, FetchError>> + Send + 'static,
    {
        let mut flights = lock(&self.flights);
        if let Some(flight) = flights.get(digest) {
            return Transfer::new(self, flight, false);
        }
        let pilot = Pilot::new(self, digest, held);
        let transfer = Transfer::new(self, &pilot.flight, true);
        flights.insert(digest.clone(), Arc::clone(&pilot.flight));
        drop(flights);
        tokio::spawn(async move {
            let end = fly(&pilot, size, start).await;
            pilot.end(end);
        });
        transfer
    }
}

async fn fly<F>(pilot: &Pilot, size: Option<u64>, start: F) -> Result<Blob, FetchError>
where
    F: Future<Output = Result<Incoming, FetchError>> + Send + 'static,
{
    // Between a caller's look into the store and its turn to fetch, another fetch may have ended.
    if let Ok(Found::Whole(blob)) = pilot.core.get(&pilot.digest).await {
        pilot.is_needless();
        return Ok(blob);
    }
    let limit = pilot.core.limits.artifact_size.min(pilot.core.limits.size);
    let bounded = |size: Option<u64>| if size.is_some_and(|size| size > limit) { Err(FetchError::TooLarge { limit }) } else { Ok(()) };
    bounded(size)?;
    let promised = Room::admit(&pilot.core, size)?;
    let incoming = start.await?;
    if let (Some(expected), Some(got)) = (size, incoming.size)
        && expected != got
    {
        return Err(FetchError::WrongSize { expected, got });
    }
    let expected = size.or(incoming.size);
    bounded(expected)?;
    let room = if size.is_none() { Room::admit(&pilot.core, expected)? } else { promised };
    let algorithm = pilot.digest.algorithm();
    let file = pilot.core.blocking(move |core| Temporary::new(core, room, algorithm)).await.map_err(|error| store(&error))?;
    pilot.tell(|progress| {
        progress.total = expected;
        progress.file = Some(Arc::clone(file.file()));
    });
    let done = receive(pilot, incoming, file, expected, limit).await?;
    if let Some(expected) = expected
        && done.written() < expected
    {
        return Err(FetchError::CutShort { expected: Some(expected), got: done.written(), reason: String::new() });
    }
    let promised = pilot.digest.clone();
    let kept = pilot.core.blocking(move |_| done.keep(Some(&promised))).await.map_err(|error| store(&error))?;
    pilot.core.sweep_if_due();
    kept.map_err(|got| FetchError::Mismatch { expected: pilot.digest.clone(), got })
}

/// Everything that comes, and not a byte too much.
async fn receive(
    pilot: &Pilot,
    mut incoming: Incoming,
    mut file: Temporary,
    expected: Option<u64>,
    limit: u64,
) -> Result<Temporary, FetchError> {
    let mut received = 0;
    let mut is_over = false;
    while !is_over {
        let mut pieces: Vec<Bytes> = Vec::new();
        let mut length = 0;
        // What is there already goes into the same step.
        while length < STEP {
            let next = if pieces.is_empty() { Some(incoming.body.next().await) } else { incoming.body.next().now_or_never() };
            match next {
                None => break,
                Some(None) => {
                    is_over = true;
                    break;
                }
                Some(Some(Err(error))) => {
                    return Err(FetchError::CutShort { expected, got: received, reason: error.to_string() });
                }
                Some(Some(Ok(piece))) => {
                    received = pilot.receive(piece.len() as u64);
                    if received > expected.unwrap_or(limit) {
                        return Err(
                            expected.map_or(FetchError::TooLarge { limit }, |expected| FetchError::WrongSize { expected, got: received })
                        );
                    }
                    length += piece.len();
                    pieces.push(piece);
                }
            }
        }
        let done;
        (file, done) = pilot.core.blocking(move |_| Ok(write(file, &pieces))).await.map_err(|error| store(&error))?;
        done.map_err(|error| store(&error))?;
        let written = file.written();
        pilot.tell(|progress| progress.written = written);
    }
    Ok(file)
}

fn write(mut file: Temporary, pieces: &[Bytes]) -> (Temporary, io::Result<()>) {
    let done = pieces.iter().try_for_each(|piece| file.write(piece));
    (file, done)
}

fn store(error: &io::Error) -> FetchError {
    FetchError::Store(error.to_string())
}
