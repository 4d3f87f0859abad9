//! One terminal in a session, and how it is looked at.

use super::super::effect::{PaneCommand, PaneId, Target};
use super::super::input::Input;
use super::Tie;
use crate::backend::{Cut, Fate, Within};
use crate::failure::Failure;
use crate::terminal::wire::Held;
use crate::terminal::{Found, Grants, Needle, Screen, Size};

/// The exit code of what SIGKILL ended, which is how the end of a session ends everything in it.
const KILLED: i64 = 128 + 9;

/// A terminal in a session: its screen is a grid of cells, whatever the sandbox writes.
pub struct Pane {
    /// Which.
    pub id: PaneId,
    /// Whose.
    pub target: Target,
    /// What it was opened for.
    pub command: PaneCommand,
    /// What holds it.
    pub tie: Tie,
    /// What its session may do beside drawing.
    pub grants: Grants,
    /// What is seen of it.
    pub screen: Screen,
    /// The title that its program set, where it may.
    pub title: Option<String>,
    /// How it ended: its exit code where it is known, or why it failed.
    pub ended: Option<Result<Option<i64>, Failure>>,
    /// The run of the session that it is in.
    pub within: Option<Box<Within>>,
    /// What became of that, where it was asked for.
    pub fate: Option<Fate>,
    /// Lines scrolled back.
    pub scroll: usize,
    /// Who takes the keys.
    pub mode: Mode,
    /// What was searched for last.
    pub sought: String,
    /// What is selected.
    pub selection: Option<Selection>,
    /// The mouse's button is held, by which what is selected grows.
    pub dragging: bool,
    /// Where it went down.
    pub anchor: Point,
    /// Something was written since it was looked at.
    pub active: bool,
    /// It rang since it was looked at.
    pub rang: bool,
    /// Titles and clipboards that it asked for and may not set.
    pub refused: u32,
}

/// Who takes the keys of a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// What runs in it.
    Live,
    /// The first of the keys that leave was pressed.
    Leaving,
    /// The key before those of the dashboard was pressed.
    Prefix,
    /// What to search for is typed.
    Search(Input),
    /// The cursor is ours, to select and copy.
    Copy(Point),
    /// These were left in the session: one of them, or after them a new one?
    Choose(Vec<Held>, usize),
}

/// A cell: its line counted from the first that the terminal ever had, so that what scrolls does not move it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// The line.
    pub line: i64,
    /// The column.
    pub column: u16,
}

/// What is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Where it began.
    pub from: Point,
    /// Where it is now.
    pub to: Point,
    /// Whole lines.
    pub lines: bool,
}

impl Selection {
    /// First and last cell.
    pub fn range(&self) -> (Point, Point) {
        let (first, last) = if self.from <= self.to { (self.from, self.to) } else { (self.to, self.from) };
        if self.lines { (Point { column: 0, ..first }, Point { column: u16::MAX, ..last }) } else { (first, last) }
    }
}

impl Pane {
    /// One that is being opened.
    pub fn new(id: PaneId, target: Target, command: PaneCommand, size: Size, past: usize) -> Self {
        Self {
            id,
            target,
            command,
            tie: Tie::Opening,
            grants: Grants::default(),
            screen: Screen::new(size, past),
            title: None,
            ended: None,
            within: None,
            fate: None,
            scroll: 0,
            mode: Mode::Live,
            sought: String::new(),
            selection: None,
            dragging: false,
            anchor: Point { line: 0, column: 0 },
            active: false,
            rang: false,
            refused: 0,
        }
    }

    /// Lines that went before the screen's first.
    fn gone(&self) -> i64 {
        i64::try_from(self.screen.gone()).unwrap_or(i64::MAX)
    }

    /// The first line that is shown.
    pub fn top(&self) -> i64 {
        self.gone() - i64::try_from(self.scroll).unwrap_or(0)
    }

    /// The oldest line that is remembered.
    pub fn oldest(&self) -> i64 {
        self.gone() + i64::from(self.screen.oldest())
    }

    /// The screen's last line.
    pub fn newest(&self) -> i64 {
        self.gone() + i64::from(self.screen.newest())
    }

    /// A line as its screen counts it.
    pub fn line(&self, line: i64) -> i32 {
        i32::try_from(line - self.gone()).unwrap_or(if line < self.gone() { i32::MIN / 2 } else { i32::MAX / 2 })
    }

    /// A cell of the screen as it is counted here.
    pub fn point(&self, (line, column): (i32, u16)) -> Point {
        Point { line: self.gone() + i64::from(line), column }
    }

    /// Where the program's cursor is.
    pub fn cursor(&self) -> Point {
        let (column, row) = self.screen.cursor();
        self.point((i32::from(row), column))
    }

    /// A point within what there is.
    pub fn within(&self, point: Point) -> Point {
        let last = self.screen.size().columns() - 1;
        Point { line: point.line.clamp(self.oldest(), self.newest()), column: point.column.min(last) }
    }

    /// Looks so many lines further back, or forward; no further than there is something.
    pub fn scroll_by(&mut self, by: isize) {
        self.scroll = self.scroll.saturating_add_signed(by).min(self.screen.past());
    }

    /// Looks where this line is on the screen.
    pub fn scroll_to(&mut self, line: i64) {
        let rows = i64::from(self.screen.size().rows());
        let top = self.top();
        let wanted = if line < top {
            line
        } else if line >= top + rows {
            line - rows + 1
        } else {
            return;
        };
        self.scroll = usize::try_from(self.gone() - wanted).unwrap_or(0).min(self.screen.past());
    }

    /// Who looks at what was goes on seeing the same lines, though so many more came.
    pub fn pinned(&mut self, more: u64) {
        let looks = self.scroll > 0 || self.dragging || matches!(self.mode, Mode::Copy(_) | Mode::Search(_));
        if looks {
            let more = usize::try_from(more).unwrap_or(usize::MAX);
            self.scroll = self.scroll.saturating_add(more).min(self.screen.past());
        }
        if let Mode::Copy(point) = self.mode {
            self.mode = Mode::Copy(self.within(point));
        }
        // What has gone is not selected any more.
        if self.selection.is_some_and(|selection| selection.range().1.line < self.oldest()) {
            self.selection = None;
        }
    }

    /// Back to what runs in it.
    pub fn live(&mut self) {
        self.mode = Mode::Live;
        self.scroll = 0;
        self.selection = None;
        self.dragging = false;
    }

    /// What is searched for: as it is typed, or the last.
    pub fn needle(&self) -> Option<Needle> {
        match &self.mode {
            Mode::Search(input) => Needle::new(input.text()),
            Mode::Copy(_) => Needle::new(&self.sought),
            Mode::Live | Mode::Leaving | Mode::Prefix | Mode::Choose(..) => None,
        }
    }

    /// Where on the lines that are shown it is found.
    pub fn found(&self) -> Vec<Found> {
        let Some(needle) = self.needle() else { return Vec::new() };
        let top = self.line(self.top());
        self.screen.find_all(&needle, top..top + i32::from(self.screen.size().rows()))
    }

    /// The text that is selected, as it is seen.
    pub fn selected(&self) -> Option<String> {
        let (first, last) = self.selection?.range();
        let text = self.screen.passage((self.line(first.line), first.column), (self.line(last.line), last.column));
        Some(text).filter(|text| !text.is_empty())
    }

    /// The terminal that its session holds, by number.
    pub const fn held(&self) -> Option<u32> {
        match &self.tie {
            Tie::Held(held) => Some(held.id),
            Tie::Opening | Tie::Connection | Tie::Log => None,
        }
    }

    /// Whether the way to it was lost, and it may be there still.
    pub fn is_lost(&self) -> bool {
        self.held().is_some() && matches!(self.ended, Some(Err(_))) && !self.is_over()
    }

    /// Whether it ended with its session.
    pub fn is_over(&self) -> bool {
        self.fate.as_ref().is_some_and(Fate::is_over)
    }

    /// How it was parted from, where its session may have had a part in that.
    pub fn cut(&self) -> Option<Cut> {
        match self.ended {
            Some(Ok(Some(KILLED))) => Some(Cut::Killed),
            Some(Err(_)) => Some(Cut::Lost),
            Some(Ok(_)) | None => None,
        }
    }
}

impl std::fmt::Debug for Pane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pane").field("id", &self.id).field("target", &self.target).field("command", &self.command).finish_non_exhaustive()
    }
}
