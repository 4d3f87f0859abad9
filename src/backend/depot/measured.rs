//! The depot's posture: held to the same as a session, but for the one control in which they are meant to differ.

use super::standing::requested;
use crate::backend::Backend;
use crate::backend::measure::Moment;
use crate::policy::controls::Control;
use crate::policy::posture::Verdict;
use crate::policy::{Posture, audit};
use crate::session::{ContainerFacts, KernelFacts, Status};
use crate::units::Untrusted;

/// Sessions outlive a depot that fell, so the engine starts it again; its operator's stop stays a stop.
const RESTART: &str = "unless-stopped";

/// Compares, as for a session. A depot that nothing starts again is no weaker, one that even a stop does not end is.
pub fn audit(facts: &ContainerFacts, kernel: Result<&KernelFacts, &str>) -> Posture {
    let mut posture = audit::audit(requested(facts).as_ref(), facts, kernel);
    for control in posture.controls.iter_mut().filter(|control| control.control == Control::RestartPolicy) {
        RESTART.clone_into(&mut control.requested);
        if facts.restart_policy == RESTART {
            (control.verdict, control.reason) = (Verdict::Enforced, None);
        } else if control.verdict >= Verdict::Weaker {
            control.reason = Some(Untrusted::from("the engine would start it again after its operator's own stop"));
        }
    }
    posture
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
