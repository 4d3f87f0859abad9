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
    /// Not the session's: a word of ours in its place.
    Ours,
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
#[expect(clippy::struct_excessive_bools, reason = "independent choices of the operator's, and one end")]
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

impl Log {
    /// Another session's, or the same begun anew.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.bytes = 0;
        self.dropped = 0;
        self.held = None;
        self.ended = false;
        self.failure = None;
    }

    /// Adds a line; the oldest go where there are too many.
    pub fn push(&mut self, line: LogLine) {
        self.bytes += line.text.raw().len();
        self.lines.push_back(line);
        while self.lines.len() > LINES || self.bytes > BYTES {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= oldest.text.raw().len();
            self.dropped += 1;
        }
    }

    /// The number of the line after the last.
    pub fn end(&self) -> u64 {
        self.dropped + self.lines.len() as u64
    }

    /// The place in `lines` of the first line on a screen of so many.
    pub fn first(&self, height: usize) -> usize {
        let last = self.lines.len().saturating_sub(height);
        match self.held {
            None => last,
            Some(held) => usize::try_from(held.saturating_sub(self.dropped)).unwrap_or(last).min(last),
        }
    }

    /// Scrolls; at the end it follows again.
    pub fn step(&mut self, by: isize, height: usize) {
        let last = self.lines.len().saturating_sub(height);
        let to = self.first(height).saturating_add_signed(by).min(last);
        self.held = (to < last).then(|| self.dropped + to as u64);
    }

    /// Whether the search matches a line, whatever its case.
    pub fn matches(&self, line: &LogLine) -> bool {
        let wanted = self.search.text();
        !wanted.is_empty() && line.text.to_string().to_lowercase().contains(&wanted.to_lowercase())
    }

    /// Holds the next match at the top of the screen, or the one before; false where there is none.
    pub fn to_match(&mut self, forward: bool, height: usize) -> bool {
        let from = match self.held {
            None => self.lines.len(),
            Some(_) => self.first(height),
        };
        let found = if forward {
            (from + 1..self.lines.len()).find(|&at| self.matches(&self.lines[at]))
        } else {
            (0..from.min(self.lines.len())).rfind(|&at| self.matches(&self.lines[at]))
        };
        if let Some(at) = found {
            self.held = Some(self.dropped + at as u64);
        }
        found.is_some()
    }
}

impl LogLine {
    /// What stands where lines are missing.
    pub fn left_out() -> Self {
        let text = Untrusted::from("lines are left out here: it prints faster than can be read");
        Self { at: None, is_error_stream: false, text, level: Level::Ours }
    }
}

impl Level {
    /// By the words that programs write near the beginning of a line.
    pub fn of(text: &str) -> Self {
        const LOOKED_AT: usize = 64;
        let head: String = text.chars().take(LOOKED_AT).collect::<String>().to_ascii_lowercase();
        let says = |words: &[&str]| head.split(|c: char| !c.is_ascii_alphabetic()).any(|word| words.contains(&word));
        if says(&["error", "err", "fatal", "panic", "critical", "exception", "traceback"]) {
            Self::Error
        } else if says(&["warning", "warn"]) {
            Self::Warning
        } else if says(&["debug", "trace"]) {
            Self::Debug
        } else {
            Self::Plain
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> LogLine {
        LogLine { at: None, is_error_stream: false, text: Untrusted::from(text), level: Level::of(text) }
    }

    fn log(lines: usize) -> Log {
        let mut log = Log::default();
        (0..lines).for_each(|at| log.push(line(&format!("line {at}"))));
        log
    }

    #[test]
    fn a_log_is_bounded_in_lines_and_in_bytes() {
        let mut log = log(LINES + 5);
        assert_eq!((log.lines.len(), log.dropped, log.end()), (LINES, 5, LINES as u64 + 5));
        for _ in 0..BYTES / LONGEST + 3 {
            log.push(line(&"x".repeat(LONGEST)));
        }
        assert!(log.bytes <= BYTES);
        assert_eq!(log.bytes, log.lines.iter().map(|line| line.text.raw().len()).sum::<usize>());
    }

    #[test]
    fn scrolling_up_holds_and_the_end_follows_again() {
        let mut log = log(100);
        log.step(-1, 10);
        assert_eq!((log.held, log.first(10)), (Some(89), 89));
        log.push(line("more"));
        assert_eq!(log.first(10), 89);
        log.step(1000, 10);
        assert_eq!((log.held, log.first(10)), (None, 91));
    }

    #[test]
    fn a_search_goes_back_from_the_end_and_forward_from_there() {
        let mut log = log(100);
        log.search = Input::new("LINE 7");
        assert!(log.to_match(false, 5) && log.held == Some(79));
        assert!(log.to_match(false, 5) && log.held == Some(78));
        assert!(log.to_match(true, 5) && log.held == Some(79));
        assert!(!log.to_match(true, 5));
    }

    #[test]
    fn levels_are_read_from_words() {
        assert_eq!(Level::of("2026-01-01 ERROR disk full"), Level::Error);
        assert_eq!(Level::of("[warn] x"), Level::Warning);
        assert_eq!(Level::of("terror in errands"), Level::Plain);
    }
}
