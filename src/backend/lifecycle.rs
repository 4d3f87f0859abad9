//! Stopping, starting again, removing: what an operator does to a session that exists.

use std::collections::BTreeMap;

use super::engine::WaitFor;
use super::launch::Shown;
use super::listing::is_abandoned_helper;
use super::measure::{refuse, requested_of};
use super::prepare::session_name;
use super::{Backend, Launched};
use crate::failure::{Code, Failure, Result};
use crate::policy::audit::audit;
use crate::policy::{SecretSource, env, plan};
use crate::session::{ContainerFacts, Kind, Session, Status, labels};
use crate::supervisor::gate::{Frame, Stdin};
use crate::units::Untrusted;

impl Backend {
    /// Sends a signal to the session's command, by its name (`SIGINT`).
    pub async fn signal(&self, who: &str, signal: &str) -> Result<()> {
        let session = self.find(who).await?;
        self.engine.kill(&session.container_id, signal).await
    }

    /// Stops it: SIGTERM, its grace, SIGKILL. `None` takes the grace it was launched with.
    pub async fn stop(&self, who: &str, grace_s: Option<u64>) -> Result<Session> {
        let session = self.find(who).await?;
        self.engine.stop(&session.container_id, grace_s).await?;
        Ok(session)
    }

    /// Starts a stopped session again and measures it as at launch. `secrets` as at launch (`NAME[=ENV]`), where other than then.
    pub async fn start(&self, who: &str, secrets: &[String]) -> Result<Launched> {
        let session = self.find(who).await?;
        let facts = self.engine.inspect(&session.container_id).await?;
        // Not as listed: an engine's list can lag behind the stop that it has just confirmed.
        let status = facts.status.unwrap_or(session.status);
        if status.is_live() {
            return Err(Failure::new(Code::Conflict, format!("'{}' is {status} already", session.name))
                .hint(format!("palisade restart {} stops it first", session.name)));
        }
        let values = self.secret_values(&secrets_of(&facts, secrets)?)?;
        let paper = audit(requested_of(&facts).as_ref(), &facts, Err("not started yet"));
        if paper.is_weaker() {
            return Err(refuse(&session.name, &paper).hint("it was left as it is: launch a new one, then palisade rm it"));
        }
        let stdin = match session.kind {
            Kind::Persistent => Stdin::Null,
            Kind::Ephemeral => Stdin::Pass,
        };
        let depot = self.token_again(&session, &facts).await?;
        let frame = Frame::new(stdin, &values, depot)
            .encode()
            .map_err(|error| Failure::new(Code::Refused, error.to_string()).detail("'--secret'"))?;
        match self.open_gate(&session.container_id, WaitFor::NextExit, &session.name, &frame, Shown::ByStreams).await {
            Ok(open) => Ok(open.launched),
            Err(failure) => {
                // Its home stays: a session that measured weaker is stopped, not removed.
                let stopped = self.engine.stop(&session.container_id, Some(0)).await;
                Err(match stopped {
                    Ok(()) => failure,
                    Err(error) => failure.detail(format!("it could not be stopped again: {}", error.message)),
                })
            }
        }
    }

    /// Freezes every process of a session. Its deadline runs on.
    pub async fn pause(&self, who: &str) -> Result<Session> {
        let session = self.find(who).await?;
        match self.engine.pause(&session.container_id).await {
            Err(failure) if failure.code == Code::Conflict => Err(self.not_as_needed(&session, failure).await),
            done => done.map(|()| session),
        }
    }

    /// Lets a paused session go on.
    pub async fn unpause(&self, who: &str) -> Result<Session> {
        let session = self.find(who).await?;
        match self.engine.unpause(&session.container_id).await {
            // Not every engine has a status of its own for this.
            Err(failure) if matches!(failure.code, Code::Conflict | Code::EngineError) => Err(self.not_as_needed(&session, failure).await),
            done => done.map(|()| session),
        }
    }

    /// The failure in the session's own terms, where its state is the reason.
    async fn not_as_needed(&self, session: &Session, failure: Failure) -> Failure {
        let Ok(facts) = self.engine.inspect(&session.container_id).await else { return failure };
        let name = &session.name;
        let told = |text: String| Failure { message: text, ..failure.clone() };
        match facts.status {
            Some(Status::Paused) => told(format!("'{name}' is paused already")).hint(format!("it goes on with: palisade unpause {name}")),
            Some(Status::Running) => told(format!("'{name}' is running: there is nothing to unpause")),
            Some(status) => told(format!("'{name}' is not running but {status}")).hint(format!("start it with: palisade start {name}")),
            None => failure,
        }
    }

    /// Gives a session another name, running or not. Its id, home and caches stay what they are.
    pub async fn rename(&self, who: &str, new_name: &str) -> Result<Session> {
        let session = self.find(who).await?;
        let name = session_name(new_name, &self.settings.depot.name)?;
        match self.engine.rename(&session.container_id, &format!("{}{name}", labels::CONTAINER_PREFIX)).await {
            Err(failure) if failure.code == Code::Conflict => {
                let message = format!("'{}' cannot be called '{name}': the name is taken", session.name);
                Err(Failure { message, ..failure })
            }
            done => done.map(|()| Session { name, ..session }),
        }
    }

    /// Removes a session and its volumes. A live one only with `force`.
    pub async fn remove(&self, who: &str, force: bool) -> Result<Session> {
        let session = self.find(who).await?;
        if session.status.is_live() && !force {
            let status = self.engine.inspect(&session.container_id).await?.status.unwrap_or(session.status);
            if status.is_live() {
                return Err(Failure::new(Code::Conflict, format!("'{}' is {status}", session.name))
                    .hint(format!("stop it first, or end and remove it at once with: palisade rm -f {}", session.name)));
            }
        }
        self.engine.remove(&session.container_id).await?;
        self.remove_volumes(&session).await?;
        self.sweep().await?;
        Ok(session)
    }

    /// Removes helper containers that a killed manager left: by label and age, so that none in use is taken away.
    async fn sweep(&self) -> Result<()> {
        for container in self.engine.our_containers().await? {
            if is_abandoned_helper(&container) {
                self.engine.remove(&container.id).await?;
            }
        }
        Ok(())
    }

    /// Home and caches. Only a volume that says it is this session's: a foreign one by the same name stays.
    async fn remove_volumes(&self, session: &Session) -> Result<()> {
        for name in [plan::home_volume(session.id), plan::cache_volume(session.id)] {
            match self.engine.volume(&name).await {
                Ok(volume) if volume.labels.get(labels::ID).is_some_and(|id| id.raw() == session.id.to_string()) => {
                    self.engine.remove_volume(&name).await?;
                }
                Err(failure) if failure.code != Code::NotFound => return Err(failure),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// The engine's facts of a session that must be running for what is asked of it.
    pub(super) async fn running(&self, who: &str) -> Result<(Session, ContainerFacts)> {
        let session = self.find(who).await?;
        let facts = self.engine.inspect(&session.container_id).await?;
        if facts.status == Some(Status::Running) {
            return Ok((session, facts));
        }
        let hint = match facts.status {
            Some(Status::Paused) => format!("it is frozen; it goes on with: palisade unpause {}", session.name),
            _ => format!("start it with: palisade start {}", session.name),
        };
        Err(Failure::new(Code::Conflict, format!("'{}' is not running but {}", session.name, facts.status.unwrap_or(Status::Unknown)))
            .hint(hint))
    }
}

/// Secrets by what the label keeps of the launch, with what was said now in place of it.
fn secrets_of(facts: &ContainerFacts, now: &[String]) -> Result<BTreeMap<String, SecretSource>> {
    let label = facts.labels.get(labels::SECRETS).map(Untrusted::raw).unwrap_or_default();
    let launched: Vec<String> = label.split(',').filter(|secret| !secret.is_empty()).map(str::to_owned).collect();
    let mut sources = env::secrets(&launched)?;
    sources.extend(env::secrets(now)?);
    Ok(sources)
}
