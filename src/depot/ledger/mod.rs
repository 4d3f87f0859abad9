//! What was asked of the depot, by whom, and what became of it: counters and a log for each session, outside every
//! sandbox's reach. Knows no registry and no store.
//!
//! Each session has a journal, `<session>.jsonl`, to which every answered request adds one line by one write. What the
//! kernel has been given outlives any end of this process, so a kill costs at most the requests in flight; only a loss
//! of power may take the last seconds. Journals are bounded: see [`Ledger::tend`].

mod clip;
mod compact;
mod count;
mod files;
mod fold;
mod keep;
mod line;
mod rate;
mod retired;
pub mod sbom;
mod types;

pub use fold::{FetchedArtifact, Log, Refusals, fetched, refused, requests};
pub use keep::Ledger;
pub use types::{Counters, Event, Outcome, Requested, StoreFacts, Summary, UpstreamFacts};

use crate::units::SessionId;

/// The folder below the depot's root.
pub const FOLDER: &str = "ledger";
/// The summary's file in that folder: what managers read.
pub const SUMMARY_FILE: &str = "summary.json";

/// The file of a session's journal in that folder.
pub fn journal_file(session: SessionId) -> String {
    format!("{session}.jsonl")
}
