//! A session's package requests.

use jiff::Timestamp;

use crate::depot::ledger::Event;

/// Points of the curve of the hit rate.
pub const POINTS: usize = 60;
/// Requests that are listed.
pub const LISTED: usize = 500;

/// A session's package requests, as the cache tab shows them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fetches {
    /// Newest first, [`LISTED`] at most.
    pub events: Vec<Event>,
    /// The share of hits up to each of these times, oldest first, [`POINTS`] at most.
    pub rate: Vec<(Timestamp, f64)>,
}
