//! The processes of a session with the rights that they have: from the kernel, never from the session.

use std::sync::Arc;

use super::Backend;
use super::measure::Moment;
use crate::failure::{Code, Failure, Result};
use crate::session::{KernelSource, Process, ProcessFacts, ProcessList, Session};
use crate::units::{CapSet, Untrusted};

impl Backend {
    /// Every process that belongs to a session by any tie.
    pub async fn processes(&self, who: &str) -> Result<ProcessList> {
        Ok(self.processes_of(who).await?.1)
    }

    /// The same, with the session that was meant.
    pub async fn processes_of(&self, who: &str) -> Result<(Session, ProcessList)> {
        let session = self.find(who).await?;
        let container = self.engine.inspect(&session.container_id).await?;
        if container.pid.is_none() {
            let status = container.status.unwrap_or(session.status);
            return Err(Failure::new(Code::Conflict, format!("'{}' is not running but {status}: it has no processes", session.name))
                .hint(format!("start it with: palisade start {}", session.name)));
        }
        let facts = self
            .kernel_facts(&container, Moment::Later)
            .await
            .map_err(|why| Failure::new(Code::EngineError, format!("the processes of '{}' cannot be read", session.name)).detail(why))?;
        let (source, hidden) = (facts.source, facts.hidden_processes);
        let reader = Arc::clone(&self.kernel);
        let read = move || {
            let commands = match source {
                KernelSource::Host => reader.command_lines(&facts.processes),
                // Their numbers are another PID namespace's.
                KernelSource::Probe => vec![None; facts.processes.len()],
            };
            facts.processes.into_iter().zip(commands).map(|(facts, command)| process(facts, command)).collect()
        };
        let processes = tokio::task::spawn_blocking(read).await.map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
        Ok((session, ProcessList { source, processes, hidden }))
    }
}

fn process(facts: ProcessFacts, command: Option<Untrusted>) -> Process {
    let [_, uid, ..] = facts.uids;
    Process {
        pid: facts.pid,
        container_pid: facts.container_pid,
        name: facts.name,
        exe: facts.exe,
        command,
        uid,
        capabilities: CapSet(facts.cap_eff.0 | facts.cap_prm.0 | facts.cap_amb.0),
        no_new_privs: facts.no_new_privs,
        seccomp: facts.seccomp,
        membership: facts.membership,
    }
}
