//! The depot on a real engine: what sandboxes get through it, what they cannot do to it, what registries cannot.

mod away;
mod counting;
mod installs;
mod kills;
pub mod lab;
mod poison_registry;
mod poison_sandbox;
pub mod registry;
