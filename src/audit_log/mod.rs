//! The record of what was done, by whom: JSON lines, each chained by its hash to the one before, so that a line that is changed,
//! removed, added or moved is found, and where. It must not know what the deeds are: whoever does one writes it down.
//!
//! ```text
//! {"hash":"<sha256 of entry>","entry":{"seq":7,"prev":"<hash of entry 6>","time":…,"by":…,"action":…,…}}
//! ```
//!
//! The chain proves that nothing was changed since a hash was seen; who can write the files can also write a new chain. Keep the
//! hash that `audit verify` prints somewhere else, and the record holds against that too.

mod chain;
mod file;
mod head;
pub mod lock;
mod verify;

pub use chain::{Deed, Entry, Link, Subject};
pub use file::AuditLog;
pub use verify::{Fault, FaultKind, Verdict};

#[cfg(test)]
mod tests;
