//! The socket that sandboxes reach: who may speak, what may be asked, and the answer. Every connection is taken for
//! hostile until it shows a token, and every request after that.

mod answer;
mod artifact;
mod body;
mod control;
mod greeting;
mod guard;
mod listen;
mod page;
mod patience;
mod query;
mod range;
mod session;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use super::adapter::Adapter;
use super::index::Index;
use super::ledger::Ledger;
use super::promise::Ecosystem;
use super::store::Store;
use super::token::Key;
use super::upstream::Egress;
pub use control::listen as listen_for_control;
pub use listen::listen;
use session::Sessions;

/// Answers on their way at once, of all sessions together: each holds a chunk of 64 KiB.
const STREAMS: usize = 384;
/// Connections with another depot's token that are told so at once; more are left without a word.
const STRAYS: usize = 64;
/// Kilobytes that the bodies of queries take at once, of all sessions together.
const QUERY_KILOBYTES: usize = 12 << 10;
/// Queries that are unpacked and written anew at once: each takes several times its size meanwhile.
const REWRITES: usize = 2;

/// Everything that answers.
pub struct Depot {
    /// Proves tokens.
    pub key: Key,
    /// One for each ecosystem.
    pub adapters: Vec<Arc<dyn Adapter>>,
    /// Pages.
    pub index: Index,
    /// Artifacts.
    pub store: Store,
    /// The way out.
    pub egress: Arc<Egress>,
    /// The counters.
    pub ledger: Ledger,
    /// Most that one artifact may take.
    pub artifact_size: u64,
    sessions: Sessions,
    streams: Arc<Semaphore>,
    strays: Semaphore,
    query_kilobytes: Arc<Semaphore>,
    rewrites: Arc<Semaphore>,
}

impl Depot {
    /// Puts the parts together.
    pub fn new(
        key: Key,
        adapters: Vec<Arc<dyn Adapter>>,
        index: Index,
        store: Store,
        egress: Arc<Egress>,
        ledger: Ledger,
        artifact_size: u64,
    ) -> Self {
        let [streams, query_kilobytes, rewrites] = [STREAMS, QUERY_KILOBYTES, REWRITES].map(|most| Arc::new(Semaphore::new(most)));
        let sessions = Sessions::default();
        Self {
            key,
            adapters,
            index,
            store,
            egress,
            ledger,
            artifact_size,
            sessions,
            streams,
            strays: Semaphore::new(STRAYS),
            query_kilobytes,
            rewrites,
        }
    }

    fn adapter(&self, ecosystem: &str) -> Option<&Arc<dyn Adapter>> {
        self.adapters.iter().find(|adapter| adapter.ecosystem().name() == ecosystem)
    }

    /// Keeps the summary on disk at most so old.
    pub async fn keep_summary(self: Arc<Self>, every: Duration) {
        let mut written = None;
        loop {
            let facts = (self.store.facts(), self.egress.facts());
            if self.ledger.is_dirty() || written.as_ref() != Some(&facts) {
                let depot = Arc::clone(&self);
                // A failure says itself; a fault of ours must not end the keeping.
                let _ = tokio::task::spawn_blocking(move || depot.write_summary()).await;
                written = Some(facts);
            }
            tokio::time::sleep(every).await;
        }
    }

    /// Writes the summary now.
    pub fn write_summary(&self) {
        let summary = self.ledger.summary(now(), self.store.facts(), self.egress.facts());
        if let Err(error) = self.ledger.write_summary(&summary) {
            say(&format!("the summary cannot be written: {error}"));
        }
    }
}

/// The present moment, for ages and times of events.
#[expect(clippy::disallowed_methods, reason = "the depot is where requests meet the clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// One line in the depot's own log. What a sandbox or a registry said may be in it.
#[expect(clippy::print_stderr, reason = "the depot's log is its standard error")]
pub fn say(text: &str) {
    eprintln!("palisade depot: {}", crate::units::sanitise(text));
}

/// The ecosystem that a path's first segment names, and what follows it.
fn split(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix('/')?;
    Some(path.split_once('/').unwrap_or((path, "")))
}

/// Names of the ecosystems, for the reader of an error.
fn known() -> String {
    Ecosystem::ALL.map(|ecosystem| format!("/{ecosystem}/")).join(" and ")
}
