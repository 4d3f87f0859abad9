//! What is kept of a session once it has ended: one file for each run, whose hash stands in the audit log's entry of that end.
//!
//! ```text
//! evidence/open/ID.json            a run that was begun here and whose end nobody has told yet
//! evidence/ID-STARTED.json         the evidence of one that has ended
//! evidence/pending                 a file whose entry in the log may not be written yet; at most one, under the lock
//! ```
//!
//! Any number of processes see the same end: the folder's lock and the file's name, which is the run's own, make it told once. It must not
//! know engines: what is evident comes in as values.

mod check;
mod document;
mod shelf;

pub use check::{Flaw, FlawKind, Proof};
pub use document::{Begun, End, Evidence, Image, Run, SCHEMA};
pub use shelf::{Kept, Shelf};

#[cfg(test)]
mod tests;
