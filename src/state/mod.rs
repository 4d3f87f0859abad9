//! What must outlive a process and no engine keeps: an embedded database, `palisade.db`, in the operator's state folder.
//!
//! The engine is the truth about what there is; here is what happened to it that labels cannot say, because they are written once: when a
//! session was last used, what it was called before, the key that renews it. Whoever finds nothing here goes on with what the engine says.
//!
//! Any number of processes use it at once. It is opened by the first who asks, never by a dashboard's loop: every call here waits for
//! files, and belongs on a thread for that. A table is a module with its columns, its migration and functions over a connection:
//!
//! ```text
//! let used = database.read(|db| sessions::find(db, &id))?;
//! database.write(|db| sessions::used(db, &id, …))?;        // one transaction; may be run again, so it does nothing else
//! ```
//!
//! It must not know engines or front ends.

mod aside;
mod database;
mod failure;
mod gate;
pub mod limits;
mod migrations;
pub mod observed;
pub mod sessions;

pub use database::Database;
pub use failure::Unkept;

#[cfg(test)]
mod tests;
