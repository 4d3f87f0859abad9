//! The top line.

use jiff::Timestamp;

use super::remote::Remote;
use crate::depot::ledger::Counters;
use crate::units::Bytes;

/// What the top line shows beside the sessions.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// What the depot counted for all sessions; `None` inside where there is no depot yet.
    pub cache: Remote<Option<Counters>>,
    /// What our volumes take on the engine's disk.
    pub disk: Remote<Bytes>,
    /// When the list last came.
    pub listed: Option<Timestamp>,
}
