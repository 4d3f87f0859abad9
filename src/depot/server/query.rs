use std::io::Read;
use std::time::Duration;

use flate2::read::GzDecoder;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::CONTENT_ENCODING;
use hyper::{Request, Response, StatusCode};
use tokio::time::timeout;

use super::answer::{Turn, failed, plain, refused};
use super::body::{Body, Record};
use super::{guard, now};
use crate::depot::adapter::Refusal;
use crate::depot::ledger::Outcome;

/// Most of a query, as sent and unpacked.
const LARGEST: usize = 1 << 20;
/// Most of an answer.
const LARGEST_ANSWER: usize = 8 << 20;
/// For a client to send all of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A `POST` that reads: checked, written anew, passed on.
pub async fn query(turn: &Turn, mut record: Record, path: &'static str, request: Request<Incoming>) -> Response<Body> {
    // Before a byte of it is taken: what one session sends at once must not fill the depot's memory.
    let _own = turn.session.bounds.queries.acquire().await;
    let too_large = || Refusal { status: 413, reason: format!("a query takes at most {LARGEST} bytes") };
    let encoding = guard::text(request.headers(), CONTENT_ENCODING).to_ascii_lowercase();
    let sent = match timeout(PATIENCE, Limited::new(request.into_body(), LARGEST).collect()).await {
        Ok(Ok(sent)) => sent.to_bytes(),
        Ok(Err(_)) => return refused(Some(&turn.adapter), record, &too_large()),
        Err(_) => {
            return refused(Some(&turn.adapter), record, &Refusal { status: 408, reason: "the query did not arrive in time".to_owned() });
        }
    };
    let _turn = turn.depot.queries.acquire().await;
    let body = match encoding.as_str() {
        "" | "identity" => sent.to_vec(),
        "gzip" => {
            let mut unpacked = Vec::new();
            match GzDecoder::new(sent.as_ref()).take(LARGEST as u64 + 1).read_to_end(&mut unpacked) {
                Ok(_) if unpacked.len() <= LARGEST => unpacked,
                Ok(_) => return refused(Some(&turn.adapter), record, &too_large()),
                Err(_) => return refused(Some(&turn.adapter), record, &Refusal::bad("the query's compression is broken")),
            }
        }
        _ => return refused(Some(&turn.adapter), record, &Refusal { status: 415, reason: "a query comes plain or as gzip".to_owned() }),
    };
    let depot = &turn.depot;
    let written = match turn.adapter.rewrite(path, &body, &|project| depot.egress.may_name(project)) {
        Ok(written) => written,
        Err(refusal) => return refused(Some(&turn.adapter), record, &refusal),
    };
    let Some(upstream) = depot.egress.public(turn.adapter.ecosystem()) else {
        return failed(turn, record, Outcome::NotFound, 404, "no registry is set that answers this".to_owned());
    };
    let (status, found) = match depot.egress.query(&upstream, path, written, now()).await {
        Ok(answer) => answer,
        Err(fault) => return failed(turn, record, Outcome::Failed, 504, fault.reason),
    };
    let mut answer = Vec::new();
    let mut chunks = found.body;
    while let Some(chunk) = futures_util::StreamExt::next(&mut chunks).await {
        match chunk {
            Ok(chunk) if answer.len() + chunk.len() <= LARGEST_ANSWER => answer.extend_from_slice(&chunk),
            Ok(_) => return failed(turn, record, Outcome::Rejected, 424, "the registry's answer is too large".to_owned()),
            Err(error) => return failed(turn, record, Outcome::Failed, 504, format!("the registry's answer broke off: {error}")),
        }
    }
    if status != 200 {
        // Its page is not ours to show: clients read JSON here.
        return failed(turn, record, Outcome::Failed, 404, format!("the registry answers this query with {status}"));
    }
    record.event.outcome = Outcome::Miss;
    record.event.upstream_bytes = answer.len() as u64;
    record.complete();
    plain(StatusCode::OK, "application/json", answer)
}
