use std::fmt::Write;

use super::row::is_agreed;
use crate::terminal::{Cell, Look};

/// Beyond the last row of any terminal, which takes it for its last.
const BOTTOM: u16 = 999;

/// Writes on the operator's terminal: every control sequence that the renderer has is here.
#[derive(Debug)]
pub(super) struct Pen {
    out: String,
    columns: u16,
    /// How it writes now; unknown at the start, and after the terminal put back a look of its own.
    look: Option<Look>,
    /// Where it writes next, where every terminal agrees on that.
    at: Option<(u16, u16)>,
}

impl Pen {
    pub(super) fn new(columns: u16) -> Self {
        Self { out: String::new(), columns, look: None, at: None }
    }

    /// What was written since the last time.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out).into_bytes()
    }

    pub(super) fn forget(&mut self) {
        (self.look, self.at) = (None, None);
    }

    pub(super) fn has(&self, look: Look) -> bool {
        self.look == Some(look)
    }

    pub(super) fn plain(&mut self) {
        self.look(Look::default());
    }

    fn look(&mut self, look: Look) {
        if self.look != Some(look) {
            self.look = Some(look);
            self.out.push_str(&look.sgr());
        }
    }

    pub(super) fn go(&mut self, x: u16, y: u16) {
        if self.at != Some((x, y)) {
            self.at = Some((x, y));
            let _ = write!(self.out, "\u{1b}[{};{}H", y + 1, x + 1);
        }
    }

    /// Puts a cell there; the second half of a wide one is nothing to be written.
    pub(super) fn cell(&mut self, x: u16, y: u16, cell: &Cell) {
        if cell.width == 0 {
            return;
        }
        self.go(x, y);
        self.look(cell.look);
        self.out.push(cell.c);
        self.out.extend(cell.mark);
        let next = x + u16::from(cell.width);
        // After the last column terminals differ in where they are, and after some characters in how wide those were.
        self.at = (next < self.columns && is_agreed(cell)).then_some((next, y));
    }

    /// Blanks the rest of a row. Terminals take the colour from the pen.
    pub(super) fn erase(&mut self, x: u16, y: u16) {
        self.go(x, y);
        self.plain();
        self.out.push_str("\u{1b}[K");
    }

    pub(super) fn clear(&mut self) {
        self.plain();
        self.out.push_str("\u{1b}[1;1H\u{1b}[J");
        self.at = Some((0, 0));
    }

    /// Scrolls the whole screen up, into the terminal's own scrollback.
    pub(super) fn feed_lines(&mut self, count: u16) {
        self.plain();
        let _ = write!(self.out, "\u{1b}[{BOTTOM};1H");
        self.out.extend(std::iter::repeat_n('\n', count.into()));
        // Rows below `BOTTOM` would be somebody else's: a terminal so high is drawn to by place alone.
        self.at = None;
    }

    /// The alternate screen or back. Either way the terminal puts back a cursor that it had.
    pub(super) fn alternate(&mut self, on: bool) {
        self.out.push_str(if on { "\u{1b}[?1049h" } else { "\u{1b}[?1049l" });
        self.forget();
    }

    pub(super) fn cursor(&mut self, shown: bool) {
        self.out.push_str(if shown { "\u{1b}[?25h" } else { "\u{1b}[?25l" });
    }

    pub(super) fn shape(&mut self, shape: u8) {
        let _ = write!(self.out, "\u{1b}[{shape} q");
    }
}
