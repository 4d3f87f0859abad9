//! The depot's container, as a manager has it: made on first need, held to what the settings ask for, read and told
//! what to do. Knows engines through their trait, and the depot by its image, its files and what it prints.
//!
//! There is one depot by its name on an engine, and managers that know nothing of each other share it. The
//! container's name is their lock: who creates it makes the depot, and everyone else waits for it to listen.

mod archive;
mod blueprint;
mod cache;
mod cooldown;
mod ensure;
mod image;
mod listening;
mod make;
mod measured;
mod read;
mod standing;
mod status;
mod wanted;

use crate::depot::token::Key;

pub(super) use blueprint::Blueprint;
pub(super) use cache::summary;
pub(super) use cooldown::{first_token, reaches_depot};
pub(super) use standing::is_ours;
pub use status::{DepotState, DepotStatus};
pub(super) use wanted::socket_volume;

/// What a launch needs of the depot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepotAccess {
    /// Signs the session's token.
    pub key: Key,
    /// The volume that the session mounts read-only.
    pub socket_volume: String,
}
