//! The depot on a real engine: what sandboxes get through it, what they cannot do to it, what registries cannot.

mod attacks;
mod away;
mod cleared;
mod counting;
pub mod crowd;
mod flood;
mod installs;
mod kills;
pub mod lab;
mod manager;
mod measure;
mod measured;
mod operator;
mod poison_registry;
mod poison_sandbox;
pub mod registry;
