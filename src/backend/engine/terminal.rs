//! The bytes of a terminal, as they come, over a connection of our own. bollard takes a piece that begins with a byte below
//! three for the head of a frame, and the next seven for the frame's length: a session that writes such a piece would stop
//! its terminal, or have us keep four gigabytes.

use bollard::errors::Error;
use futures_util::StreamExt;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, UPGRADE};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_util::io::ReaderStream;

use super::call::Call;
use super::{Attached, Endpoint, Output, OutputKind};

/// Of a refusal, what anyone reads.
const LONGEST_REFUSAL: usize = 64 * 1024;
/// A piece of output at most.
const PIECE: usize = 64 * 1024;

/// Whether [`start`] knows the way to this engine; what TLS and ssh carry is bollard's alone.
pub(super) fn is_reached(endpoint: &Endpoint) -> bool {
    endpoint.socket.is_some() || plain_address(endpoint).is_some()
}

/// Starts an exec that was created with a terminal, and attaches to it.
pub(super) async fn start(endpoint: &Endpoint, api: (u32, u32), exec: &str, call: Call) -> Result<Attached, Error> {
    let response = if let Some(socket) = &endpoint.socket {
        ask(UnixStream::connect(socket).await?, api, exec).await?
    } else {
        let address = plain_address(endpoint).unwrap_or_default();
        ask(TcpStream::connect(address).await?, api, exec).await?
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refusal(response).await);
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(io)?;
    let (read, write) = tokio::io::split(TokioIo::new(upgraded));
    let output = ReaderStream::with_capacity(read, PIECE).map(move |piece| match piece {
        Ok(bytes) => Ok(Output { kind: OutputKind::Stdout, bytes }),
        Err(err) => Err(call.failure(&Error::IOError { err })),
    });
    Ok(Attached { output: output.boxed(), input: Box::pin(write) })
}

fn plain_address(endpoint: &Endpoint) -> Option<&str> {
    let (scheme, address) = endpoint.uri.trim_end_matches('/').split_once("://")?;
    (matches!(scheme, "tcp" | "http") && endpoint.tls_dir.is_none()).then_some(address)
}

async fn ask<S>(stream: S, (major, minor): (u32, u32), exec: &str) -> Result<Response<Incoming>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io)?;
    // It ends with the upgrade, or with the answer.
    tokio::spawn(connection.with_upgrades());
    let request = Request::post(format!("/v{major}.{minor}/exec/{exec}/start"))
        .header(HOST, "docker")
        .header(CONTENT_TYPE, "application/json")
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "tcp")
        .body(Full::<Bytes>::from(r#"{"Detach":false,"Tty":true}"#))
        .map_err(|error| Error::IOError { err: std::io::Error::other(error) })?;
    sender.send_request(request).await.map_err(io)
}

fn io(error: hyper::Error) -> Error {
    Error::IOError { err: std::io::Error::other(error) }
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

async fn refusal(response: Response<Incoming>) -> Error {
    let status_code = response.status().as_u16();
    let body = Limited::new(response.into_body(), LONGEST_REFUSAL).collect().await.map(http_body_util::Collected::to_bytes);
    let body = body.unwrap_or_default();
    let message = match serde_json::from_slice::<Refusal>(&body) {
        Ok(refusal) => refusal.message,
        Err(_) => String::from_utf8_lossy(&body).into_owned(),
    };
    Error::DockerResponseServerError { status_code, message }
}
