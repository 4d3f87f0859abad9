//! A depot that listens, whatever was there before: found, started, made or replaced. Managers that want it at the
//! same moment end up with the same one.

use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::standing::{Seen, Standing, is_ours, judge};
use super::{Blueprint, DepotAccess, make};
use crate::backend::prepare::interrupted;
use crate::backend::{Backend, Reporter};
use crate::failure::{Code, Failure, Result};
use crate::session::ContainerFacts;

const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Nobody needs so long: a manager that was killed while it made one has been given up by then, and its depot made anew.
const GIVE_UP: Duration = Duration::from_mins(4);
/// A depot that is replaced may end what it is sending, so that clients need not begin again.
const GRACE_S: u64 = 10;

impl Backend {
    /// A depot as the settings want it, and what a launch needs of it. Two cheap requests where all is well.
    pub async fn ensure_depot(&self, reporter: &dyn Reporter) -> Result<DepotAccess> {
        self.settle().await;
        let blueprint = self.depot_blueprint()?;
        let [_, socket_volume] = blueprint.volumes();
        let access = |key| DepotAccess { key, socket_volume: socket_volume.clone() };
        let until = Instant::now() + GIVE_UP;
        // What was found outdated, and whether that was replaced by this call.
        let (mut suspect, mut replaced) = (None, false);
        loop {
            self.go_on()?;
            if Instant::now() > until {
                return Err(Failure::new(Code::Conflict, format!("the depot '{}' did not come to rest", blueprint.name()))
                    .hint("palisade depot status and palisade depot logs tell what becomes of it"));
            }
            let Some(seen) = self.look_at_depot(&blueprint.name()).await? else {
                match self.make_depot(&blueprint, reporter).await? {
                    Some(made) => return Ok(made),
                    None => self.pause_depot_watch().await?,
                }
                continue;
            };
            match judge(&seen, &blueprint, now(), self.filling_takes(&seen.facts.labels))? {
                Standing::Ready(key) => return Ok(access(key)),
                Standing::Starting(key) => {
                    let started = seen.facts.started.and_then(|started| started.checked_sub(Duration::from_secs(1)).ok());
                    self.depot_listens(&seen.facts.id, started).await?;
                    return Ok(access(key));
                }
                Standing::Stopped(key) => {
                    reporter.step(&format!("starting the package depot {}", blueprint.name()));
                    match self.start_depot(&seen.facts).await {
                        // Removed by another manager in between.
                        Err(failure) if failure.code == Code::NotFound && self.is_gone(&seen.facts.id).await? => {}
                        started => return started.map(|()| access(key)),
                    }
                }
                Standing::InHand => self.pause_depot_watch().await?,
                // Container and configuration may have been read on either side of another manager's work: only what is found
                // twice is so.
                Standing::Outdated(_) if suspect.as_ref() != Some(&seen.facts.id) => suspect = Some(seen.facts.id),
                Standing::Outdated(why) => {
                    if replaced {
                        return Err(contended(&blueprint));
                    }
                    reporter.step(&format!("replacing the package depot {}: {why}", blueprint.name()));
                    self.withdraw_depot(&seen.facts).await?;
                    replaced = true;
                }
                Standing::Frozen => return Err(frozen(blueprint.name())),
                Standing::Foreign => return Err(foreign(&blueprint.name())),
            }
        }
    }

    /// What the depot is to be, by this program and these settings.
    pub(super) fn depot_blueprint(&self) -> Result<Blueprint<'_>> {
        Blueprint::new(&self.kernel, &self.paths, &self.settings, &self.environment)
    }

    /// The container of that name; `None` where there is none.
    pub(super) async fn look_at_depot(&self, name: &str) -> Result<Option<Seen>> {
        let facts = match self.engine.inspect(name).await {
            Ok(facts) => facts,
            Err(failure) if failure.code == Code::NotFound => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let config = self.depot_file(&facts, &make::config_path(), make::LARGEST_CONFIG).await;
        let config = match config {
            // Whatever someone else's container has there is none of our business, and one of ours may be on its way out.
            Err(failure) if is_ours(&facts) && matches!(failure.code, Code::EngineUnreachable | Code::Interrupted) => return Err(failure),
            Err(_) | Ok(None) => None,
            Ok(Some(text)) => serde_json::from_slice(&text).ok(),
        };
        *self.depot_seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(facts.clone());
        Ok(Some(Seen { facts, config }))
    }

    /// Stops and removes a depot of ours. By its id: one that another manager has made meanwhile is left alone.
    async fn withdraw_depot(&self, facts: &ContainerFacts) -> Result<()> {
        if facts.status.is_some_and(crate::session::Status::is_live) {
            match self.engine.stop(&facts.id, Some(GRACE_S)).await {
                Err(failure) if failure.code != Code::NotFound => return Err(failure),
                _ => {}
            }
        }
        self.engine.remove(&facts.id).await
    }

    pub(super) async fn is_gone(&self, id: &str) -> Result<bool> {
        match self.engine.inspect(id).await {
            Ok(_) => Ok(false),
            Err(failure) if failure.code == Code::NotFound => Ok(true),
            Err(failure) => Err(failure),
        }
    }

    async fn pause_depot_watch(&self) -> Result<()> {
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => Ok(()),
            () = self.interrupt.cancelled() => Err(interrupted()),
        }
    }
}

/// An operator has paused it, and nobody else lets it go on.
pub(super) fn frozen(name: impl std::fmt::Display) -> Failure {
    Failure::new(Code::Conflict, format!("the depot '{name}' is paused")).hint(format!("let it go on: docker unpause {name}"))
}

/// A container that is not ours stays as it is.
pub(super) fn foreign(name: &str) -> Failure {
    Failure::new(Code::Conflict, format!("a container '{name}' is there that is not palisade's depot"))
        .hint("look at what it is, and rename it or give 'depot.name' another value in config.toml")
}

fn contended(blueprint: &Blueprint<'_>) -> Failure {
    Failure::new(Code::Conflict, format!("the depot '{}' was replaced by another palisade at the same moment", blueprint.name()))
        .detail("each version and each configuration makes its own")
        .hint("let both have one version and one configuration, or give 'depot.name' another value in one of them")
}

#[expect(clippy::disallowed_methods, reason = "whether a depot was started a moment ago needs the present moment")]
fn now() -> Timestamp {
    Timestamp::now()
}
