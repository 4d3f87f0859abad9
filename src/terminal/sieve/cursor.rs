//! Where the cursor is and may go, as terminals have it and the emulator does not always.

use alacritty_terminal::grid::{Dimensions, GridCell};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::vte::ansi::Handler;

use super::Sieve;
use crate::terminal::halves;

/// Accents and the like on one character; more are left out, or a cell could grow without end.
const MOST_MARKS: usize = 4;

impl Sieve<'_> {
    /// Whether one more mark can be put on the character before the cursor.
    pub(super) fn takes_mark(&self) -> bool {
        let grid = self.term.grid();
        let at = grid.cursor.point;
        let back = |column: usize| column.saturating_sub(1);
        let mut column = if grid.cursor.input_needs_wrap { at.column.0 } else { back(at.column.0) };
        if grid[at.line][Column(column)].flags.contains(Flags::WIDE_CHAR_SPACER) {
            column = back(column);
        }
        grid[at.line][Column(column)].zerowidth().is_none_or(|marks| marks.len() < MOST_MARKS)
    }

    /// Where the cursor is, half of a wide character may have gone.
    pub(super) fn mend(&mut self) {
        let line = self.term.grid().cursor.point.line;
        halves::mend(self.term, line);
    }

    pub(super) fn line(&self) -> usize {
        usize::try_from(self.term.grid().cursor.point.line.0).unwrap_or(0)
    }

    pub(super) fn column(&self) -> usize {
        self.term.grid().cursor.point.column.0
    }

    /// Whether nothing is on the primary screen and nothing above it.
    pub(super) fn is_untouched(&self) -> bool {
        let (grid, mut line) = (self.term.grid(), Line(0));
        let rows = std::iter::from_fn(|| {
            let row = (line <= self.term.bottommost_line()).then(|| &grid[line]);
            line += 1;
            row
        });
        grid.history_size() == 0 && rows.flatten().all(GridCell::is_empty)
    }

    /// So many lines up: a region's first line is not passed from within it or below.
    pub(super) fn above(&self, count: usize) -> usize {
        let top = self.beside.region.as_ref().map_or(0, |region| region.start - 1);
        let least = if self.line() >= top { top } else { 0 };
        self.line().saturating_sub(count).max(least)
    }

    /// So many lines down: a region's last line is not passed from within it or above.
    pub(super) fn below(&self, count: usize) -> usize {
        let last = self.term.screen_lines() - 1;
        let bottom = self.beside.region.as_ref().map_or(last, |region| region.end - 1);
        let most = if self.line() <= bottom { bottom } else { last };
        self.line().saturating_add(count).min(most)
    }

    /// Puts the cursor there. The emulator's own way takes a line for one of the region's where the origin is there (DECOM), also
    /// when it is told to move from where it is.
    pub(super) fn place(&mut self, line: usize, column: usize) {
        // What was written where it leaves from has changed: the emulator notes that only at moves of its own, and this is one to nowhere.
        self.term.move_forward(0);
        let last = self.term.columns() - 1;
        let cursor = &mut self.term.grid_mut().cursor;
        cursor.point.line = Line(i32::try_from(line).unwrap_or(0));
        cursor.point.column = Column(column.min(last));
        cursor.input_needs_wrap = false;
    }

    /// No count moves further than the screen is large.
    pub(super) fn most(&self, count: usize) -> usize {
        count.min(self.term.columns().max(self.term.screen_lines()))
    }
}
