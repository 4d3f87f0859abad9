//! Stopping, starting again, removing: what an operator does to a session that exists.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::engine::WaitFor;
use super::evidence::Seen;
use super::launch::Shown;
use super::leftovers::{UnderWay, Work};
use super::measure::{refuse, requested_of};
use super::prepare::{random, session_name};
use super::renew::spans_of;
use super::{Backend, Launched};
use crate::failure::{Code, Failure, Result};
use crate::policy::audit::audit;
use crate::policy::plan::Plan;
use crate::policy::{SecretSource, env, plan};
use crate::session::{ContainerFacts, Kind, Session, Status, labels};
use crate::supervisor::gate::{Frame, Stdin};
use crate::units::{SessionName, Untrusted};

/// How often, and how far apart, it is looked whether what has ended is being removed.
const REMOVAL_LOOKS: u32 = 40;
const REMOVAL_LOOK: std::time::Duration = std::time::Duration::from_millis(50);

impl Backend {
    /// Sends a signal to the session's command, by its name (`SIGINT`).
    pub async fn signal(&self, who: &str, signal: &str) -> Result<()> {
        let session = self.find(who).await?;
        self.engine.kill(&session.container_id, signal).await?;
        self.record("signal", &session, json!({ "signal": signal }));
        Ok(())
    }

    /// Stops it: SIGTERM, its grace, SIGKILL. `None` takes the grace it was launched with.
    pub async fn stop(&self, who: &str, grace_s: Option<u64>) -> Result<Session> {
        self.settle_before(Some(who)).await;
        let session = self.find(who).await?;
        self.engine.stop(&session.container_id, grace_s).await?;
        self.record("stop", &session, json!({ "grace_s": grace_s }));
        self.container_ended(&session, Seen::by("stop")).await;
        Ok(session)
    }

    /// Starts a stopped session again and measures it as at launch. `secrets` as at launch (`NAME[=ENV]`), where other than then.
    pub async fn start(&self, who: &str, secrets: &[String]) -> Result<Launched> {
        self.settle_before(Some(who)).await;
        Box::pin(self.start_as(who, secrets, None, None)).await
    }

    /// Stops it, where it runs, and starts it again. Killed in between, the next command starts it.
    pub async fn restart(&self, who: &str, grace_s: Option<u64>, secrets: &[String]) -> Result<Launched> {
        self.settle_before(Some(who)).await;
        let session = self.find(who).await?;
        if session.kind == Kind::Ephemeral {
            return Err(Failure::new(Code::Conflict, format!("'{}' is ephemeral: it is removed when it stops", session.name))
                .hint("launch a persistent session with 'palisade launch' where it has to survive a restart"));
        }
        // By id from here on: a rename in between changes nothing.
        let facts = self.engine.inspect(&session.container_id).await?;
        if !facts.status.unwrap_or(session.status).is_live() {
            return Box::pin(self.start_as(&session.container_id, secrets, None, None)).await;
        }
        self.begin_again(&session, &facts, grace_s, secrets, "stop").await
    }

    /// Stops what runs and starts it again, as work that is settled wherever it is cut short.
    pub(super) async fn begin_again(
        &self,
        session: &Session,
        facts: &ContainerFacts,
        grace_s: Option<u64>,
        secrets: &[String],
        by: &'static str,
    ) -> Result<Launched> {
        // Before anything is stopped: it could not be started again.
        self.secret_values(&secrets_of(facts, secrets)?)?;
        let container = &session.container_id;
        let (id, name) = (session.id, session.name.clone());
        let restart = Work::Restart { session: id, name, container: container.clone(), secrets: secrets.to_vec() };
        let mut work = self.begin(restart)?;
        let launched = async {
            self.engine.stop(container, grace_s).await?;
            self.record("stop", session, json!({ "grace_s": grace_s }));
            self.container_ended(session, Seen::by(by)).await;
            Box::pin(self.start_as(container, secrets, None, Some(&mut work))).await
        };
        let launched = launched.await;
        work.ended(&launched);
        launched
    }

    /// Starts what is stopped: a container that was just made by this plan, or as a step of work that is told before the session's command may
    /// have begun.
    pub(super) async fn start_as(
        &self,
        who: &str,
        secrets: &[String],
        plan: Option<&Plan>,
        work: Option<&mut UnderWay>,
    ) -> Result<Launched> {
        let session = self.find(who).await?;
        let facts = self.engine.inspect(&session.container_id).await?;
        // Not as listed: an engine's list can lag behind the stop that it has just confirmed.
        let status = facts.status.unwrap_or(session.status);
        if status.is_live() {
            return Err(Failure::new(Code::Conflict, format!("'{}' is {status} already", session.name))
                .hint(format!("palisade restart {} stops it first", session.name)));
        }
        // It may have ended by itself: this is who sees it.
        self.run_ended(&session, Some(&facts), Seen::by("start")).await;
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
        let key: [u8; 32] = random()?;
        let frame = Frame::new(stdin, &values, depot)
            .renewed_by(&key)
            .encode()
            .map_err(|error| Failure::new(Code::Refused, error.to_string()).detail("'--secret'"))?;
        match self.open_gate(&session.container_id, WaitFor::NextExit, &session.name, &frame, Shown::ByStreams, work).await {
            Ok(open) => {
                let (ttl, idle) = spans_of(&facts);
                self.began(&open.launched.session, key, ttl, idle).await;
                self.record("start", &open.launched.session, json!({ "posture": open.launched.posture }));
                self.run_began(&open.launched.session, &open.facts, &open.launched.posture, plan).await;
                Ok(open.launched)
            }
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
            done => done.map(|()| {
                self.record("pause", &session, Value::Null);
                session
            }),
        }
    }

    /// Lets a paused session go on.
    pub async fn unpause(&self, who: &str) -> Result<Session> {
        let session = self.find(who).await?;
        match self.engine.unpause(&session.container_id).await {
            // Not every engine has a status of its own for this.
            Err(failure) if matches!(failure.code, Code::Conflict | Code::EngineError) => Err(self.not_as_needed(&session, failure).await),
            done => done.map(|()| {
                self.record("unpause", &session, Value::Null);
                session
            }),
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
        self.settle().await;
        let session = self.find(who).await?;
        let name = session_name(new_name, &self.settings.depot.name)?;
        if name == session.name {
            return Err(Failure::new(Code::Conflict, format!("'{name}' is its name already")));
        }
        let (container, from, to) = (session.container_id.clone(), session.name.clone(), name.clone());
        let work = self.begin(Work::Rename { session: session.id, container, from, to })?;
        let renamed = match self.engine.rename(&session.container_id, &format!("{}{name}", labels::CONTAINER_PREFIX)).await {
            Err(failure) if failure.code == Code::Conflict => {
                let message = format!("'{}' cannot be called '{name}': the name is taken", session.name);
                Err(Failure { message, ..failure })
            }
            Err(failure) => Err(self.unless_removed(&session.container_id, &session.name, failure).await),
            Ok(()) => {
                self.renamed(&session, &name).await;
                self.record("rename", &session, json!({ "to": name }));
                Ok(Session { name, ..session })
            }
        };
        work.ended(&renamed);
        renamed
    }

    /// Why something could not be done to a session, which need not be what the engine made of it where somebody removed it meanwhile.
    pub(super) async fn unless_removed(&self, container: &str, name: &SessionName, failure: Failure) -> Failure {
        if matches!(failure.code, Code::EngineUnreachable | Code::Interrupted) {
            return failure;
        }
        if !self.is_removed(container).await {
            return failure;
        }
        Failure::new(Code::NotFound, format!("'{name}' was removed meanwhile")).detail(failure.message)
    }

    /// Whether somebody has removed a container, or is about to: it is ended first, the engine hears of that, and removes it a moment later.
    async fn is_removed(&self, container: &str) -> bool {
        for _ in 0..REMOVAL_LOOKS {
            match self.engine.inspect(container).await {
                Ok(facts) if matches!(facts.status, Some(Status::Running | Status::Exited)) => tokio::time::sleep(REMOVAL_LOOK).await,
                Ok(facts) => return matches!(facts.status, Some(Status::Removing | Status::Dead)),
                Err(failure) => return failure.code == Code::NotFound,
            }
        }
        false
    }

    /// Removes a session and its volumes. A live one only with `force`.
    pub async fn remove(&self, who: &str, force: bool) -> Result<Session> {
        self.settle().await;
        let session = match self.find(who).await {
            Ok(session) => session,
            Err(failure) => {
                // What was meant may be what somebody else's killed palisade left.
                if failure.code == Code::NotFound {
                    self.sweep_beside().await;
                }
                return Err(failure);
            }
        };
        if session.status.is_live() && !force {
            let status = self.engine.inspect(&session.container_id).await?.status.unwrap_or(session.status);
            if status.is_live() {
                return Err(Failure::new(Code::Conflict, format!("'{}' is {status}", session.name))
                    .hint(format!("stop it first, or end and remove it at once with: palisade rm -f {}", session.name)));
            }
        }
        let volumes = vec![plan::home_volume(session.id), plan::cache_volume(session.id)];
        let (id, name, container) = (session.id, session.name.clone(), session.container_id.clone());
        let work = self.begin(Work::Remove { session: id, name, container, volumes })?;
        let last = self.engine.inspect(&session.container_id).await.ok();
        self.remove_to_its_end(&session.container_id).await?;
        // Before its volumes: they may fail, and it is gone all the same.
        self.record("remove", &session, json!({ "force": force }));
        self.run_ended(&session, last.as_ref(), Seen::by("rm")).await;
        self.forget(&session).await;
        self.remove_volumes(&session).await?;
        work.done();
        self.sweep_beside().await;
        Ok(session)
    }

    /// Home and caches. Only a volume that says it is this session's: a foreign one by the same name stays.
    async fn remove_volumes(&self, session: &Session) -> Result<()> {
        for name in [plan::home_volume(session.id), plan::cache_volume(session.id)] {
            match self.engine.volume(&name).await {
                Ok(volume) if volume.labels.get(labels::ID).is_some_and(|id| id.raw() == session.id.to_string()) => {
                    self.remove_volume_once_free(&name).await?;
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
pub(super) fn secrets_of(facts: &ContainerFacts, now: &[String]) -> Result<BTreeMap<String, SecretSource>> {
    let label = facts.labels.get(labels::SECRETS).map(Untrusted::raw).unwrap_or_default();
    let launched: Vec<String> = label.split(',').filter(|secret| !secret.is_empty()).map(str::to_owned).collect();
    let mut sources = env::secrets(&launched)?;
    sources.extend(env::secrets(now)?);
    Ok(sources)
}
