//! Measuring a session: the engine's report and the kernel's facts, compared with what was requested.

use std::sync::Arc;

use std::time::{Duration, Instant};

use super::kernel::probe;
use super::leftovers::Work;
use super::{Backend, Life, Today};
use crate::failure::{Code, Failure, Result};
use crate::kernel::Unreadable;
use crate::policy::Posture;
use crate::policy::audit::{Requested, audit};
use crate::policy::drift::Standing;
use crate::session::{ContainerFacts, KernelFacts, ProcessFacts, Session, Status, labels};
use crate::units::hex;

/// How long a supervisor may take to come up before a launch is given up: generous, for loaded machines.
const GATE_DEADLINE: Duration = Duration::from_mins(1);

/// The supervisor is about to be trusted with the secrets: it must be this very program.
const NOT_OURS: &str = "the supervisor in the session is not this program";

/// How often a session is read again because of somebody else's probe.
const MOST_LOOKS: u32 = 5;

/// When a session is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Before its command began: once the supervisor waits at the gate.
    AtGate,
    /// At any later time.
    Later,
}

impl Backend {
    /// Measures the posture of a session now.
    pub async fn verify(&self, who: &str, today: &Today) -> Result<(Session, Posture, Standing)> {
        let (session, _, posture, standing) = self.measure_now(who, today).await?;
        self.was_verified(&session, &posture, &standing).await;
        Ok((session, posture, standing))
    }

    /// The same where it is seen by the way: written down where it is another than before.
    pub async fn verify_aside(&self, who: &str, today: &Today) -> Result<(Posture, Standing, Life)> {
        let (session, container, posture, standing) = self.measure_now(who, today).await?;
        self.noticed(&container, &posture, &standing).await;
        let life = self.life(&session, &container).await;
        Ok((posture, standing, life))
    }

    async fn measure_now(&self, who: &str, today: &Today) -> Result<(Session, ContainerFacts, Posture, Standing)> {
        let session = self.find(who).await?;
        let container = self.engine.inspect(&session.container_id).await?;
        let (posture, kernel) = self.measured(&container).await;
        let standing = self.standing(&container, kernel.as_ref(), today).await;
        Ok((session, container, posture, standing))
    }

    /// The posture of a container as it stands, and what the kernel shows of it.
    pub(super) async fn measured(&self, container: &ContainerFacts) -> (Posture, Option<KernelFacts>) {
        let requested = requested_of(container);
        let kernel = match container.status {
            Some(Status::Running | Status::Paused) => self.kernel_facts(container, Moment::Later).await,
            _ => Err("the session is not running".to_owned()),
        };
        (audit(requested.as_ref(), container, kernel.as_ref().map_err(String::as_str)), kernel.ok())
    }

    /// What the kernel shows of a running container: from this host where it is the engine's, else by a probe.
    pub(super) async fn kernel_facts(&self, container: &ContainerFacts, moment: Moment) -> std::result::Result<KernelFacts, String> {
        let Some(pid) = container.pid else { return Err("the session is not running".to_owned()) };
        self.or_by_probe(container, moment, self.facts_from_host(container, pid, moment).await).await
    }

    /// What the host's files showed, or else what a probe does.
    pub(super) async fn or_by_probe(
        &self,
        container: &ContainerFacts,
        moment: Moment,
        read: std::result::Result<KernelFacts, Unreadable>,
    ) -> std::result::Result<KernelFacts, String> {
        let ended = || Err("the session ended while it was measured".to_owned());
        match read {
            Ok(facts) => Ok(self.undisturbed(container, moment, facts).await),
            Err(Unreadable::Gone) => ended(),
            // What has just ended looks as if it were elsewhere, and by the time a probe comes it may be another run of the session.
            Err(Unreadable::NotLocal) if moment == Moment::Later && (self.kernel.has_read() || !self.is_same_run(container).await) => {
                ended()
            }
            Err(Unreadable::TimedOut) => Err(format!("the supervisor was not ready within {} s", GATE_DEADLINE.as_secs())),
            Err(Unreadable::NotLocal | Unreadable::Denied | Unreadable::Other(_)) => self.facts_by_probe(container, moment).await,
        }
    }

    /// Whether it still runs as the process that it was when it was looked at.
    async fn is_same_run(&self, container: &ContainerFacts) -> bool {
        self.engine.inspect(&container.id).await.is_ok_and(|now| now.pid.is_some() && now.pid == container.pid)
    }

    /// The facts, read again where somebody else's probe may have been in the session meanwhile: it would be taken for an intruder. What
    /// is there for any other reason is there afterwards, too.
    async fn undisturbed(&self, container: &ContainerFacts, moment: Moment, mut facts: KernelFacts) -> KernelFacts {
        let is_guest = |process: &ProcessFacts| process.membership.cgroup == Some(false) && process.membership.pid_namespace == Some(true);
        let mut looks = 0;
        while facts.processes.iter().any(is_guest) && looks < MOST_LOOKS {
            let was_probed = probe::left(self.engine.as_ref(), &container.id).await;
            // It may have been removed before it was asked for.
            if looks > 0 && !was_probed {
                break;
            }
            looks += 1;
            match container.pid {
                Some(pid) => match self.facts_from_host(container, pid, moment).await {
                    Ok(now) => facts = now,
                    Err(_) => break,
                },
                None => break,
            }
        }
        facts
    }

    async fn facts_from_host(&self, container: &ContainerFacts, pid: u32, moment: Moment) -> std::result::Result<KernelFacts, Unreadable> {
        let reader = Arc::clone(&self.kernel);
        let id = container.id.clone();
        let digests = self.paths.cache.join("digests.json");
        let read = move || {
            if moment == Moment::AtGate {
                let supervisor = reader.wait_for_gate(&id, pid, Instant::now() + GATE_DEADLINE)?;
                let own = reader.exe_digest(std::process::id(), Some(&digests))?;
                if reader.exe_digest(supervisor, Some(&digests))? != own {
                    return Err(Unreadable::Other(NOT_OURS.to_owned()));
                }
            }
            reader.read(&id, pid)
        };
        tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| Err(Unreadable::Other(error.to_string())))
    }

    async fn facts_by_probe(&self, container: &ContainerFacts, moment: Moment) -> std::result::Result<KernelFacts, String> {
        let told = |failure: Failure| [vec![failure.message], failure.details].concat().join(": ");
        let volume = self.supervisor_volume(&container.image_id).await.map_err(told)?;
        let (engine, id, image) = (self.engine.as_ref(), container.id.as_str(), container.image_id.as_str());
        let work = self.begin(Work::Helper { name: probe::name(id) }).map_err(told)?;
        let maker = work.label();
        if moment == Moment::Later {
            let facts = probe::read(engine, id, image, &volume, &maker).await;
            work.ended(&facts);
            return facts.map_err(told);
        }
        let report = probe::read_at_gate(engine, id, image, &volume, GATE_DEADLINE, &maker).await;
        work.ended(&report);
        let report = report.map_err(told)?;
        let own = hex(&self.own_digest().map_err(told)?);
        match report.gate {
            Some(gate) if gate.exe_sha256 == own => Ok(report.facts),
            Some(_) => Err(NOT_OURS.to_owned()),
            None => Err("the supervisor was not found waiting".to_owned()),
        }
    }
}

/// What the session asked for, as its label says; `None` where there is no readable one, and the floor holds alone.
pub(super) fn requested_of(container: &ContainerFacts) -> Option<Requested> {
    serde_json::from_str(container.labels.get(labels::REQUESTED)?.raw()).ok()
}

/// The failure of a launch whose container is weaker than what was asked.
pub(super) fn refuse(name: impl std::fmt::Display, posture: &Posture) -> Failure {
    let mut failure = Failure::new(Code::AuditFailed, format!("the engine gave '{name}' less than was asked, so it was not started"));
    for control in posture.failing() {
        let reason = control.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        failure = failure.detail(format!("{} is {}{reason}", control.control, control.verdict));
        failure = failure.detail(format!("  requested {}; engine {}; kernel {}", control.requested, control.engine, control.kernel));
    }
    failure.hint("nothing was left behind; palisade doctor says what this engine can enforce")
}
