use hyper::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, VARY, WARNING};
use hyper::{Response, StatusCode};
use tokio::sync::OwnedSemaphorePermit;

use super::answer::{CACHE_HEADER, Turn, failed};
use super::body::{Body, Counted, Record};
use super::{guard, now};
use crate::depot::adapter::Form;
use crate::depot::index::Missing;
use crate::depot::ledger::{Outcome, Requested};
use crate::depot::names::Project;
use crate::units::Seconds;

/// Versions that an event names of those that are hidden.
const NAMED: usize = 4;

/// A project's page.
pub async fn page(
    turn: &Turn,
    mut record: Record,
    permits: Vec<OwnedSemaphorePermit>,
    project: &Project,
    form: Form,
    headers: &HeaderMap,
) -> Response<Body> {
    record.event.requested = Requested::Index;
    record.event.project.clone_from(&project.name);
    let now = now();
    let not_after = turn.session.not_after(project, now);
    let index = &turn.depot.index;
    let mut found = Err(Missing::Lost(String::new()));
    // Once more where the store was cleared in between: clients take a failure for the project's own.
    for _ in 0..2 {
        if !matches!(found, Err(Missing::Lost(_))) {
            break;
        }
        let current = match index.for_client(&turn.adapter, project, form, not_after.is_some(), now).await {
            Ok(current) => current,
            Err(missing) => return without(turn, record, missing),
        };
        record.event.outcome = current.outcome;
        record.event.upstream_bytes += current.fetched;
        record.event.note.clone_from(&current.note);
        found = index.page(&turn.adapter, &current, form, not_after).await.map(|page| (current, page));
    }
    let (current, (blob, hidden)) = match found {
        Ok(found) => found,
        Err(missing) => return without(turn, record, missing),
    };
    if !hidden.is_empty() {
        record.event.hidden = hidden.len() as u64;
        record.event.note = hidden_note(turn.session.claims.min_age, &hidden, &current.note);
    }
    let etag = format!("\"{}\"", blob.digest().hex());
    let is_known = guard::text(headers, IF_NONE_MATCH).split(',').any(|known| known.trim().trim_start_matches("W/") == etag);
    let mut response = Response::new(Body::default());
    let head = response.headers_mut();
    head.insert(CONTENT_TYPE, HeaderValue::from_static(turn.adapter.media_type(form)));
    // Asked for again each time, at the cost of a comparison.
    head.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    head.insert(VARY, HeaderValue::from_static("Accept, User-Agent"));
    head.insert(CACHE_HEADER, HeaderValue::from_static(word(current.outcome)));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        head.insert(ETAG, etag);
    }
    if current.outcome == Outcome::Stale {
        head.insert(WARNING, HeaderValue::from_static("110 palisade \"Response is Stale: the registry is away\""));
    }
    if is_known {
        record.complete();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    head.insert(CONTENT_LENGTH, HeaderValue::from(blob.size()));
    if turn.head_only {
        record.complete();
        return response;
    }
    *response.body_mut() = Counted::stored(blob.stream(0..blob.size()), Some(blob.size()), record, permits).body();
    response
}

/// Why there is no page.
pub fn without(turn: &Turn, record: Record, missing: Missing) -> Response<Body> {
    match missing {
        Missing::Unknown(reason) => failed(turn, record, Outcome::NotFound, 404, reason),
        Missing::Away(reason) => failed(turn, record, Outcome::Failed, 504, format!("{reason}; nothing of it is in the depot's store")),
        Missing::Forbidden(reason) => failed(turn, record, Outcome::Failed, 403, reason),
        Missing::Broken(reason) | Missing::Lost(reason) => failed(turn, record, Outcome::Failed, 500, reason),
    }
}

/// The youngest by name; what else there is to say of the page goes last.
fn hidden_note(age: Seconds, hidden: &[String], other: &str) -> String {
    let named: Vec<&str> = hidden.iter().rev().take(NAMED).map(String::as_str).collect();
    let more = match hidden.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let other = if other.is_empty() { String::new() } else { format!("; {other}") };
    format!("min_age {age} hides {}{more}{other}", named.join(", "))
}

/// The header's word.
pub const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Hit => "hit",
        Outcome::Miss => "miss",
        Outcome::Revalidated => "revalidated",
        Outcome::Stale => "stale",
        Outcome::Rejected => "rejected",
        Outcome::Denied => "denied",
        Outcome::NotFound => "not-found",
        Outcome::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_names_the_youngest_and_counts_the_rest() {
        let hidden: Vec<String> = (0..9).map(|at| format!("1.{at}")).collect();
        let age = Seconds::new(3 * 86_400);
        assert_eq!(hidden_note(age, &hidden[..2], ""), "min_age 3days hides 1.1, 1.0");
        assert_eq!(hidden_note(age, &hidden, "stale"), "min_age 3days hides 1.8, 1.7, 1.6, 1.5 and 5 more; stale");
    }
}
