//! The terminals that are open, of any sessions, and which of them is shown where. What each is comes from its session and is
//! believed of its own cells alone.

pub mod keys;
mod label;
mod pane;
pub mod report;

use jiff::Timestamp;

use super::effect::PaneId;
use crate::backend::Within;
use crate::terminal::wire::Held;
use crate::terminal::{Grants, Size};
pub use label::{Sign, label, program};
pub use pane::{Mode, Pane, Point, Selection};

/// More are no tabs that anyone finds their way in.
pub const MOST: usize = 32;
/// Lines of the past in one terminal.
const PAST: usize = 5_000;
/// Cells of the past in all of them together: some 50 MiB.
const CELLS: usize = 2_000_000;
/// Lines of the past that each has, however many there are.
const LEAST_PAST: usize = 200;

/// The open terminals, as tabs.
#[derive(Debug, Default)]
pub struct Terminals {
    /// From left to right.
    pub open: Vec<Pane>,
    /// The one that is shown, or was last.
    pub current: Option<PaneId>,
    /// Where it is shown.
    pub place: Place,
    /// Where it is shown when it is gone to again.
    pub preferred: Place,
    /// What was copied last, for pasting.
    pub copied: String,
    /// When the operator's bell rang last.
    pub rang: Option<Timestamp>,
}

/// Where the current terminal is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    /// Not at all: it goes on in the background.
    #[default]
    Away,
    /// Below the list, in the detail's place.
    Below,
    /// On the whole screen.
    Full,
}

/// What is known of a terminal once it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What holds it.
    pub tie: Tie,
    /// What the session may do beside drawing.
    pub grants: Grants,
    /// The run of the session that it is in, where its end would end it.
    pub within: Option<Box<Within>>,
}

/// What holds a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tie {
    /// Nothing yet: it is being opened.
    Opening,
    /// The session's supervisor: leaving it ends nothing.
    Held(Held),
    /// This connection: what runs in it ends with it. Its program's questions are answered here.
    Connection,
    /// Nothing: it is the log of what runs without a terminal.
    Log,
}

impl Terminals {
    /// The terminal of that number.
    pub fn get(&self, id: PaneId) -> Option<&Pane> {
        self.open.iter().find(|pane| pane.id == id)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: PaneId) -> Option<&mut Pane> {
        self.open.iter_mut().find(|pane| pane.id == id)
    }

    /// The one that is shown, or was last.
    pub fn current(&self) -> Option<&Pane> {
        self.current.and_then(|id| self.get(id))
    }

    /// The same, to be changed.
    pub fn current_mut(&mut self) -> Option<&mut Pane> {
        self.current.and_then(|id| self.get_mut(id))
    }

    /// The one that can be seen now.
    pub fn shown(&self) -> Option<&Pane> {
        self.current().filter(|_| self.place != Place::Away)
    }

    /// The terminals of a session.
    pub fn of<'a>(&'a self, session: &'a str) -> impl Iterator<Item = &'a Pane> {
        self.open.iter().filter(move |pane| pane.target.id == session)
    }

    /// Lines of the past that each may remember at a width: all of them together are bounded.
    pub fn past(&self, size: Size) -> usize {
        let each = CELLS / self.open.len().max(1) / usize::from(size.columns());
        each.clamp(LEAST_PAST, PAST)
    }

    /// Takes one out; its neighbour is the current one then.
    pub fn remove(&mut self, id: PaneId) {
        let Some(at) = self.open.iter().position(|pane| pane.id == id) else { return };
        self.open.remove(at);
        if self.current == Some(id) {
            self.current = self.open.get(at).or_else(|| self.open.last()).map(|pane| pane.id);
        }
        if self.open.is_empty() {
            self.place = Place::Away;
        }
    }

    /// The one so many tabs further, round and round.
    pub fn beside(&self, by: isize) -> Option<PaneId> {
        let at = self.open.iter().position(|pane| Some(pane.id) == self.current)?;
        let count = isize::try_from(self.open.len()).ok()?;
        let at = (isize::try_from(at).ok()? + by).rem_euclid(count);
        self.open.get(usize::try_from(at).ok()?).map(|pane| pane.id)
    }
}
