//! What a container changed, with a bound: a session can make as many files as its disk holds, and an engine lists them all.

use std::path::Path;
use std::time::Duration;

use bollard::errors::Error;
use hyper::StatusCode;
use serde::Deserialize;

use super::super::call::Call;
use super::super::{convert, plain};
use super::{DockerEngine, ORDINARY_S};
use crate::failure::Result;
use crate::session::FileChanges;

/// Of an answer, so much is read: a hundred thousand paths of ordinary length.
const LONGEST: usize = 8 << 20;

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl DockerEngine {
    /// The first of them, over a connection of our own: bollard would hold the whole list.
    pub(super) async fn bounded_changes(&self, socket: &Path, container: &str, call: &Call) -> Result<FileChanges> {
        let path = format!("/containers/{container}/changes");
        let asked = tokio::time::timeout(Duration::from_secs(ORDINARY_S), plain::get(socket, self.api, &path, LONGEST)).await;
        let answer = asked.map_err(|_| call.failure(&Error::RequestTimeoutError))?.map_err(|why| call.broken(&why))?;
        if answer.status != StatusCode::OK {
            let message = match serde_json::from_slice::<Refusal>(&answer.body) {
                Ok(refusal) => refusal.message,
                Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
            };
            return Err(call.failure(&Error::DockerResponseServerError { status_code: answer.status.as_u16(), message }));
        }
        convert::change::read(&answer.body, answer.cut).ok_or_else(|| call.refused_with("its list of changes makes no sense"))
    }
}
