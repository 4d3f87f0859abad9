use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::Kind;
use crate::units::{SessionId, SessionName, Untrusted};

/// Where a session's container is in its life, in the engine's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Made, never started.
    Created,
    /// Running.
    Running,
    /// Frozen by the cgroup freezer.
    Paused,
    /// Between two runs.
    Restarting,
    /// On its way out.
    Removing,
    /// Ended.
    Exited,
    /// The engine could not remove it.
    Dead,
    /// A state that this program does not know.
    Unknown,
}

impl Status {
    /// From the engine's word.
    pub fn from_engine(word: &str) -> Self {
        match word {
            "created" => Self::Created,
            "running" => Self::Running,
            "paused" => Self::Paused,
            "restarting" => Self::Restarting,
            "removing" => Self::Removing,
            "exited" | "stopped" => Self::Exited,
            "dead" => Self::Dead,
            _ => Self::Unknown,
        }
    }

    /// Whether it has processes.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
            Self::Unknown => "unknown",
        })
    }
}

/// One session as the engine lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Its id; nil where a container carries our labels without a readable one.
    pub id: SessionId,
    /// Its name: the container's own, less our prefix.
    pub name: SessionName,
    /// Persistent or ephemeral.
    pub kind: Kind,
    /// The profile it was launched from.
    pub profile: Untrusted,
    /// Where it is in its life.
    pub status: Status,
    /// The engine's sentence: `Up 5 minutes`, `Exited (0) 2 hours ago`.
    pub status_text: Untrusted,
    /// When its container was created.
    pub created: Timestamp,
    /// The image as it was named.
    pub image: Untrusted,
    /// The command, as the engine shows it.
    pub command: Untrusted,
    /// The engine's id of its container.
    pub container_id: String,
}
