//! What was asked of the depot, by whom, and what became of it: counters and a log for each session, outside every
//! sandbox's reach. Knows no registry and no store.

mod types;

pub use types::{Counters, Event, Outcome, Requested, StoreFacts, Summary, UpstreamFacts};

/// The folder below the depot's root.
pub const FOLDER: &str = "ledger";
/// The summary's file in that folder: what managers read.
pub const SUMMARY_FILE: &str = "summary.json";
