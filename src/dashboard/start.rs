//! The state at the start, from what this machine says.

use jiff::Timestamp;

use super::app::form::Ground;
use super::app::keymap::Keymap;
use super::app::state::{Kept, State};
use crate::backend::Backend;
use crate::failure::Result;

/// Keys, themes and the ground of the form, from settings and files.
pub fn state(_backend: &Backend, now: Timestamp, kept: Kept) -> Result<State> {
    let keymap = Keymap::new(&std::collections::BTreeMap::new())?;
    Ok(State::new(now, keymap, Vec::new(), Ground::default(), kept))
}
