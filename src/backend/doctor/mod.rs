//! Whether this machine and its engine can hold what a policy promises, and what to do where they cannot.
//!
//! Gathering and judging are apart: [`judge`] is a function of [`Facts`] alone.

mod facts;
mod gather;
mod judge;
mod packages;

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use super::engine::Engine;
use crate::failure::Failure;

pub use facts::{DepotSide, EngineSide, Facts, HostSide, ImageSide, SupervisorSide};
pub use judge::judge;

/// One thing that was examined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its name, part of the JSON output.
    pub name: &'static str,
    /// How it stands.
    pub state: CheckState,
    /// What was found; safe to show.
    pub found: String,
    /// What to do, or what could be better.
    pub advice: Option<String>,
}

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// As it should be.
    Ok,
    /// Sandboxes run, with less than there could be.
    Warning,
    /// Sandboxes do not run, or a launch would be refused.
    Failed,
}

/// What the settings say about what is examined.
#[derive(Debug, Clone)]
pub struct DoctorInputs {
    /// The sandbox image's tag.
    pub image_tag: String,
    /// Certificate authorities for image builds, as the settings resolve to.
    pub ca_bundle: Option<PathBuf>,
    /// The volume that this version's supervisor lives in.
    pub supervisor_volume: String,
    /// The depot's container.
    pub depot: String,
    /// The proxy to the registries, where all that the settings say of them can be read.
    pub proxy: Result<String, Failure>,
    /// Whether a session's supervisor is to be reached past the engine.
    pub direct_terminals: bool,
    /// The present moment.
    pub now: Timestamp,
}

/// Examines an engine, or what kept it from answering, and this machine.
pub async fn examine(engine: Result<&dyn Engine, &Failure>, inputs: &DoctorInputs) -> Vec<Check> {
    judge(&gather::facts(engine, inputs).await)
}
