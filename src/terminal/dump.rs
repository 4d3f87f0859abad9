//! A screen written down as the bytes that make it: whoever takes up a terminal anew feeds them to an empty screen of the
//! same size.

use std::fmt::Write;

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::{Cell as Raw, Flags};
use alacritty_terminal::vte::ansi::{CharsetIndex, StandardCharset};

use super::cell::Look;
use super::screen::Screen;

impl Screen {
    /// Everything that is to be seen, the past before it, and the modes: what the program wrote is in it only as characters.
    pub fn dump(&mut self) -> Vec<u8> {
        let mut out = String::new();
        if self.term.mode().contains(TermMode::ALT_SCREEN) {
            // The primary screen is reached by going there, which clears the alternate one.
            let alternate = self.term.grid().clone();
            self.term.swap_alt();
            self.lines(&mut out);
            self.cursor_written(&mut out, 0);
            self.term.swap_alt();
            *self.term.grid_mut() = alternate;
            // What the primary screen's cursor writes with is kept for its return, and goes on here; entering clears with its background.
            out.push_str("\u{1b}[?1049h\u{1b}[0m\u{1b}(B\u{1b})B\u{f}\u{1b}[2J");
        }
        self.lines(&mut out);
        self.modes_written(&mut out);
        self.place(&mut out);
        out.into_bytes()
    }

    /// The characters, from the oldest line on.
    fn lines(&self, out: &mut String) {
        out.push_str("\u{1b}[H\u{1b}[0m");
        let grid = self.term.grid();
        let (first, last) = (self.term.topmost_line(), self.term.bottommost_line());
        let mut look = Look::default();
        let mut line = first;
        let mut goes_on = false;
        while line <= last {
            let row = &grid[line];
            let wraps = row[Column(self.term.columns() - 1)].flags.contains(Flags::WRAPLINE);
            let written = if wraps { self.term.columns() } else { width_of(row.into_iter()) };
            let came_by_wrap = std::mem::replace(&mut goes_on, wraps);
            // A line goes on in the next by what is written there, if it is a blank.
            let written = if came_by_wrap { written.max(1) } else { written };
            for cell in row.into_iter().take(written) {
                // Hidden text is seen by nobody: it is as many blanks, each in its cell.
                let hidden = cell.flags.contains(Flags::HIDDEN);
                if !hidden && cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER) {
                    continue;
                }
                let its = super::cell::Cell::of(cell).look;
                if its != look {
                    look = its;
                    out.push_str(&look.sgr());
                }
                out.push(shown(cell));
                if !hidden {
                    out.extend(cell.zerowidth().unwrap_or_default());
                }
            }
            if !wraps {
                // A line that a wrap has scrolled in is filled with the background that was written with.
                let first = super::cell::Cell::of(&row[Column(0)]).look;
                let is_filled = came_by_wrap && written < self.term.columns() && first.background != Look::default().background;
                if (is_filled || line != last) && look != Look::default() {
                    look = Look::default();
                    out.push_str(&look.sgr());
                }
                if is_filled {
                    out.push_str("\u{1b}[K");
                }
                if line != last {
                    out.push_str("\r\n");
                }
            }
            line = Line(line.0 + 1);
        }
    }

    /// Region, cursor and what it writes with. The region and its origin are both screens'.
    fn place(&self, out: &mut String) {
        if let Some(region) = &self.beside.region {
            let _ = write!(out, "\u{1b}[{};{}r", region.start, region.end);
        }
        let origin = self.term.mode().contains(TermMode::ORIGIN);
        if origin {
            out.push_str("\u{1b}[?6h");
        }
        self.cursor_written(out, if origin { self.beside.region.as_ref().map_or(0, |region| region.start - 1) } else { 0 });
    }

    /// The cursor and what it writes with; lines are counted from `top`.
    fn cursor_written(&self, out: &mut String, top: usize) {
        let cursor = &self.term.grid().cursor;
        let row = usize::try_from(cursor.point.line.0).unwrap_or(0);
        let _ = write!(out, "\u{1b}[{};{}H", row.saturating_sub(top) + 1, cursor.point.column.0 + 1);
        if cursor.input_needs_wrap {
            // The last column was written, and the next character begins a new line: written once more, it does again.
            let cell = &self.term.grid()[cursor.point.line][cursor.point.column];
            if !cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
                out.push_str(&super::cell::Cell::of(cell).look.sgr());
                out.push(shown(cell));
                if !cell.flags.contains(Flags::HIDDEN) {
                    out.extend(cell.zerowidth().unwrap_or_default());
                }
            }
        }
        // After the last of what is written: in another character set it would be another character.
        for (index, name) in [(CharsetIndex::G0, '('), (CharsetIndex::G1, ')')] {
            if cursor.charsets[index] == StandardCharset::SpecialCharacterAndLineDrawing {
                let _ = write!(out, "\u{1b}{name}0");
            }
        }
        if self.beside.charset == CharsetIndex::G1 {
            out.push('\u{e}');
        }
        out.push_str(&super::cell::Cell::of(&cursor.template).look.sgr());
    }

    fn modes_written(&self, out: &mut String) {
        let mode = *self.term.mode();
        for (flag, number) in [
            (TermMode::APP_CURSOR, 1),
            (TermMode::MOUSE_REPORT_CLICK, 1000),
            (TermMode::MOUSE_DRAG, 1002),
            (TermMode::MOUSE_MOTION, 1003),
            (TermMode::SGR_MOUSE, 1006),
            (TermMode::BRACKETED_PASTE, 2004),
        ] {
            if mode.contains(flag) {
                let _ = write!(out, "\u{1b}[?{number}h");
            }
        }
        for (flag, number) in [(TermMode::SHOW_CURSOR, 25), (TermMode::LINE_WRAP, 7), (TermMode::ALTERNATE_SCROLL, 1007)] {
            if !mode.contains(flag) {
                let _ = write!(out, "\u{1b}[?{number}l");
            }
        }
        for (flag, number) in [(TermMode::INSERT, 4), (TermMode::LINE_FEED_NEW_LINE, 20)] {
            if mode.contains(flag) {
                let _ = write!(out, "\u{1b}[{number}h");
            }
        }
        if mode.contains(TermMode::APP_KEYPAD) {
            out.push_str("\u{1b}=");
        }
        let shape = self.cursor_shape();
        if shape != 0 {
            let _ = write!(out, "\u{1b}[{shape} q");
        }
    }
}

/// Up to the last cell that is more than an untouched one.
fn width_of<'a>(row: impl Iterator<Item = &'a Raw>) -> usize {
    let untouched = Raw::default();
    let mut wide = 0;
    for (at, cell) in row.enumerate() {
        if *cell != untouched {
            wide = at + 1;
        }
    }
    wide
}

/// A character that puts itself into a cell, whatever stands there.
fn shown(cell: &Raw) -> char {
    if cell.c.is_control() || cell.flags.contains(Flags::HIDDEN) { ' ' } else { cell.c }
}
