//! The depot on a real engine: what sandboxes get through it, what they cannot do to it, what registries cannot.

mod counting;
mod installs;
pub mod lab;
mod poison_registry;
mod poison_sandbox;
pub mod registry;
