//! The commands: each calls the backend and prints what came of it, as a table for people or as JSON for programs.
//!
//! Knows nothing of the command line's grammar: what a person typed arrives as plain data. Reads no environment, and
//! no clock but the `now` of its [`Context`].

pub mod actions;
pub mod attach;
pub mod audit;
pub mod cache;
pub mod copy;
pub mod depot;
pub mod diff;
pub mod disk;
pub mod doctor;
pub mod document;
mod drift_table;
pub mod events;
pub mod evidence;
mod failing;
mod fate;
pub mod foreground;
pub mod images;
pub mod inspect;
pub mod launch;
pub mod list;
pub mod logs;
pub mod metrics;
mod output;
mod paint;
pub mod plan;
mod posture_table;
pub mod profiles;
mod progress;
pub mod reap;
pub mod replay;
pub mod run;
mod search;
pub mod stats;
mod table;
pub mod terminals;
pub mod top;
pub mod update;
pub mod verify;

use jiff::Timestamp;

pub use failing::{Stop, code_for_foreground, show_failure};
pub use output::{Colours, Output, Surroundings, line};
pub use progress::{Plain, TerminalReporter};
pub use search::Search;

/// What every command is given beside its own arguments.
pub struct Context {
    /// Where results and notes go.
    pub output: Output,
    /// The time at the start.
    pub now: Timestamp,
}

/// A command's end: its exit code, or the failure with the exit code that it has here.
pub type Done = Result<u8, Stop>;
