use std::sync::Arc;
use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt};
use hyper::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use hyper::{Response, StatusCode};
use tokio::sync::OwnedSemaphorePermit;

use super::answer::{CACHE_HEADER, Turn, failed};
use super::body::{Body, Counted, Record};
use super::page::{without, word};
use super::range::{Part, part};
use super::{Depot, guard, now, say};
use crate::depot::ledger::{Event, Outcome, Requested};
use crate::depot::names::Project;
use crate::depot::promise::{Digest, Promise};
use crate::depot::store::{Blob, FetchError, Found, Incoming, Transfer};
use crate::depot::upstream::Upstream;

/// What is named by its digest never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A file of a project.
pub async fn artifact(
    turn: &Turn,
    mut record: Record,
    permits: Vec<OwnedSemaphorePermit>,
    project: &Project,
    file: &str,
    media_type: &'static str,
    headers: &HeaderMap,
) -> Response<Body> {
    // The head alone serves nothing: it is neither a hit nor a miss.
    record.event.requested = if turn.head_only { Requested::Other } else { Requested::Artifact };
    record.event.project.clone_from(&project.name);
    file.clone_into(&mut record.event.file);
    let now = now();
    let not_after = turn.session.not_after(project, now);
    let need = turn.adapter.document(None, not_after.is_some());
    let (current, promise) = match turn.depot.index.promise(&turn.adapter, project, need, file, now).await {
        Ok(found) => found,
        Err(missing) => return without(turn, record, missing),
    };
    let Some(promise) = promise else {
        return failed(turn, record, Outcome::NotFound, 404, format!("the registry's index of {project} names no {file}"));
    };
    record.event.version.clone_from(&promise.version);
    record.event.digest.clone_from(&promise.digest);
    if not_after.is_some_and(|limit| promise.published.is_none_or(|published| published > limit)) {
        let age = turn.session.claims.min_age;
        let when = promise.published.map_or_else(|| "at a time that the registry does not tell".to_owned(), |at| format!("at {at}"));
        return failed(turn, record, Outcome::Denied, 403, format!("{file} was published {when}, and min_age is {age}"));
    }
    let asks = Asks { turn, media_type, headers };
    // While a file comes in, nobody needs all that its project has in memory.
    let upstream = current.upstream;
    let Some(digest) = promise.digest.clone() else {
        return unpromised(&asks, record, permits, &upstream, &promise).await;
    };
    match turn.depot.store.get(&digest).await {
        Ok(Found::Whole(blob)) => {
            record.event.outcome = Outcome::Hit;
            asks.stored(&blob, &digest, record, permits)
        }
        Ok(found) => {
            if matches!(found, Found::Damaged) {
                say(&format!("{project} {file}: the stored copy was damaged and is fetched again"));
            }
            fetched(&asks, record, permits, &upstream, &promise, &digest).await
        }
        Err(error) => failed(turn, record, Outcome::Failed, 500, format!("the store cannot be read: {error}")),
    }
}

/// One artifact's request.
struct Asks<'a> {
    turn: &'a Turn,
    media_type: &'static str,
    headers: &'a HeaderMap,
}

impl Asks<'_> {
    fn head(&self, outcome: Outcome, digest: Option<&Digest>) -> Response<Body> {
        let mut response = Response::new(Body::default());
        let head = response.headers_mut();
        head.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        head.insert(CACHE_HEADER, HeaderValue::from_static(word(outcome)));
        match digest.map(etag).and_then(|etag| HeaderValue::from_str(&etag).ok()) {
            Some(etag) => {
                head.insert(ETAG, etag);
                head.insert(CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
            }
            None => _ = head.insert(CACHE_CONTROL, HeaderValue::from_static("no-store")),
        }
        response
    }

    /// An artifact that is whole, or the part that is wanted of it.
    fn stored(&self, blob: &Blob, digest: &Digest, record: Record, permits: Vec<OwnedSemaphorePermit>) -> Response<Body> {
        let etag = etag(digest);
        let mut response = self.head(record.event.outcome, Some(digest));
        if guard::text(self.headers, IF_NONE_MATCH).split(',').any(|known| known.trim() == etag) {
            record.complete();
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        let head = response.headers_mut();
        head.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let condition = guard::text(self.headers, IF_RANGE);
        let wanted = if condition.is_empty() || condition == etag { guard::text(self.headers, RANGE) } else { "" };
        let size = blob.size();
        let (range, status) = match part(wanted, size) {
            Part::Whole => (0..size, StatusCode::OK),
            Part::Some(range) => {
                if let Ok(value) = HeaderValue::from_str(&format!("bytes {}-{}/{size}", range.start, range.end - 1)) {
                    head.insert(CONTENT_RANGE, value);
                }
                (range, StatusCode::PARTIAL_CONTENT)
            }
            Part::Unsatisfiable => {
                if let Ok(value) = HeaderValue::from_str(&format!("bytes */{size}")) {
                    head.insert(CONTENT_RANGE, value);
                }
                head.insert(CONTENT_LENGTH, HeaderValue::from(0));
                record.complete();
                *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
                return response;
            }
        };
        let length = range.end - range.start;
        head.insert(CONTENT_LENGTH, HeaderValue::from(length));
        *response.status_mut() = status;
        if self.turn.head_only {
            record.complete();
            return response;
        }
        *response.body_mut() = Counted::stored(blob.stream(range), Some(length), record, permits).body();
        response
    }
}

fn etag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// An artifact that is not in store: fetched once for everyone who asks meanwhile, given on as it arrives.
async fn fetched(
    asks: &Asks<'_>,
    mut record: Record,
    permits: Vec<OwnedSemaphorePermit>,
    upstream: &Arc<Upstream>,
    promise: &Promise,
    digest: &Digest,
) -> Response<Body> {
    let turn = asks.turn;
    if turn.head_only {
        let mut response = asks.head(Outcome::Miss, Some(digest));
        if let Some(size) = promise.size {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(size));
        }
        record.event.outcome = Outcome::Miss;
        record.complete();
        return response;
    }
    let Ok(held) = Arc::clone(&turn.session.bounds.fetches).acquire_owned().await else {
        return failed(turn, record, Outcome::Failed, 503, "the depot is closing".to_owned());
    };
    let (depot, upstream, url) = (Arc::clone(&turn.depot), Arc::clone(upstream), promise.url.clone());
    let start = async move {
        let found = depot.egress.artifact(&upstream, &url, now()).await;
        let found = found.map_err(|fault| FetchError::Upstream { away: fault.away, reason: fault.reason })?.counted();
        Ok(Incoming { size: found.length, body: found.body })
    };
    let mut transfer = turn.depot.store.fetch(digest, promise.size, Box::new(held), start);
    let wants_part = asks.headers.contains_key(RANGE);
    let size = if wants_part { transfer.finished().await.map(|blob| Some(blob.size())) } else { transfer.ready().await };
    // Known only now: while this request waited for its turn, another may have fetched it. That one's fetch counts there.
    record.event.outcome = if transfer.is_first() { Outcome::Miss } else { Outcome::Hit };
    let size = match size {
        Ok(size) => size,
        Err(error) => {
            record.event.upstream_bytes = if transfer.is_first() { transfer.fetched() } else { 0 };
            return spoiled(turn, record, &error);
        }
    };
    if wants_part {
        return match transfer.finished().await {
            Ok(blob) => {
                record.event.upstream_bytes = if transfer.is_first() { transfer.fetched() } else { 0 };
                asks.stored(&blob, digest, record, permits)
            }
            Err(error) => spoiled(turn, record, &error),
        };
    }
    let mut response = asks.head(record.event.outcome, Some(digest));
    if let Some(size) = size {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(size));
    }
    let stream = transfer.stream();
    *response.body_mut() = if transfer.is_first() {
        Counted::fetched(stream, size, record, permits, Box::new(move |depot, event| write_down_later(depot, event, transfer))).body()
    } else {
        Counted::stored(stream, size, record, permits).body()
    };
    response
}

/// The first asker may leave before the fetch ends; how it ended is known then.
fn write_down_later(depot: Arc<Depot>, mut event: Event, mut transfer: Transfer) {
    let began = Instant::now();
    let write = async move {
        let end = transfer.finished().await;
        event.upstream_bytes = transfer.fetched();
        match end {
            Ok(_) => {
                let elapsed = event.elapsed_ms.saturating_add(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
                depot.ledger.observe_fetch(event.ecosystem, event.upstream_bytes, elapsed);
            }
            Err(error) => {
                let (outcome, reason) = judged(&error);
                event.outcome = outcome;
                event.complete = false;
                tell(&event, &reason);
                event.note = reason;
            }
        }
        depot.ledger.record(event);
    };
    // The runtime may be going down; then there is nothing to write down in.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(write);
    }
}

/// A fetch that failed before a byte of it was given out.
fn spoiled(turn: &Turn, record: Record, error: &FetchError) -> Response<Body> {
    let (outcome, reason) = judged(error);
    // 424: neither pip nor npm takes it for something that passes by asking again.
    let status = if outcome == Outcome::Rejected { 424 } else { 504 };
    tell(&record.event, &reason);
    failed(turn, record, outcome, status, reason)
}

fn judged(error: &FetchError) -> (Outcome, String) {
    let outcome = match error {
        FetchError::Mismatch { .. } | FetchError::TooLarge { .. } | FetchError::WrongSize { .. } | FetchError::CutShort { .. } => {
            Outcome::Rejected
        }
        FetchError::Upstream { .. } | FetchError::Store(_) => Outcome::Failed,
    };
    (outcome, error.to_string())
}

fn tell(event: &Event, reason: &str) {
    say(&format!("{} {} {}: {reason}", event.ecosystem, event.project, event.file));
}

/// A file of which the registry promises no digest: given on, bounded, and never kept.
async fn unpromised(
    asks: &Asks<'_>,
    mut record: Record,
    permits: Vec<OwnedSemaphorePermit>,
    upstream: &Arc<Upstream>,
    promise: &Promise,
) -> Response<Body> {
    let turn = asks.turn;
    let Ok(held) = Arc::clone(&turn.session.bounds.fetches).acquire_owned().await else {
        return failed(turn, record, Outcome::Failed, 503, "the depot is closing".to_owned());
    };
    record.event.outcome = Outcome::Miss;
    "the registry promises no hash of it: served, and not kept".clone_into(&mut record.event.note);
    let found = match turn.depot.egress.artifact(upstream, &promise.url, now()).await {
        Ok(found) => found,
        Err(fault) => return failed(turn, record, Outcome::Failed, 504, fault.reason),
    };
    let limit = turn.depot.artifact_size;
    if found.length.is_some_and(|length| length > limit) {
        let reason = FetchError::TooLarge { limit }.to_string();
        return failed(turn, record, Outcome::Rejected, 424, reason);
    }
    let length = found.length;
    let mut response = asks.head(Outcome::Miss, None);
    if let Some(length) = length {
        response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if turn.head_only {
        record.complete();
        return response;
    }
    let mut taken = 0_u64;
    let bounded = found.body.and_then(move |chunk| {
        taken = taken.saturating_add(chunk.len() as u64);
        let judged = if taken > limit { Err(std::io::Error::other(FetchError::TooLarge { limit }.to_string())) } else { Ok(chunk) };
        std::future::ready(judged)
    });
    let bytes = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counting = Arc::clone(&bytes);
    let counted = bounded.inspect_ok(move |chunk| _ = counting.fetch_add(chunk.len() as u64, std::sync::atomic::Ordering::Relaxed));
    let afterwards = move |depot: Arc<Depot>, mut event: Event| {
        event.upstream_bytes = bytes.load(std::sync::atomic::Ordering::Relaxed);
        depot.ledger.record(event);
        drop(held);
    };
    *response.body_mut() = Counted::fetched(counted.boxed(), found.length, record, permits, Box::new(afterwards)).body();
    response
}
