//! A request over a connection of our own to an engine's socket, for answers that have to be bounded or that bollard misreads.
//! The connection goes when nobody waits any more, and with it what the engine was doing for us.

use std::path::Path;

use http_body_util::{BodyExt, Empty};
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

/// An answer, up to so many bytes of its body.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
    /// Whether there was more.
    pub(super) cut: bool,
}

/// `GET` of a path with a query, its API version in front.
pub(super) async fn get(socket: &Path, (major, minor): (u32, u32), path: &str, most: usize) -> Result<Answer, String> {
    let told = |error: hyper::Error| error.to_string();
    let stream = UnixStream::connect(socket).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(told)?;
    let request = Request::get(format!("/v{major}.{minor}{path}"))
        .header(HOST, "docker")
        .body(Empty::<hyper::body::Bytes>::new())
        .map_err(|error| error.to_string())?;
    let answer = async {
        let mut response = sender.send_request(request).await.map_err(told)?;
        let mut answer = Answer { status: response.status(), body: Vec::new(), cut: false };
        while let Some(frame) = response.frame().await {
            let Ok(piece) = frame.map_err(told)?.into_data() else { continue };
            let room = most.saturating_sub(answer.body.len());
            answer.body.extend_from_slice(piece.get(..room).unwrap_or(&piece));
            if piece.len() > room {
                answer.cut = true;
                break;
            }
        }
        Ok(answer)
    };
    let mut connection = std::pin::pin!(connection);
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        answer = &mut answer => answer,
        ended = &mut connection => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(error.to_string()),
        },
    }
}
