//! Finding a text on a screen and in its past: plain text, in time that grows with the cells alone.

use memchr::memmem;

use super::passage::MOST_WRAPPED;
use super::screen::Screen;

/// More than this is no text that somebody looks for.
const LONGEST: usize = 200;

/// A text that is looked for. Small letters find capitals too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needle {
    text: String,
    any_case: bool,
}

/// Where it was found: first and last cell, as line and column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its first cell.
    pub first: (i32, u16),
    /// Its last cell.
    pub last: (i32, u16),
}

impl Needle {
    /// `None` for an empty text.
    pub fn new(text: &str) -> Option<Self> {
        let text: String = text.chars().take(LONGEST).collect();
        let any_case = !text.chars().any(char::is_uppercase);
        (!text.is_empty()).then_some(Self { text, any_case })
    }
}

/// Lines that were one before they were wrapped: their text, and which cell each character of it is.
struct Joined {
    text: String,
    /// Where in the text each cell's character begins.
    cells: Vec<(usize, i32, u16)>,
    next: i32,
}

impl Screen {
    /// Everywhere in these lines, and in what was wrapped together with them, from the top down.
    pub fn find_all(&self, needle: &Needle, lines: std::ops::Range<i32>) -> Vec<Found> {
        let mut all = Vec::new();
        let mut line = self.beginning(lines.start.max(self.oldest()));
        while line < lines.end.min(self.newest() + 1) {
            let joined = self.joined(line, needle);
            all.extend(joined.find(needle));
            line = joined.next;
        }
        all
    }

    /// The nearest that begins before this cell.
    pub fn find_before(&self, needle: &Needle, at: (i32, u16)) -> Option<Found> {
        let mut line = at.0.min(self.newest());
        while line >= self.oldest() {
            let first = self.beginning(line);
            let found = self.find_all(needle, first..line + 1).into_iter().rfind(|found| found.first < at);
            if found.is_some() {
                return found;
            }
            line = first - 1;
        }
        None
    }

    /// The nearest that begins after this cell.
    pub fn find_after(&self, needle: &Needle, at: (i32, u16)) -> Option<Found> {
        let mut line = self.beginning(at.0.max(self.oldest()));
        while line <= self.newest() {
            let joined = self.joined(line, needle);
            let found = joined.find(needle).find(|found| found.first > at);
            if found.is_some() {
                return found;
            }
            line = joined.next;
        }
        None
    }

    /// The first of the lines that were wrapped into this one.
    fn beginning(&self, line: i32) -> i32 {
        let least = line.saturating_sub(MOST_WRAPPED).max(self.oldest());
        (least..line).rev().take_while(|before| self.is_wrapped(*before)).last().unwrap_or(line)
    }

    fn joined(&self, first: i32, needle: &Needle) -> Joined {
        let (mut text, mut cells) = (String::new(), Vec::new());
        let mut line = first;
        loop {
            for (cell, column) in self.line(line).zip(0..).filter(|(cell, _)| cell.width > 0) {
                cells.push((text.len(), line, column));
                text.push(needle.folded(cell.c));
            }
            let goes_on = self.is_wrapped(line) && line - first < MOST_WRAPPED;
            line += 1;
            if !goes_on {
                return Joined { text, cells, next: line };
            }
        }
    }
}

impl Needle {
    fn folded(&self, c: char) -> char {
        if self.any_case && c.is_uppercase() { c.to_lowercase().next().unwrap_or(c) } else { c }
    }
}

impl Joined {
    fn find<'a>(&'a self, needle: &'a Needle) -> impl Iterator<Item = Found> + 'a {
        let cell = |byte: usize| {
            let (_, line, column) = self.cells[self.cells.partition_point(|(at, ..)| *at <= byte).saturating_sub(1)];
            (line, column)
        };
        memmem::find_iter(self.text.as_bytes(), needle.text.as_bytes())
            .map(move |at| Found { first: cell(at), last: cell(at + needle.text.len() - 1) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Screen, Size};
    use super::*;

    fn screen(written: &str) -> Screen {
        let mut screen = Screen::new(Size::new(10, 4), 100);
        screen.feed(written.as_bytes());
        screen
    }

    fn needle(text: &str) -> Needle {
        Needle::new(text).unwrap()
    }

    #[test]
    fn a_text_is_found_whatever_its_case_unless_capitals_ask_for_them() {
        let screen = screen("Error error\r\nERROR");
        let found = |text| screen.find_all(&needle(text), 0..4).iter().map(|found| found.first).collect::<Vec<_>>();
        assert_eq!(found("error"), [(0, 0), (0, 6), (2, 0)]);
        assert_eq!(found("Error"), [(0, 0)]);
        assert!(Needle::new("").is_none());
    }

    #[test]
    fn what_was_wrapped_is_found_as_one() {
        let screen = screen("12345678needle9\r\nx 日本語");
        assert_eq!(screen.find_all(&needle("needle"), 1..2), [Found { first: (0, 8), last: (1, 3) }]);
        assert_eq!(screen.find_all(&needle("本語"), 2..3), [Found { first: (2, 4), last: (2, 6) }]);
    }

    #[test]
    fn one_goes_from_match_to_match_through_the_past() {
        let text: Vec<String> = (0..50).map(|number| format!("row {number}.")).collect();
        let screen = screen(&text.join("\r\n"));
        let row = needle("row 1");
        let mut at = (3, 9);
        let mut seen = Vec::new();
        while let Some(found) = screen.find_before(&row, at) {
            seen.push(found.first.0);
            at = found.first;
        }
        assert_eq!(seen.len(), 11);
        assert_eq!(screen.find_after(&row, at).map(|found| found.first.0), Some(seen[9]));
        assert_eq!(screen.find_after(&row, (3, 9)), None);
    }
}
