//! The operator's terminal, made to show a [`Screen`]: by differences, in a few control sequences of our own. No byte of what
//! a sandbox wrote gets there, only the characters and looks of cells.
//!
//! On the primary screen the operator's own scrollback keeps what scrolls off; a program's alternate screen is the operator's
//! alternate screen.

mod beside;
mod pen;
mod row;

use super::{Cell, Screen, Size};
pub use beside::{Beside, Uses};
use pen::Pen;
use row::{blank, blank_row, content, is_agreed, row_of};

/// So many equal cells are written again rather than jumped over: a jump takes as many bytes.
const BRIDGE: usize = 6;

/// Turns screens into what the operator's terminal is sent. It has begun to show nothing until [`Renderer::begin`].
#[derive(Debug)]
pub struct Renderer {
    pen: Pen,
    /// What the operator's terminal shows, row by row.
    shown: Vec<Vec<Cell>>,
    /// Whether it does: not after a change of its size.
    is_known: bool,
    /// The primary screen's, while the alternate one is shown.
    below: Option<(Vec<Vec<Cell>>, bool)>,
    size: Size,
    cursor_shown: bool,
    cursor_shape: u8,
}

impl Renderer {
    /// For a terminal of this size.
    pub fn new(size: Size) -> Self {
        Self {
            pen: Pen::new(size.columns()),
            shown: blank_screen(size),
            is_known: false,
            below: None,
            size,
            cursor_shown: true,
            cursor_shape: 0,
        }
    }

    /// Takes the terminal: what it showed goes to its scrollback, and the cursor home.
    pub fn begin(&mut self) -> Vec<u8> {
        self.pen.forget();
        self.pen.feed_lines(self.size.rows());
        self.pen.clear();
        self.shown = blank_screen(self.size);
        self.is_known = true;
        self.pen.take()
    }

    /// The terminal has another size, and whatever it shows now is drawn over.
    pub fn resize(&mut self, size: Size) {
        self.size = size;
        self.pen = Pen::new(size.columns());
        self.shown = blank_screen(size);
        self.is_known = false;
        if let Some((rows, is_known)) = &mut self.below {
            *rows = blank_screen(size);
            *is_known = false;
        }
    }

    /// What makes the terminal show this screen. The lines that scrolled off since the last frame are in its scrollback then,
    /// and no longer in the screen's past.
    pub fn frame(&mut self, screen: &mut Screen) -> Vec<u8> {
        self.switch(screen.modes().alternate);
        // Of what is shown already, only what was written to can have changed; but a screen of another size is seen elsewhere each time.
        let changed = screen.changed().filter(|_| self.is_known && screen.size() == self.size);
        if !self.is_known {
            self.pen.clear();
            self.is_known = true;
        }
        if self.below.is_none() {
            self.scroll(screen);
        }
        let top = self.top(screen);
        for y in changed.unwrap_or_else(|| (0..self.size.rows()).collect()) {
            let row = row_of(screen, i32::from(y) + i32::from(top), self.size.columns());
            self.paint(y, row);
        }
        self.cursor(screen, top);
        self.pen.take()
    }

    /// Gives the terminal back: plain, its cursor to be seen below everything that was shown.
    pub fn end(&mut self) -> Vec<u8> {
        self.switch(false);
        self.pen.plain();
        if self.cursor_shape != 0 {
            self.cursor_shape = 0;
            self.pen.shape(0);
        }
        if !self.cursor_shown {
            self.cursor_shown = true;
            self.pen.cursor(true);
        }
        let used = self.shown.iter().rposition(|row| content(row) > 0).map_or(0, |last| last + 1);
        match u16::try_from(used) {
            Ok(free) if self.is_known && free < self.size.rows() => self.pen.go(0, free),
            _ => self.pen.feed_lines(1),
        }
        self.pen.take()
    }

    fn switch(&mut self, alternate: bool) {
        if alternate == self.below.is_some() {
            return;
        }
        self.pen.plain();
        self.pen.alternate(alternate);
        if let Some((rows, is_known)) = self.below.take() {
            (self.shown, self.is_known) = (rows, is_known);
        } else {
            let rows = std::mem::replace(&mut self.shown, blank_screen(self.size));
            self.below = Some((rows, self.is_known));
            self.is_known = false;
        }
    }

    /// Puts the past above the screen, as the terminal would have.
    fn scroll(&mut self, screen: &mut Screen) {
        let mut line = -i32::try_from(screen.past()).unwrap_or(i32::MAX);
        while line < 0 {
            let rows = u16::try_from(line.unsigned_abs()).unwrap_or(u16::MAX).min(self.size.rows());
            for y in 0..rows {
                let row = row_of(screen, line + i32::from(y), self.size.columns());
                self.paint(y, row);
            }
            self.pen.feed_lines(rows);
            self.shown.rotate_left(rows.into());
            let first = self.shown.len() - usize::from(rows);
            for row in &mut self.shown[first..] {
                *row = blank_row(self.size.columns());
            }
            line += i32::from(rows);
        }
        screen.forget();
    }

    /// The first row to be seen of a screen that is higher than the terminal: its cursor is in sight.
    fn top(&self, screen: &Screen) -> u16 {
        if screen.size().rows() <= self.size.rows() { 0 } else { (screen.cursor().1 + 1).saturating_sub(self.size.rows()) }
    }

    fn paint(&mut self, y: u16, row: Vec<Cell>) {
        let Some(shown) = self.shown.get_mut(usize::from(y)) else { return };
        if *shown == row {
            return;
        }
        let (end, shown_end) = (content(&row), content(shown));
        let mut written = 0;
        for at in 0..end {
            if row[at] == shown[at] || row[at].width == 0 {
                continue;
            }
            // From where the last change ended, if that is near and looks the same.
            let gap = &row[written.min(at)..at];
            let is_bridged =
                written > 0 && gap.len() <= BRIDGE && gap.iter().all(|cell| self.pen.has(cell.look) && cell.width == 1 && is_agreed(cell));
            let from = if is_bridged { written } else { at };
            for (x, cell) in (from..).zip(&row[from..=at]) {
                self.pen.cell(u16::try_from(x).unwrap_or(u16::MAX), y, cell);
            }
            written = at + usize::from(row[at].width);
        }
        if end < shown_end {
            self.pen.erase(u16::try_from(end).unwrap_or(u16::MAX), y);
        }
        *shown = row;
    }

    fn cursor(&mut self, screen: &Screen, top: u16) {
        let (x, y) = screen.cursor();
        let y = y.saturating_sub(top);
        let is_shown = screen.shows_cursor() && x < self.size.columns() && y < self.size.rows();
        if is_shown {
            self.pen.go(x, y);
        }
        if is_shown != self.cursor_shown {
            self.cursor_shown = is_shown;
            self.pen.cursor(is_shown);
        }
        let shape = screen.cursor_shape();
        if shape != self.cursor_shape {
            self.cursor_shape = shape;
            self.pen.shape(shape);
        }
    }
}

fn blank_screen(size: Size) -> Vec<Vec<Cell>> {
    vec![vec![blank(); size.columns().into()]; size.rows().into()]
}

#[cfg(test)]
mod tests;
