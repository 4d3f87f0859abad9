//! How it stands with the engine.

use jiff::Timestamp;

use crate::failure::Failure;

/// How the dashboard stands with the engine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Link {
    /// Nothing has come yet.
    #[default]
    Connecting,
    /// It answers.
    Up,
    /// It does not: since when, why, and when it is tried again. The last picture stays.
    Away {
        /// The last moment at which it answered, or at which this dashboard began.
        since: Timestamp,
        /// Why.
        failure: Failure,
    },
}

/// What the engine says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EngineFacts {
    /// `Docker Engine`.
    pub product: String,
    /// `20.10.24`.
    pub version: String,
    /// Where it is, as an address.
    pub endpoint: String,
    /// CPUs of its host.
    pub cpus: u32,
}
