//! The depot on a real engine: what sandboxes get through it, what they cannot do to it, what registries cannot.

mod lab;
mod manager;
mod poison_registry;
mod poison_sandbox;
mod registry;
