use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::audit_log::Subject;

/// The version of these documents.
pub const SCHEMA: u32 = 1;

/// One run of a session: from a start to an end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Which session.
    pub session: Subject,
    /// Persistent or ephemeral.
    pub kind: String,
    /// The profile that it was launched from.
    pub profile: String,
    /// Which engine had it, by its address.
    pub engine: String,
    /// The engine's id of its container.
    pub container: String,
    /// What it was made from.
    pub image: Image,
    /// When it began, by the engine's clock.
    pub started: Timestamp,
    /// The whole plan, or, where this machine does not have that, its terms as the session's label has them.
    pub plan: Value,
    /// The posture as it was measured last.
    pub posture: Value,
    /// When that was.
    pub measured: Option<Timestamp>,
}

/// An image, as it was named and by its content.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Image {
    /// As it was named.
    pub name: String,
    /// `sha256:…`.
    pub digest: String,
}

/// A run whose end is still to be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Begun {
    /// Which.
    #[serde(flatten)]
    pub run: Run,
    /// The process that began it.
    pub maker: String,
    /// Whether it reached packages by the depot.
    pub depot: bool,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// When, by the engine's clock where that is known, else when it was seen.
    pub ended: Timestamp,
    /// `None` where nobody saw it.
    pub exit_code: Option<i64>,
    /// Whether the kernel ended it for want of memory.
    pub out_of_memory: bool,
    /// By what it was seen: `run`, `stop`, `rm`, `reap`, ….
    pub seen_by: String,
    /// Who saw it, as `uid@host`.
    pub by: String,
    /// The limits that it ran into, as far as anybody saw.
    pub limits: Value,
    /// The packages that it fetched, each with the digest that its registry promised.
    pub packages: Value,
    /// Packages that are not listed; `None` where it is not known what was fetched.
    pub packages_unlisted: Option<u64>,
}

/// The whole of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Of which run.
    #[serde(flatten)]
    pub run: Run,
    /// Its end.
    #[serde(flatten)]
    pub end: End,
}

impl Run {
    /// The file's name: what no other run has.
    pub fn file(&self) -> String {
        format!("{}-{}.json", self.session.id, self.started.as_millisecond())
    }

    /// Whether both are the same run.
    pub fn is(&self, other: &Self) -> bool {
        (&self.session.id, &self.container, self.started) == (&other.session.id, &other.container, other.started)
    }
}
