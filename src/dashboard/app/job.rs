//! Long work under way.

use jiff::Timestamp;

use super::effect::{JobId, Target};

/// A piece of long work under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Which.
    pub id: JobId,
    /// `launching web`, `building the sandbox image`.
    pub title: String,
    /// Its latest step, sanitised; empty at first.
    pub step: String,
    /// Done and total, where it is counted.
    pub amount: Option<(u64, Option<u64>)>,
    /// When it began.
    pub began: Timestamp,
    /// Whether it was asked to end.
    pub cancelled: bool,
    /// The sessions that it is about.
    pub targets: Vec<Target>,
}
