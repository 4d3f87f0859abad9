//! Layers of profiles to one policy.

use super::{Policy, profile::Profile};
use crate::failure::{Code, Failure, Result};

/// One profile and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// What it says.
    pub profile: Profile,
    /// The name that errors use: `.palisade.toml`, `profile strict`, `the command line`.
    pub origin: String,
    /// How far it is trusted.
    pub trust: Trust,
}

/// How far a layer is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Embedded, the operator's own folder, or the command line: may widen, never below the floor.
    Operator,
    /// Found in a project folder: may only narrow what the layers below it give.
    Project,
}

/// The layers, lowest first, as one policy. The lowest decides every field (the embedded default does).
pub fn resolve(name: &str, layers: &[Layer]) -> Result<Policy> {
    let _ = (name, layers);
    Err(Failure::new(Code::Internal, "placeholder"))
}
