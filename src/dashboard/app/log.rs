//! A session's log, bounded whatever the session writes.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::input::Input;
use crate::failure::Failure;
use crate::units::Untrusted;

/// Lines that are kept.
pub const LINES: usize = 10_000;
/// Bytes that are kept, whatever the lines: a sandbox decides how long they are.
pub const BYTES: usize = 8 << 20;
/// A line is cut into pieces of so many bytes.
pub const LONGEST: usize = 16 << 10;

/// How bad a line says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It does not say.
    Plain,
    /// Debugging and tracing.
    Debug,
    /// A warning.
    Warning,
    /// An error, or worse.
    Error,
}

/// One line of a session's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The engine's time.
    pub at: Option<Timestamp>,
    /// Whether it was written to standard error.
    pub is_error_stream: bool,
    /// What it says: a sandbox wrote it.
    pub text: Untrusted,
    /// By its words.
    pub level: Level,
}

/// The log of the selected session, and how it is looked at.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// The newest lines, oldest first.
    pub lines: VecDeque<LogLine>,
    /// Bytes in them.
    pub bytes: usize,
    /// Lines that were dropped at the beginning.
    pub dropped: u64,
    /// Held still: the line at the top of the screen, counted from the log's first; `None` follows the end.
    pub held: Option<u64>,
    /// Long lines are wrapped.
    pub wrap: bool,
    /// The engine's times are shown.
    pub timestamps: bool,
    /// What is searched.
    pub search: Input,
    /// Whether the search is being typed.
    pub searching: bool,
    /// Whether the stream has ended.
    pub ended: bool,
    /// Why it cannot be read.
    pub failure: Option<Failure>,
}
