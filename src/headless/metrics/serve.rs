//! The figures at an address, for whoever scrapes them. Whoever reaches the address may read them and nothing else: it is this
//! machine's own unless another is given.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::exposition;
use super::gather::Watch;
use crate::backend::Backend;
use crate::failure::{Code, Failure};
use crate::headless::foreground::Signals;
use crate::headless::{Context, Done};

/// The format's own name.
const CONTENT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Connections at once; the next ones wait in the kernel's backlog.
const CONNECTIONS: usize = 32;
/// How long a head may take, and a connection in all.
const HEAD: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_mins(2);
/// A head of a scrape is a few hundred bytes.
const LARGEST_HEAD: usize = 16 << 10;

pub(super) async fn serve(context: &Context, backend: &Backend, address: SocketAddr) -> Done {
    let mut signals = Signals::listen()?;
    let listener = TcpListener::bind(address).await.map_err(|error| cannot_listen(address, &error))?;
    let bound = listener.local_addr().map_err(|error| cannot_listen(address, &error))?;
    context.output.note(&format!("metrics are at http://{bound}/metrics; ctrl-c ends this"));
    // One look at a time: whoever comes meanwhile waits for its own.
    let watch = Arc::new(Mutex::new(Watch::default()));
    let mut connections = FuturesUnordered::new();
    loop {
        tokio::select! {
            _ = signals.next() => return Ok(0),
            Some(()) = connections.next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => connections.push(answer(stream, backend, Arc::clone(&watch))),
                // Out of descriptors, or the client is gone already: the others are served on.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
}

async fn answer(stream: TcpStream, backend: &Backend, watch: Arc<Mutex<Watch>>) {
    let service = service_fn(move |request| {
        let watch = Arc::clone(&watch);
        async move { Ok::<_, Infallible>(respond(&request, backend, &watch).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LARGEST_HEAD)
        .half_close(false)
        .serve_connection(TokioIo::new(stream), service);
    // However it ends, it is the client's to notice.
    let _ = timeout(WHOLE, connection).await;
}

async fn respond(request: &Request<Incoming>, backend: &Backend, watch: &Mutex<Watch>) -> Response<Full<Bytes>> {
    if request.uri().path() != "/metrics" {
        return plain(StatusCode::NOT_FOUND, "the metrics are at /metrics\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "GET reads the metrics\n");
    }
    let seen = watch.lock().await.look(backend).await;
    match exposition::text(&seen) {
        Ok(text) => respond_with(StatusCode::OK, CONTENT, text.into()),
        Err(failure) => plain(StatusCode::INTERNAL_SERVER_ERROR, &failure.message),
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    respond_with(status, "text/plain; charset=utf-8", Bytes::copy_from_slice(text.as_bytes()))
}

fn respond_with(status: StatusCode, content: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content));
    response
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    Failure::new(Code::Io, format!("cannot listen at {address}: {error}"))
        .detail("'--listen'")
        .hint("choose another port; 127.0.0.1:0 takes any that is free")
}
