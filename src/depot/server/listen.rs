//! Connections: the greeting first, then HTTP. Those that have not greeted are few and short-lived, whoever floods.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::UnixListener;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::greeting::{Greeted, Stranger};
use super::patience::Patience;
use super::session::Session;
use super::{Depot, answer, say};
use crate::depot::wire;

/// A supervisor greets with its first write; this long is for a loaded machine.
const GREETING: Duration = Duration::from_secs(5);
/// Connections that were looked at and had not greeted yet. One more, and the oldest is closed: a supervisor's greeting is
/// there before its connection is taken up whenever many wait, so a flood pushes out its own.
const STRANGERS: usize = 512;
/// For a request's head, and between two requests.
const HEAD: Duration = Duration::from_mins(1);
/// For a client to take some of what it asked for.
const TAKE: Duration = Duration::from_mins(1);
/// Bytes of a request's head.
const LARGEST_HEAD: usize = 16 << 10;
/// The same of one that is turned away: the least that hyper takes.
const STRAYS_HEAD: usize = 8 << 10;
const MOST_HEADERS: usize = 64;
/// Out of descriptors, most likely: some connection ends meanwhile.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// Serves until told to stop, then until the answers under way are given.
pub async fn listen(depot: Arc<Depot>, listener: UnixListener, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    let strangers = Arc::new(Strangers::default());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let depot = Arc::clone(&depot);
                match Stranger::new(stream).hear_at_once() {
                    Ok(greeted) => _ = tasks.spawn(welcome(depot, greeted, stop.clone())),
                    Err(stranger) => {
                        let (waiting, stop, ledger) = (Arc::clone(&strangers), stop.clone(), depot.ledger.clone());
                        let task = tasks.spawn(async move {
                            let greeted = timeout(GREETING, stranger.hear()).await;
                            waiting.leave();
                            match greeted {
                                Ok(greeted) => welcome(depot, greeted, stop).await,
                                Err(_) => depot.ledger.stranger(),
                            }
                        });
                        if strangers.come(task.abort_handle()) {
                            ledger.stranger();
                        }
                    }
                }
            }
            Err(error) => {
                say(&format!("no connection can be taken up: {error}"));
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// Connections that have not shown a token.
#[derive(Default)]
struct Strangers(Mutex<VecDeque<(tokio::task::Id, AbortHandle)>>);

impl Strangers {
    /// Whether another had to go for it.
    fn come(&self, task: AbortHandle) -> bool {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if task.is_finished() {
            return false;
        }
        waiting.push_back((task.id(), task));
        if waiting.len() > STRANGERS {
            waiting.retain(|(_, task)| !task.is_finished());
        }
        let oldest = if waiting.len() > STRANGERS { waiting.pop_front() } else { None };
        oldest.is_some_and(|(_, oldest)| {
            oldest.abort();
            true
        })
    }

    /// Called by a task that is no stranger any more.
    fn leave(&self) {
        let own = tokio::task::try_id();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(id, task)| Some(*id) != own && !task.is_finished());
    }
}

/// Serves who showed a token of ours, as long as its session has few connections. A supervisor whose token is another depot's
/// is told so; who greets otherwise is left without a word.
async fn welcome(depot: Arc<Depot>, greeted: Greeted, stop: CancellationToken) {
    let Some(token) = greeted.line.as_deref().and_then(wire::token) else { return depot.ledger.stranger() };
    let Some(claims) = depot.key.verify(token) else {
        depot.ledger.stranger();
        return turn_away(&depot, greeted).await;
    };
    let id = claims.session;
    match depot.sessions.enter(claims) {
        Some(session) => serve(depot, greeted, session, stop).await,
        None => depot.ledger.record(answer::denied(id, "the session has too many connections open")),
    }
}

/// Answers one request with why there is nothing for it; only so many at once, and none for longer than a greeting may take.
async fn turn_away(depot: &Depot, greeted: Greeted) {
    let Ok(_permit) = depot.strays.try_acquire() else { return };
    let service =
        service_fn(|request: Request<Incoming>| ready(Ok::<_, Infallible>(answer::not_of_this_depot(depot, request.uri().path()))));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(GREETING)
        .max_buf_size(STRAYS_HEAD)
        .max_headers(MOST_HEADERS)
        .keep_alive(false)
        .half_close(false)
        .serve_connection(TokioIo::new(Patience::new(greeted.stream, greeted.rest, GREETING)), service);
    let _ = timeout(GREETING, connection).await;
}

async fn serve(depot: Arc<Depot>, greeted: Greeted, session: Session, stop: CancellationToken) {
    let session = Arc::new(session);
    let service = service_fn(move |request| answer::answer(Arc::clone(&depot), Arc::clone(&session), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .half_close(false)
        .serve_connection(TokioIo::new(Patience::new(greeted.stream, greeted.rest, TAKE)), service);
    tokio::pin!(connection);
    // However it ends, it is the client's to notice.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
