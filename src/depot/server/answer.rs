use std::convert::Infallible;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ACCEPT, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};

use super::body::{Body, Record, full};
use super::session::Session;
use super::{Depot, artifact, guard, known, now, page, query, split};
use crate::depot::adapter::{Adapter, Ask, Asked, Refusal};
use crate::depot::ledger::{Event, Outcome, Requested};
use crate::depot::promise::Ecosystem;
use crate::units::SessionId;

/// How an answer was come by, for whoever looks: `hit`, `miss`, `stale`, ….
pub const CACHE_HEADER: &str = "palisade-cache";
/// The longest text of a status line.
const LONGEST_REASON: usize = 240;

/// One request of one session.
pub struct Turn {
    /// Who answers.
    pub depot: Arc<Depot>,
    /// Who asks.
    pub session: Arc<Session>,
    /// In which protocol.
    pub adapter: Arc<dyn Adapter>,
    /// Whether only the head is wanted.
    pub head_only: bool,
}

/// Answers one request. What fails is an answer too.
pub async fn answer(depot: Arc<Depot>, session: Arc<Session>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    // As one whose client leaves before there is an answer, until more is known.
    let mut event = Event { outcome: Outcome::Failed, ..denied(session.claims.session, "") };
    let path = request.uri().path().to_owned();
    let adapter = adapter_of(&depot, &path);
    if let Some((adapter, _)) = &adapter {
        event.ecosystem = adapter.ecosystem();
    }
    let record = Record::new(&depot, event);
    if let Err(refusal) = guard::check(&request) {
        // What follows a request that makes no sense cannot be read either.
        let mut response = refused(adapter.as_ref().map(|(adapter, _)| adapter), record, &refusal);
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        return Ok(response);
    }
    let Some((adapter, rest)) = adapter else {
        let refusal = Refusal::not_found(format!("there is nothing at {}: packages are below {}", guard::short(&path), known()));
        return Ok(refused(None, record, &refusal));
    };
    // Its turn: a session that asks for much at once waits for itself.
    let (Ok(own), Ok(stream)) =
        (Arc::clone(&session.bounds.requests).acquire_owned().await, Arc::clone(&depot.streams).acquire_owned().await)
    else {
        return Ok(refused(Some(&adapter), record, &Refusal { status: 503, reason: "the depot is closing".to_owned() }));
    };
    let permits = vec![own, stream];
    let headers = request.headers();
    let asked = Asked {
        path: rest,
        accept: guard::text(headers, ACCEPT),
        user_agent: guard::text(headers, USER_AGENT),
        is_post: request.method() == Method::POST,
    };
    let ask = adapter.ask(&asked);
    let turn = Turn { depot, session, adapter, head_only: request.method() == Method::HEAD };
    Ok(match ask {
        Err(refusal) => refused(Some(&turn.adapter), record, &refusal),
        Ok(Ask::Query { .. }) if !asked.is_post => {
            refused(Some(&turn.adapter), record, &Refusal { status: 405, reason: "this is asked with POST".to_owned() })
        }
        Ok(Ask::Query { path }) => query::query(&turn, record, permits, path, request).await,
        Ok(_) if asked.is_post => refused(Some(&turn.adapter), record, &Refusal { status: 405, reason: "the depot only reads".to_owned() }),
        Ok(Ask::Local { body, media_type }) => {
            let mut record = record;
            record.event.outcome = Outcome::Hit;
            record.complete();
            plain(StatusCode::OK, media_type, body)
        }
        Ok(Ask::Index { project, form }) => {
            in_sight(&turn, request.headers(), page::page(&turn, record, permits, &project, form, request.headers()).await)
        }
        Ok(Ask::Artifact { project, file, media_type }) => {
            artifact::artifact(&turn, record, permits, &project, &file, media_type, request.headers()).await
        }
    })
}

/// What a session was refused, as far as nothing else is known of it.
pub fn denied(session: SessionId, why: &str) -> Event {
    Event {
        at: now(),
        session,
        ecosystem: Ecosystem::Pypi,
        requested: Requested::Other,
        project: String::new(),
        file: String::new(),
        version: String::new(),
        digest: None,
        outcome: Outcome::Denied,
        store_bytes: 0,
        upstream_bytes: 0,
        elapsed_ms: 0,
        complete: false,
        hidden: 0,
        note: why.to_owned(),
    }
}

/// By the path's first segment. A tarball below neither is npm's, which resolves some addresses by their path alone.
fn adapter_of<'a>(depot: &Depot, path: &'a str) -> Option<(Arc<dyn Adapter>, &'a str)> {
    let by_name = split(path).and_then(|(ecosystem, rest)| Some((Arc::clone(depot.adapter(ecosystem)?), rest)));
    by_name.or_else(|| {
        let is_tarball = path.contains("/-/");
        is_tarball.then(|| Some((Arc::clone(depot.adapter(Ecosystem::Npm.name())?), path.strip_prefix('/')?))).flatten()
    })
}

/// A short answer.
pub fn plain(status: StatusCode, media_type: &'static str, body: impl Into<bytes::Bytes>) -> Response<Body> {
    let body = body.into();
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    *response.body_mut() = full(body);
    response
}

/// An answer that says why there is no other: in the body as the ecosystem's clients show it, and in the status line, which
/// is all that pip shows.
pub fn refused(adapter: Option<&Arc<dyn Adapter>>, mut record: Record, refusal: &Refusal) -> Response<Body> {
    record.event.outcome = Outcome::Denied;
    told(adapter, record, refusal)
}

fn told(adapter: Option<&Arc<dyn Adapter>>, mut record: Record, refusal: &Refusal) -> Response<Body> {
    if record.event.note.is_empty() {
        record.event.note.clone_from(&refusal.reason);
    }
    record.complete();
    said(adapter, refusal)
}

/// To one whose token is another depot's: why, and the way out. Nothing else is told.
pub fn not_of_this_depot(depot: &Depot, path: &str) -> Response<Body> {
    let reason = "this session's token is not of this depot, whose store is a new one; from outside, palisade restart gives it another";
    said(adapter_of(depot, path).as_ref().map(|(adapter, _)| adapter), &Refusal::forbidden(reason))
}

fn said(adapter: Option<&Arc<dyn Adapter>>, refusal: &Refusal) -> Response<Body> {
    let (body, media_type) = adapter
        .map_or_else(|| (format!("{}\n", refusal.reason), "text/plain; charset=utf-8"), |adapter| adapter.error_body(&refusal.reason));
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = plain(status, media_type, body);
    let reason: String =
        refusal.reason.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(LONGEST_REASON).collect();
    if let Ok(reason) = hyper::ext::ReasonPhrase::try_from(reason.into_bytes()) {
        response.extensions_mut().insert(reason);
    }
    response
}

/// An index that cannot be had, as its client shows why. That there is no such project every client says by itself.
fn in_sight(turn: &Turn, headers: &HeaderMap, mut response: Response<Body>) -> Response<Body> {
    let status = response.status();
    if (status.is_client_error() || status.is_server_error()) && status != StatusCode::NOT_FOUND {
        let reason = response.extensions().get::<hyper::ext::ReasonPhrase>();
        let reason = reason.map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned()).unwrap_or_default();
        if let Some((status, media_type)) = turn.adapter.index_error(guard::text(headers, USER_AGENT), &reason)
            && let (Ok(status), Ok(media_type)) = (StatusCode::from_u16(status), HeaderValue::from_str(&media_type))
        {
            *response.status_mut() = status;
            response.headers_mut().insert(CONTENT_TYPE, media_type);
        }
    }
    response
}

/// As `refused`, for what is no fault of the request's.
pub fn failed(turn: &Turn, mut record: Record, outcome: Outcome, status: u16, reason: String) -> Response<Body> {
    record.event.outcome = outcome;
    told(Some(&turn.adapter), record, &Refusal { status, reason })
}
