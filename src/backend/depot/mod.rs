//! What front ends ask of the depot. There is no depot on any engine yet, and this says so.

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;

use super::engine::{LogOptions, OutputStream};
use super::{Backend, Reporter};
use crate::depot::control::{ControlReport, ControlVerb};
use crate::depot::ledger::Summary;
use crate::failure::{Code, Failure, Result};
use crate::policy::Posture;
use crate::units::SessionId;

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
    /// It runs.
    Running,
}

#[expect(clippy::unused_async, reason = "an engine is asked once there is a depot")]
impl Backend {
    /// How the depot stands.
    pub async fn depot_status(&self) -> Result<DepotStatus> {
        Ok(DepotStatus {
            name: "palisade-depot".to_owned(),
            state: DepotState::Missing,
            image: String::new(),
            outdated: false,
            outdated_because: None,
            started: None,
            store_volume: String::new(),
            socket_volume: String::new(),
            posture: None,
        })
    }

    /// Makes it, starts it, or replaces it where it is outdated, as a launch would.
    pub async fn depot_start(&self, _: &dyn Reporter) -> Result<DepotStatus> {
        Err(none())
    }

    /// Stops it.
    pub async fn depot_stop(&self, _: Option<u64>) -> Result<DepotStatus> {
        Err(none())
    }

    /// What it says of itself.
    pub fn depot_logs(&self, _: &LogOptions) -> OutputStream {
        stream::once(async { Err(none()) }).boxed()
    }

    /// What the depot counted; `None` where there is no depot, or one that has not counted yet.
    pub async fn cache_summary(&self) -> Result<Option<Summary>> {
        Ok(None)
    }

    /// What a session asked for; `None` where there is no depot, or it asked for nothing.
    pub async fn cache_journal(&self, _: SessionId) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }

    /// Has the running depot do something to its store, and hears how far it is.
    pub async fn cache_control(&self, _: &ControlVerb, _: &mut (dyn FnMut(u64, u64) + Send)) -> Result<ControlReport> {
        Err(none())
    }
}

fn none() -> Failure {
    Failure::new(Code::NotFound, "there is no depot on this engine yet")
}
