//! What an operator asks of the depot itself: how it stands, to start, to stop, what it says.

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;

use super::ensure::foreign;
use super::standing::{Seen, Standing, is_ours, judge};
use crate::backend::engine::{LogOptions, OutputStream};
use crate::backend::{Backend, Reporter};
use crate::failure::{Code, Failure, Result};
use crate::policy::Posture;
use crate::session::{ContainerFacts, Status, labels};
use crate::units::{SessionName, sanitise};

/// The depot as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DepotStatus {
    /// Its container's name.
    pub name: String,
    /// Whether it is there, and runs.
    pub state: DepotState,
    /// The image that it runs from, or will.
    pub image: String,
    /// Whether the next launch replaces it: made by another version, or for other settings.
    pub outdated: bool,
    /// Why, where it is outdated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outdated_because: Option<&'static str>,
    /// Since when it runs.
    pub started: Option<Timestamp>,
    /// The volume with its store.
    pub store_volume: String,
    /// The volume with its socket.
    pub socket_volume: String,
    /// Running sessions whose tokens are of a depot whose store is gone: they get nothing until they are restarted.
    pub stranded: Vec<SessionName>,
    /// Its hardening, measured now; `None` where it does not run.
    pub posture: Option<Posture>,
}

/// Whether there is a depot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DepotState {
    /// The first launch that needs it makes it.
    Missing,
    /// The next launch that needs it starts it.
    Stopped,
    /// An operator has frozen it; nothing goes through it meanwhile.
    Paused,
    /// It runs.
    Running,
}

impl Backend {
    /// How the depot stands.
    pub async fn depot_status(&self) -> Result<DepotStatus> {
        let blueprint = self.depot_blueprint()?;
        let [store_volume, socket_volume] = blueprint.volumes();
        let mut status = DepotStatus {
            name: blueprint.name(),
            state: DepotState::Missing,
            image: blueprint.image.clone(),
            outdated: false,
            outdated_because: None,
            started: None,
            store_volume,
            socket_volume,
            stranded: Vec::new(),
            posture: None,
        };
        let Some(seen) = self.look_at_depot(&status.name).await? else { return Ok(status) };
        // The moment decides between ready and starting alone, which is all one here.
        let standing = judge(&seen, &blueprint, Timestamp::UNIX_EPOCH, std::time::Duration::ZERO)?;
        if standing == Standing::Foreign {
            return Err(foreign(&status.name));
        }
        let Seen { facts, config } = seen;
        if let Some(config) = config {
            status.stranded = self.stranded(config.key_made).await?;
        }
        if let Some(image) = facts.labels.get(labels::IMAGE) {
            status.image = image.to_string();
        }
        if let Standing::Outdated(why) = standing {
            (status.outdated, status.outdated_because) = (true, Some(why));
        }
        status.state = DepotState::Stopped;
        if facts.status.is_some_and(Status::is_live) {
            let is_paused = facts.status == Some(Status::Paused);
            status.state = if is_paused { DepotState::Paused } else { DepotState::Running };
            status.started = facts.started;
            status.posture = Some(self.depot_posture(&facts).await);
        }
        Ok(status)
    }

    /// Live sessions that reach this depot with a token from before its key was made.
    pub(super) async fn stranded(&self, key_made: Timestamp) -> Result<Vec<SessionName>> {
        let socket = super::socket_volume(&self.settings);
        let mut stranded = Vec::new();
        for session in self.sessions().await?.into_iter().filter(|session| session.status.is_live() && session.created < key_made) {
            let facts = match self.engine.inspect(&session.container_id).await {
                Ok(facts) => facts,
                Err(failure) if failure.code == Code::NotFound => continue,
                Err(failure) => return Err(failure),
            };
            if facts.started.is_some_and(|started| started < key_made) && facts.mounts.iter().any(|mount| mount.name == socket) {
                stranded.push(session.name);
            }
        }
        Ok(stranded)
    }

    /// Makes it, starts it, or replaces it where it is outdated, as a launch would.
    pub async fn depot_start(&self, reporter: &dyn Reporter) -> Result<DepotStatus> {
        self.ensure_depot(reporter).await?;
        self.depot_status().await
    }

    /// Stops it: SIGTERM, its grace, SIGKILL. Store and counters stay; the next launch that needs it starts it again.
    pub async fn depot_stop(&self, grace_s: Option<u64>) -> Result<DepotStatus> {
        let facts = self.depot().await?;
        self.engine.stop(&facts.id, grace_s).await?;
        self.depot_status().await
    }

    /// What it says of itself.
    pub fn depot_logs(&self, options: &LogOptions) -> OutputStream {
        let (engine, name, options) = (std::sync::Arc::clone(&self.engine), self.settings.depot.name.clone(), *options);
        let log = async move {
            match ours(engine.inspect(&name).await, &name) {
                Ok(facts) => engine.logs(&facts.id, &options),
                Err(failure) => stream::once(async { Err(failure) }).boxed(),
            }
        };
        stream::once(log).flatten().boxed()
    }

    /// The depot's container; a failure where there is none, or someone else's.
    pub(super) async fn depot(&self) -> Result<ContainerFacts> {
        let name = self.settings.depot.name.clone();
        ours(self.engine.inspect(&name).await, &name)
    }
}

fn ours(found: Result<ContainerFacts>, name: &str) -> Result<ContainerFacts> {
    match found {
        Ok(facts) if is_ours(&facts) => Ok(facts),
        Ok(_) => Err(foreign(name)),
        Err(failure) if failure.code == Code::NotFound => {
            Err(Failure::new(Code::NotFound, format!("there is no depot '{}' on this engine yet", sanitise(name)))
                .hint("the first launch that needs it makes it, and so does: palisade depot start"))
        }
        Err(failure) => Err(failure),
    }
}
