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
    let file = receive(pilot, incoming, file, expected, limit).await?;
    let got = file.written();
    if let Some(expected) = expected.filter(|expected| got < *expected) {
        let error = FetchError::CutShort { expected: Some(expected), got, reason: String::new() };
        return Err(give_up(pilot, file, error).await);
    }
    let promised = pilot.digest.clone();
    let kept = pilot.core.blocking(move |_| file.keep(Some(&promised))).await.map_err(|error| store(&error))?;
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
    let active = pilot.core.pace.enter();
    loop {
        let (pieces, is_over) = match gather(pilot, &mut incoming, expected, limit, active.piece()).await {
            Ok(gathered) => gathered,
            Err(error) => return Err(give_up(pilot, file, error).await),
        };
        file = pilot.core.blocking(move |_| write(file, &pieces)).await.map_err(|error| store(&error))?;
        let written = file.written();
        pilot.tell(|progress| progress.written = written);
        if is_over {
            return Ok(file);
        }
    }
}

/// Waits for a piece, and takes what else is there already into the same step. Whether that was all.
async fn gather(
    pilot: &Pilot,
    incoming: &mut Incoming,
    expected: Option<u64>,
    limit: u64,
    step: usize,
) -> Result<(Vec<Bytes>, bool), FetchError> {
    let (mut pieces, mut length) = (Vec::new(), 0);
    while length < step {
        let next = if pieces.is_empty() { Some(incoming.body.next().await) } else { incoming.body.next().now_or_never() };
        let piece = match next {
            None => break,
            Some(None) => return Ok((pieces, true)),
            Some(Some(piece)) => piece,
        };
        let piece = piece.map_err(|error| FetchError::CutShort { expected, got: pilot.flight.received(), reason: error.to_string() })?;
        let got = pilot.receive(piece.len() as u64);
        if got > expected.unwrap_or(limit) {
            return Err(expected.map_or(FetchError::TooLarge { limit }, |expected| FetchError::WrongSize { expected, got }));
        }
        length += piece.len();
        pieces.push(piece);
    }
    Ok((pieces, false))
}

fn write(mut file: Temporary, pieces: &[Bytes]) -> io::Result<Temporary> {
    pieces.iter().try_for_each(|piece| file.write(piece))?;
    Ok(file)
}

/// Removes a file where blocking is allowed, before anyone hears of the error.
async fn give_up(pilot: &Pilot, file: Temporary, error: FetchError) -> FetchError {
    // Where there is no thread left, the drop itself removes it.
    let _ = pilot
        .core
        .blocking(move |_| {
            drop(file);
            Ok(())
        })
        .await;
    error
}

fn store(error: &io::Error) -> FetchError {
    FetchError::Store(error.to_string())
}
