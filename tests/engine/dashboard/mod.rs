//! The dashboard on a real engine, in a real terminal: what operators press and see, checked on the screen and by the engine.

mod actions;
mod away;
mod crowd;
mod hostile;
mod launching;
mod manners;
mod mouse;
mod outside;
mod packages;
pub mod raw;
pub mod screen;
mod terminal;

use crate::support::{Session, docker, name, succeed};

/// A persistent session without a network, known by a name of which no other test's is a part.
fn session(command: &[&str]) -> Session {
    let session = Session { name: format!("{}-end", name()) };
    succeed(&[&["launch", session.name.as_str(), "--network", "none", "--"], command].concat());
    session
}

/// What the engine says of a session's container.
fn inspected(session: &str, format: &str) -> String {
    docker(&["inspect", "--format", format, &format!("palisade-{session}")])
}
