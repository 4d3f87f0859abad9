//! Connections: the greeting first, then HTTP. Those that have not greeted are few and short-lived, whoever floods.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncReadExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::patience::Patience;
use super::session::Session;
use super::{Depot, answer, say};
use crate::depot::wire;

/// A supervisor greets with its first write; this long is for a loaded machine.
const GREETING: Duration = Duration::from_secs(5);
/// Connections that have not greeted yet. One more, and the oldest is closed: a supervisor's greeting is there at once, so a
/// flood pushes out its own.
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
                let (depot, strangers, stop) = (Arc::clone(&depot), Arc::clone(&strangers), stop.clone());
                let waiting = Arc::clone(&strangers);
                let task = tasks.spawn(async move {
                    match welcome(&depot, stream).await {
                        Greeted::Session(stream, session) => {
                            strangers.leave();
                            serve(depot, stream, session, stop).await;
                        }
                        Greeted::Stray(stream) => turn_away(&depot, stream).await,
                        Greeted::Nobody => {}
                    }
                });
                waiting.come(task.abort_handle());
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
    fn come(&self, task: AbortHandle) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if task.is_finished() {
            return;
        }
        waiting.push_back((task.id(), task));
        if waiting.len() > STRANGERS {
            waiting.retain(|(_, task)| !task.is_finished());
        }
        if waiting.len() > STRANGERS
            && let Some((_, oldest)) = waiting.pop_front()
        {
            oldest.abort();
        }
    }

    /// Called by a task that is no stranger any more.
    fn leave(&self) {
        let own = tokio::task::try_id();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(id, task)| Some(*id) != own && !task.is_finished());
    }
}

/// Who is at the other end of a connection.
enum Greeted {
    /// A session with a token of this depot's.
    Session(UnixStream, Session),
    /// A supervisor whose token is not of this depot's key.
    Stray(UnixStream),
    /// One that did not greet, or a session that has as many connections as it may: closed without a word.
    Nobody,
}

async fn welcome(depot: &Depot, mut stream: UnixStream) -> Greeted {
    let line = timeout(GREETING, greeting(&mut stream)).await.ok().and_then(Result::ok);
    let greeted = match line.as_deref().and_then(wire::token).map(|token| depot.key.verify(token)) {
        Some(Some(claims)) => match depot.sessions.enter(claims) {
            Some(session) => return Greeted::Session(stream, session),
            None => Greeted::Nobody,
        },
        Some(None) => Greeted::Stray(stream),
        None => Greeted::Nobody,
    };
    depot.ledger.stranger();
    greeted
}

/// Answers one request with why there is nothing for it. It stays a stranger all the while, and is given no longer than one.
async fn turn_away(depot: &Depot, stream: UnixStream) {
    let service =
        service_fn(|request: Request<Incoming>| ready(Ok::<_, Infallible>(answer::not_of_this_depot(depot, request.uri().path()))));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(GREETING)
        .max_buf_size(STRAYS_HEAD)
        .max_headers(MOST_HEADERS)
        .keep_alive(false)
        .half_close(false)
        .serve_connection(TokioIo::new(stream), service);
    let _ = timeout(GREETING, connection).await;
}

/// Exactly one line, so that the rest stays HTTP's. Few bytes, so one at a time costs little.
async fn greeting(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(512);
    while line.len() < wire::LONGEST {
        match stream.read_u8().await? {
            b'\n' => return Ok(line),
            byte => line.push(byte),
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

async fn serve(depot: Arc<Depot>, stream: UnixStream, session: Session, stop: CancellationToken) {
    let session = Arc::new(session);
    let service = service_fn(move |request| answer::answer(Arc::clone(&depot), Arc::clone(&session), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .half_close(false)
        .serve_connection(TokioIo::new(Patience::new(stream, TAKE)), service);
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
