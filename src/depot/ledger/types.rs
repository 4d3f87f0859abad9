use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::depot::promise::{Digest, Ecosystem};
use crate::units::SessionId;

/// One request that was answered or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When the answer ended.
    pub at: Timestamp,
    /// Whose request, by its token.
    pub session: SessionId,
    /// Of which ecosystem.
    pub ecosystem: Ecosystem,
    /// What for.
    pub requested: Requested,
    /// The project, normalised; empty where the request named none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub project: String,
    /// The file; empty for an index.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// The file's version; empty where unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// What the registry promised the file to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// What became of it.
    pub outcome: Outcome,
    /// Bytes of the answer that came from the store.
    #[serde(default)]
    pub store_bytes: u64,
    /// Bytes that were fetched from upstream for it.
    #[serde(default)]
    pub upstream_bytes: u64,
    /// Milliseconds from the request's head to the answer's last byte.
    #[serde(default)]
    pub elapsed_ms: u64,
    /// Whether the whole answer was sent.
    #[serde(default)]
    pub complete: bool,
    /// Versions that `min_age` hid of the index.
    #[serde(default, skip_serializing_if = "is_none")]
    pub hidden: u64,
    /// Why it was refused, what was hidden, which registry was away: one sentence, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requested {
    /// A project's index.
    Index,
    /// A file of a project.
    Artifact,
    /// Anything else: an audit, a ping, a path that is none.
    Other,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// From the store, or from a fetch that another request had begun: nothing was fetched for it.
    Hit,
    /// Fetched from upstream.
    Miss,
    /// An index that upstream confirmed unchanged.
    Revalidated,
    /// An index older than its time, because upstream was away.
    Stale,
    /// What upstream sent was not what it had promised, or broke its bounds: nothing of it was kept.
    Rejected,
    /// The depot's own rules forbid it: not a read, not a name, too young, too large a request.
    Denied,
    /// No registry knows it.
    NotFound,
    /// Upstream was away or failed, and nothing was in store.
    Failed,
}

/// What one session asked of one ecosystem, added up. Bytes are bytes, times are milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Requests of every sort.
    pub requests: u64,
    /// Artifacts served without a fetch.
    pub hits: u64,
    /// Artifacts fetched.
    pub misses: u64,
    /// Index pages served within their time.
    pub index_hits: u64,
    /// Index pages fetched.
    pub index_misses: u64,
    /// Index pages confirmed unchanged.
    pub revalidations: u64,
    /// Index pages served past their time because upstream was away.
    pub stale: u64,
    /// Bytes of artifacts and index pages from the store.
    pub store_bytes: u64,
    /// Bytes fetched from upstream.
    pub upstream_bytes: u64,
    /// Bytes of artifacts from the store: what was not fetched again.
    pub saved_bytes: u64,
    /// Estimated: what fetching the hits would have taken at the measured upstream rate, less what serving them took.
    pub saved_ms_estimated: u64,
    /// Fetches whose bytes were not what was promised.
    pub rejected: u64,
    /// Requests that the depot's own rules forbid.
    pub denied: u64,
    /// Requests for what no registry knows.
    pub not_found: u64,
    /// Requests that failed because upstream was away.
    pub failed: u64,
}

impl Counters {
    /// Artifacts served without a fetch, of all artifacts served, from 0 to 1; `None` before the first.
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown with two digits")]
    pub fn hit_rate(&self) -> Option<f64> {
        let served = self.hits.saturating_add(self.misses);
        (served > 0).then(|| self.hits as f64 / served as f64)
    }
}

/// Everything that a manager shows, as the depot keeps it in [`super::SUMMARY_FILE`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of this document: 1.
    pub schema: u32,
    /// When the depot that wrote it began to serve.
    pub started: Timestamp,
    /// When it was written.
    pub updated: Timestamp,
    /// All sessions, those that are gone included.
    pub totals: BTreeMap<Ecosystem, Counters>,
    /// Each session.
    pub sessions: BTreeMap<SessionId, BTreeMap<Ecosystem, Counters>>,
    /// The store.
    pub store: StoreFacts,
    /// The registries.
    pub upstreams: Vec<UpstreamFacts>,
    /// Connections that showed no token, or a wrong one, since the depot began to serve.
    pub strangers: u64,
}

/// The store in figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StoreFacts {
    /// Bytes on disk.
    pub bytes: u64,
    /// Most that it takes.
    pub capacity: u64,
    /// Files.
    pub blobs: u64,
    /// Files evicted since the depot began to serve.
    pub evicted: u64,
    /// Files found damaged since the depot began to serve; each was removed before a byte of it was served.
    pub damaged: u64,
}

/// A registry as the depot last saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamFacts {
    /// Of which ecosystem.
    pub ecosystem: Ecosystem,
    /// Its base address, without credentials.
    pub url: String,
    /// Since when it has been away, and how that showed; `None` while it answers.
    pub away: Option<(Timestamp, String)>,
}
