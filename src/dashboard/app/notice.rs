//! What the operator is told.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::row::Weight;
use crate::failure::Failure;

/// Notices that are kept.
const KEPT: usize = 500;
/// A notice stays on the bottom line for so long; a failure until a key is pressed.
const SHOWN_S: i64 = 8;

/// Something the operator should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// When.
    pub at: Timestamp,
    /// How heavy.
    pub weight: Weight,
    /// One sentence.
    pub text: String,
    /// Particulars, line by line.
    pub details: Vec<String>,
    /// The way out.
    pub hint: Option<String>,
}

/// What happened, newest first.
#[derive(Debug, Clone, Default)]
pub struct Notices {
    /// Newest first.
    pub all: VecDeque<Notice>,
    /// Whether the newest still stands on the bottom line.
    pub standing: bool,
}

impl Notices {
    /// Tells it.
    pub fn add(&mut self, at: Timestamp, weight: Weight, text: impl Into<String>) {
        self.push(Notice { at, weight, text: text.into(), details: Vec::new(), hint: None });
    }

    /// Tells a failure.
    pub fn fail(&mut self, at: Timestamp, failure: &Failure) {
        let Failure { message, details, hint, .. } = failure.clone();
        self.push(Notice { at, weight: Weight::Danger, text: message, details, hint });
    }

    fn push(&mut self, notice: Notice) {
        self.standing = true;
        // Told again is told later: what comes without end does not push out what else was told.
        if let Some(newest) = self.all.front_mut()
            && (&newest.text, newest.weight, &newest.details) == (&notice.text, notice.weight, &notice.details)
        {
            newest.at = notice.at;
            return;
        }
        self.all.truncate(KEPT - 1);
        self.all.push_front(notice);
    }

    /// The one on the bottom line.
    pub fn standing(&self) -> Option<&Notice> {
        self.all.front().filter(|_| self.standing)
    }

    /// Time passed.
    pub fn age(&mut self, now: Timestamp) {
        if let Some(newest) = self.all.front()
            && newest.weight != Weight::Danger
            && now.duration_since(newest.at).as_secs() >= SHOWN_S
        {
            self.standing = false;
        }
    }
}
