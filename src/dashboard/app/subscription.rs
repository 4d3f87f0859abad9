//! What runs beside the loop.

use super::row::ContainerId;

/// What should be running beside the loop: a function of the state. The runtime starts what is new and ends what is
/// no more asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subscription {
    /// The engine's events.
    Events,
    /// The usage of these, which are on the screen.
    Usage(Vec<ContainerId>),
    /// The log of this one.
    Log(ContainerId),
    /// The depot's counters.
    Cache,
}
