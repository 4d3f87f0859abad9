//! The depot's posture: held to the same as a session, but for the one control in which they are meant to differ.

use super::standing::requested;
use crate::backend::Backend;
use crate::backend::measure::Moment;
use crate::policy::Posture;
use crate::policy::audit;
use crate::session::{ContainerFacts, KernelFacts, Status};

/// Compares, as for a session. A label that cannot be read leaves the floor.
pub fn audit(facts: &ContainerFacts, kernel: Result<&KernelFacts, &str>) -> Posture {
    match requested(facts) {
        Some(requested) => audit::audit_depot(&requested, facts, kernel),
        None => audit::audit(None, facts, kernel),
    }
}

impl Backend {
    /// The depot's posture as it stands.
    pub(super) async fn depot_posture(&self, facts: &ContainerFacts) -> Posture {
        let kernel = match facts.status {
            Some(Status::Running | Status::Paused) => self.kernel_facts(facts, Moment::Later).await,
            _ => Err("the depot is not running".to_owned()),
        };
        audit(facts, kernel.as_ref().map_err(String::as_str))
    }
}
