//! Where the commands meet modules that are written beside them: each function is one call once those are there.
//!
//! | here | becomes |
//! |---|---|
//! | [`connect`] | find the endpoint, connect, `Backend::new` |
//! | [`profiles`] | `config::profiles::list`, each as a [`ProfileRow`] |
//! | [`examine`] | `backend::doctor::examine`, each as a [`Check`] |
//! | [`build_image`] | `backend::image::build`, the result as an [`ImageBuilt`] |
//! | [`supervise`], [`probe`] | `supervisor::main`, `backend::kernel::probe::main` |

use std::ffi::OsString;

use super::document::{Check, CheckState, ImageBuilt, ProfileRow};
use super::images::BuildOrder;
use crate::backend::{Backend, Reporter};
use crate::failure::{Code, Failure, Result};

/// A backend over the engine at `host`, or where the environment says.
#[expect(clippy::unused_async, clippy::disallowed_methods, reason = "stands in until the engine's adapter is there")]
pub async fn connect(host: Option<&str>) -> Result<Backend> {
    let (address, found_by) = match (host, std::env::var("DOCKER_HOST")) {
        (Some(host), _) => (host.to_owned(), "--host"),
        (None, Ok(host)) => (host, "DOCKER_HOST"),
        (None, Err(_)) => ("unix:///var/run/docker.sock".to_owned(), "the default socket"),
    };
    Err(Failure::new(Code::EngineUnreachable, format!("no engine answers at {address} (from {found_by})"))
        .hint("start one with 'systemctl start docker', or name another with --host; 'palisade doctor' says more"))
}

/// Every profile.
pub fn profiles() -> Result<Vec<ProfileRow>> {
    Err(Failure::new(Code::Internal, "profiles are not wired in"))
}

/// Every check, and whether an engine answers.
pub async fn examine(host: Option<&str>) -> (Vec<Check>, bool) {
    match connect(host).await {
        Ok(_) => (Vec::new(), true),
        Err(failure) => {
            let check = Check { name: "engine".into(), state: CheckState::Failed, found: failure.message, advice: failure.hint };
            (vec![check], false)
        }
    }
}

/// Builds the sandbox image.
#[expect(clippy::unused_async, reason = "stands in until the image recipe is there")]
pub async fn build_image(_: &Backend, _: &BuildOrder, _: &dyn Reporter) -> Result<ImageBuilt> {
    Err(Failure::new(Code::Internal, "the image build is not wired in"))
}

/// `palisade supervise ARGS`, inside a sandbox.
pub fn supervise(_: &[OsString]) -> u8 {
    125
}

/// `palisade probe ARGS`, in a session's PID namespace.
pub fn probe(_: &[OsString]) -> u8 {
    125
}
