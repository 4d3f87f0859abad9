//! The signs that are drawn, and what stands for them where the terminal has ASCII alone.

use ratatui::symbols::border;

use crate::dashboard::app::row::{Badge, Weight};
use crate::policy::Verdict;
use crate::session::Status;

/// Signs of one sort of terminal.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say what they stand for")]
pub struct Signs {
    pub ellipsis: &'static str,
    pub cursor: &'static str,
    pub mark: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub good: &'static str,
    pub bad: &'static str,
    pub unsure: &'static str,
    pub waiting: &'static str,
    pub dot: &'static str,
    pub full: &'static str,
    pub empty: &'static str,
    pub line: &'static str,
    pub stderr: &'static str,
    /// Eighths of a cell, from nothing up.
    pub levels: [&'static str; 9],
    pub running: &'static str,
    pub paused: &'static str,
    pub stopped: &'static str,
    pub created: &'static str,
    pub moving: &'static str,
    pub terminal: &'static str,
    /// Corners and edges of a frame.
    pub border: border::Set<'static>,
}

/// Where the locale is UTF-8.
const UNICODE: Signs = Signs {
    ellipsis: "…",
    cursor: "▌",
    mark: "●",
    up: "▲",
    down: "▼",
    good: "✔",
    bad: "✘",
    unsure: "?",
    waiting: "…",
    dot: "·",
    full: "█",
    empty: "░",
    line: "─",
    stderr: "‖",
    levels: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    running: "▶",
    paused: "‖",
    stopped: "■",
    created: "○",
    moving: "◌",
    terminal: "»",
    border: border::ROUNDED,
};

/// Where it is not.
const ASCII: Signs = Signs {
    ellipsis: "...",
    cursor: ">",
    mark: "*",
    up: "^",
    down: "v",
    good: "+",
    bad: "!",
    unsure: "?",
    waiting: "~",
    dot: "-",
    full: "#",
    empty: ".",
    line: "-",
    stderr: "!",
    levels: [" ", ".", ".", ":", "-", "=", "+", "*", "#"],
    running: ">",
    paused: "=",
    stopped: "x",
    created: "o",
    moving: "~",
    terminal: ">",
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
};

impl Signs {
    /// Those of this sort of terminal.
    pub const fn of(ascii: bool) -> &'static Self {
        if ascii { &ASCII } else { &UNICODE }
    }

    /// A status'.
    pub const fn status(&self, status: Status) -> &'static str {
        match status {
            Status::Running => self.running,
            Status::Paused => self.paused,
            Status::Created => self.created,
            Status::Restarting | Status::Removing => self.moving,
            Status::Exited => self.stopped,
            Status::Dead => self.bad,
            Status::Unknown => self.unsure,
        }
    }

    /// A badge's.
    pub const fn badge(&self, badge: Badge) -> &'static str {
        match badge {
            Badge::Holds(_) => self.good,
            Badge::Weaker(_) => self.bad,
            Badge::Partly(..) | Badge::Failed => self.unsure,
            Badge::Unmeasured => self.waiting,
        }
    }

    /// A verdict's.
    pub const fn verdict(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Enforced => self.good,
            Verdict::Unknown => self.unsure,
            Verdict::Weaker | Verdict::Missing => self.bad,
        }
    }

    /// A weight's.
    pub const fn weight(&self, weight: Weight) -> &'static str {
        match weight {
            Weight::Plain => self.dot,
            Weight::Warning => "!",
            Weight::Danger => self.bad,
        }
    }
}
