use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use flate2::read::GzDecoder;
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::answer::{Turn, failed, refused};
use super::body::{Body, Counted, Record};
use super::{Depot, guard, now};
use crate::depot::adapter::{Adapter, Refusal};
use crate::depot::ledger::{Event, Outcome};

/// Most of a query, as sent and unpacked.
const LARGEST: usize = 1 << 20;
/// Most of an answer.
const LARGEST_ANSWER: u64 = 8 << 20;
/// For a client to send all of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A `POST` that reads: checked, written anew, passed on. One session has few at once, from the first byte of the question
/// to the last of the answer, and all together hold so much in memory: bodies are the one thing that a sandbox can fill.
pub async fn query(
    turn: &Turn,
    mut record: Record,
    mut permits: Vec<OwnedSemaphorePermit>,
    path: &'static str,
    request: Request<Incoming>,
) -> Response<Body> {
    let own = Arc::clone(&turn.session.bounds.queries).acquire_owned().await;
    permits.extend(own);
    let written = match question(turn, path, request).await {
        Ok(written) => written,
        Err(refusal) => return refused(Some(&turn.adapter), record, &refusal),
    };
    let depot = &turn.depot;
    let Some(upstream) = depot.egress.public(turn.adapter.ecosystem()) else {
        return failed(turn, record, Outcome::NotFound, 404, "no registry is set that answers this".to_owned());
    };
    let (status, found) = match depot.egress.query(&upstream, path, written, now()).await {
        Ok(answer) => answer,
        Err(fault) => return failed(turn, record, Outcome::Failed, 504, fault.reason),
    };
    if status != 200 {
        // Its page is not ours to show: clients read JSON here.
        return failed(turn, record, Outcome::Failed, 404, format!("the registry answers this query with {status}"));
    }
    let too_large = || format!("the registry's answer is larger than {LARGEST_ANSWER} bytes");
    if found.length.is_some_and(|length| length > LARGEST_ANSWER) {
        return failed(turn, record, Outcome::Rejected, 424, too_large());
    }
    record.event.outcome = Outcome::Miss;
    // Given on as it comes: a client that never takes it holds next to nothing.
    let taken = Arc::new(AtomicU64::new(0));
    let counting = Arc::clone(&taken);
    let bounded = found.body.and_then(move |chunk: Bytes| {
        let all = counting.fetch_add(chunk.len() as u64, Ordering::Relaxed).saturating_add(chunk.len() as u64);
        std::future::ready(if all > LARGEST_ANSWER { Err(io::Error::other(too_large())) } else { Ok(chunk) })
    });
    let afterwards = move |depot: Arc<Depot>, mut event: Event| {
        event.upstream_bytes = taken.load(Ordering::Relaxed);
        depot.ledger.record(event);
    };
    let mut response = Response::new(Body::default());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let length = found.length;
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    *response.body_mut() = Counted::fetched(bounded.boxed(), length, record, permits, Box::new(afterwards)).body();
    response
}

/// What is asked of the registry.
async fn question(turn: &Turn, path: &'static str, request: Request<Incoming>) -> Result<Vec<u8>, Refusal> {
    let encoding = guard::text(request.headers(), CONTENT_ENCODING).to_ascii_lowercase();
    let is_packed = match encoding.as_str() {
        "" | "identity" => false,
        "gzip" => true,
        _ => return Err(Refusal { status: 415, reason: "a query comes plain or as gzip".to_owned() }),
    };
    // As much as it says that it takes; as much as any may where it does not say.
    let most = request.body().size_hint().upper().unwrap_or(LARGEST as u64);
    if most > LARGEST as u64 {
        return Err(too_large());
    }
    let closing = || Refusal { status: 503, reason: "the depot is closing".to_owned() };
    let kilobytes = u32::try_from(most.div_ceil(1 << 10)).unwrap_or(u32::MAX);
    let depot = &turn.depot;
    let _held = Arc::clone(&depot.query_kilobytes).acquire_many_owned(kilobytes).await.map_err(|_| closing())?;
    let sent = match timeout(PATIENCE, Limited::new(request.into_body(), LARGEST).collect()).await {
        Ok(Ok(sent)) => sent.to_bytes(),
        Ok(Err(_)) => return Err(too_large()),
        Err(_) => return Err(Refusal { status: 408, reason: "the query did not arrive in time".to_owned() }),
    };
    let working = Arc::clone(&depot.rewrites).acquire_owned().await.map_err(|_| closing())?;
    let (adapter, egress) = (Arc::clone(&turn.adapter), Arc::clone(&depot.egress));
    let written = tokio::task::spawn_blocking(move || {
        let _working = working;
        rewritten(&*adapter, path, &sent, is_packed, &|project| egress.may_name(project))
    });
    written.await.map_err(|_| closing())?
}

fn rewritten(
    adapter: &dyn Adapter,
    path: &str,
    sent: &[u8],
    is_packed: bool,
    may_name: &dyn Fn(&crate::depot::names::Project) -> bool,
) -> Result<Vec<u8>, Refusal> {
    if !is_packed {
        return adapter.rewrite(path, sent, may_name);
    }
    let mut unpacked = Vec::new();
    match GzDecoder::new(sent).take(LARGEST as u64 + 1).read_to_end(&mut unpacked) {
        Ok(_) if unpacked.len() <= LARGEST => adapter.rewrite(path, &unpacked, may_name),
        Ok(_) => Err(too_large()),
        Err(_) => Err(Refusal::bad("the query's compression is broken")),
    }
}

fn too_large() -> Refusal {
    Refusal { status: 413, reason: format!("a query takes at most {LARGEST} bytes") }
}
