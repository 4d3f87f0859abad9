//! What one launch asks for beyond its profile, already read from the outside world: plain data.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::Asked;
use crate::session::Kind;
use crate::units::{SessionId, SessionName};

/// One launch: who, what and where, next to the [`super::Policy`] that says how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Minted by the caller.
    pub id: SessionId,
    /// What the operator calls it.
    pub name: SessionName,
    /// How long it stays.
    pub kind: Kind,
    /// The image as found on the engine.
    pub image: ImageFacts,
    /// Command and arguments; empty takes the image's own, or, for a persistent session, idles.
    pub command: Vec<String>,
    /// Whether the command runs in a terminal, which the supervisor holds.
    pub tty: bool,
    /// Environment from the command line; wins over the profile's.
    pub env: BTreeMap<String, String>,
    /// The user it runs as.
    pub run_as: RunAs,
    /// The folder mounted at `/workspace`, already judged by [`super::workspace::judge`].
    pub workspace: Option<WorkspaceMount>,
    /// Secrets by file name, with the variable that each came from. Never their values.
    pub secrets: BTreeMap<String, SecretSource>,
    /// Working directory; empty for `/workspace` where there is one, else home.
    pub working_dir: String,
    /// Who asks, as a label.
    pub creator: String,
    /// What was asked for, for another day.
    pub asked: Asked,
    /// The container whose place this one takes, by its id.
    pub replaces: Option<String>,
    /// The volume that holds the supervisor.
    pub supervisor_volume: String,
    /// The volume that holds the depot's socket; `None` where no depot is to be reached.
    pub depot_socket_volume: Option<String>,
}

/// What the engine knows of an image that a plan depends on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ImageFacts {
    /// As the user named it.
    pub reference: String,
    /// Content id, `sha256:…`; empty where no engine was asked.
    pub id: String,
    /// Its `ENTRYPOINT` followed by its `CMD`.
    pub command: Vec<String>,
    /// Its `VOLUME`s.
    pub volumes: Vec<String>,
    /// Which uid owns the home folder in it, by our own label.
    pub home_uid: Option<u32>,
    /// Which uid owns the cache folder in it, likewise.
    pub cache_uid: Option<u32>,
    /// `amd64`, `arm64`, ….
    pub architecture: String,
}

/// User and group of every process of the session. Neither is ever 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RunAs {
    uid: u32,
    gid: u32,
}

impl RunAs {
    /// The `sandbox` user of our images.
    pub const SANDBOX: Self = Self { uid: 1000, gid: 1000 };

    /// `None` where either is root.
    pub fn new(uid: u32, gid: u32) -> Option<Self> {
        (uid != 0 && gid != 0).then_some(Self { uid, gid })
    }

    /// User id.
    pub const fn uid(self) -> u32 {
        self.uid
    }

    /// Group id.
    pub const fn gid(self) -> u32 {
        self.gid
    }
}

impl fmt::Display for RunAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uid, self.gid)
    }
}

/// A host folder that passed judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkspaceMount {
    /// Canonical absolute path on the engine's host.
    pub source: String,
    /// Device of the folder that was judged.
    pub device: u64,
    /// Inode of the folder that was judged.
    pub inode: u64,
    /// Whether the session may write.
    pub mode: WorkspaceMode,
}

/// Whether a session may write to its workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceMode {
    /// `:ro`.
    ReadOnly,
    /// The default.
    ReadWrite,
}

/// Where a secret's value is read from at each start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretSource {
    /// The environment variable.
    pub env: String,
}
