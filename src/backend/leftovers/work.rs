use std::fmt;

use serde::{Deserialize, Serialize};

use super::maker::Maker;
use crate::session::Kind;
use crate::units::{SessionId, SessionName};

/// The journal's own version: a file of another is left alone.
pub const SCHEMA: u32 = 1;

/// A piece of work, as its file begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Its own name, which what is made for it carries.
    pub id: String,
    /// On which engine, by its address.
    pub engine: String,
    /// Which process is at it.
    pub maker: Maker,
    /// What is to be done.
    pub work: Work,
}

/// What takes more than one request to an engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Work {
    /// A session is brought up: its container, its volumes and a helper.
    Launch {
        /// Its id.
        session: SessionId,
        /// What it is to be called.
        name: SessionName,
        /// How long it stays.
        kind: Kind,
    },
    /// A session goes, container first.
    Remove {
        /// Its id.
        session: SessionId,
        /// What it was called.
        name: SessionName,
        /// Its container.
        container: String,
        /// Its home and caches.
        volumes: Vec<String>,
    },
    /// A session gets another name.
    Rename {
        /// Its id.
        session: SessionId,
        /// Its container.
        container: String,
        /// What it was called.
        from: SessionName,
        /// What it is to be called.
        to: SessionName,
    },
    /// A session gets another container.
    Update {
        /// Its id.
        session: SessionId,
        /// What it is called.
        name: SessionName,
        /// The container that it has.
        container: String,
        /// Whether that ran.
        ran: bool,
    },
    /// A session is stopped, to be started again.
    Restart {
        /// Its id.
        session: SessionId,
        /// What it is called.
        name: SessionName,
        /// Its container.
        container: String,
        /// Where its secrets are taken from, where other than at its launch (`NAME[=ENV]`).
        secrets: Vec<String>,
    },
    /// An image is built.
    Build {
        /// Its tag.
        tag: String,
        /// When that began, in seconds since 1970.
        begun: i64,
        /// What becomes superfluous once the tag is on another image.
        #[serde(default)]
        superseded: Vec<String>,
    },
    /// The depot is made.
    Depot {
        /// Its container.
        name: String,
        /// The image that was loaded for it; empty where it was there.
        image: String,
    },
    /// A helper container does its work.
    Helper {
        /// Its name.
        name: String,
    },
}

/// How far it came, where that decides what becomes of it.
/// The later, the further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It was looked for and nothing was found, which may yet come: a request can outlive who made it.
    LookedFor,
    /// What ran may have been stopped, to make way for what takes its place.
    Stopping,
    /// A session's gate may be open: from here on it is one that ran.
    Opening,
    /// Its maker found that it failed, and was about to undo it all.
    GivenUp,
}

impl Record {
    pub fn new(id: String, engine: String, maker: Maker, work: Work) -> Self {
        Self { schema: SCHEMA, id, engine, maker, work }
    }
}

impl Work {
    /// The session that it is about.
    pub fn session(&self) -> Option<(SessionId, &SessionName)> {
        match self {
            Self::Launch { session, name, .. }
            | Self::Remove { session, name, .. }
            | Self::Update { session, name, .. }
            | Self::Restart { session, name, .. }
            | Self::Rename { session, from: name, .. } => Some((*session, name)),
            Self::Build { .. } | Self::Depot { .. } | Self::Helper { .. } => None,
        }
    }
}

/// As the subject of a sentence.
impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Launch { name, .. } => write!(f, "the launch of '{name}'"),
            Self::Remove { name, .. } => write!(f, "the removal of '{name}'"),
            Self::Rename { from, to, .. } => write!(f, "the renaming of '{from}' to '{to}'"),
            Self::Update { name, .. } => write!(f, "the update of '{name}'"),
            Self::Restart { name, .. } => write!(f, "the restart of '{name}'"),
            Self::Build { tag, .. } => write!(f, "the build of {tag}"),
            Self::Depot { name, .. } => write!(f, "the start of the depot {name}"),
            Self::Helper { name } => write!(f, "the work of the helper {name}"),
        }
    }
}
