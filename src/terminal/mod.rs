//! PURE: a terminal as plain data. What a sandbox writes ends in a [`Screen`]: a grid of cells, which whoever shows it draws
//! anew. Of what it wrote, no byte goes further.
//!
//! The supervisor keeps a screen for each terminal that it holds, the dashboard one for each pane, `attach` one for the
//! operator's own terminal. It must not know sessions, engines, sockets or clocks.

mod beside;
mod cell;
mod dump;
mod grants;
mod guard;
mod halves;
mod passage;
mod render;
mod screen;
mod search;
mod sieve;
mod size;
pub mod typed;
pub mod wire;

pub use cell::{Cell, Colour, Look};
pub use grants::Grants;
pub use render::{Beside, Renderer, Uses};
pub use screen::{Asked, Modes, Mouse, Screen};
pub use search::{Found, Needle};
pub use size::Size;

/// The kind of terminal that a screen is: what `TERM` says to whoever writes to it.
pub const TERM: &str = "xterm-256color";
/// What `COLORTERM` says: 24-bit colours.
pub const COLORTERM: &str = "truecolor";

#[cfg(test)]
mod tests;
