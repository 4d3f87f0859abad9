//! What is to be seen of a screen as text: for a clipboard. A line that was wrapped is one again, blanks at a line's end are left out,
//! and what cannot be seen is not in it.

use super::screen::Screen;

/// Wrapped lines that are followed to find where one begins or ends; one that a program wraps without end is cut there.
pub(super) const MOST_WRAPPED: i32 = 64;

impl Screen {
    /// The text from one cell to another, both with it, as line and column; lines before 0 are the past's.
    pub fn passage(&self, from: (i32, u16), to: (i32, u16)) -> String {
        let (from, to) = if from <= to { (from, to) } else { (to, from) };
        let first = from.0.max(self.oldest());
        let last = to.0.min(self.newest());
        let mut out = String::new();
        let mut blanks = 0;
        for line in first..=last {
            let begin = if line == from.0 { from.1 } else { 0 };
            let end = if line == to.0 { to.1 } else { u16::MAX };
            for (cell, column) in self.line(line).zip(0_u16..).filter(|(cell, _)| cell.width > 0) {
                // A wide character is taken where half of it is.
                if column + u16::from(cell.width) <= begin || column > end {
                    continue;
                }
                if cell.c == ' ' {
                    blanks += 1;
                    continue;
                }
                out.extend(std::iter::repeat_n(' ', std::mem::take(&mut blanks)));
                out.push(cell.c);
                out.extend(cell.mark);
            }
            if line != last && !self.is_wrapped(line) {
                blanks = 0;
                out.push('\n');
            }
        }
        out
    }

    /// The columns of the word around a cell, first and last; the cell's own where none is.
    pub fn word(&self, line: i32, column: u16) -> (u16, u16) {
        let cells: Vec<_> = self.line(line).collect();
        let at = usize::from(column);
        let is_word = |at: usize| cells.get(at).is_some_and(|cell| cell.width == 0 || is_word(cell.c));
        if !is_word(at) {
            return (column, column);
        }
        let first = (0..=at).rev().take_while(|at| is_word(*at)).last().unwrap_or(at);
        let last = (at..cells.len()).take_while(|at| is_word(*at)).last().unwrap_or(at);
        (u16::try_from(first).unwrap_or(column), u16::try_from(last).unwrap_or(column))
    }

    /// The oldest line that is remembered.
    pub fn oldest(&self) -> i32 {
        -i32::try_from(self.past()).unwrap_or(i32::MAX)
    }

    /// The screen's last line.
    pub fn newest(&self) -> i32 {
        i32::from(self.size().rows()) - 1
    }
}

/// What a double click takes together: letters, digits, and what paths and addresses have between them.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || "_-./:~@%+=?&#".contains(c)
}

#[cfg(test)]
mod tests {
    use super::super::{Screen, Size};

    fn screen(written: &str) -> Screen {
        let mut screen = Screen::new(Size::new(10, 4), 100);
        screen.feed(written.as_bytes());
        screen
    }

    #[test]
    fn what_was_wrapped_is_one_line_again_and_ends_have_no_blanks() {
        let screen = screen("0123456789abc   \r\nnext  one \r\n\r\nend");
        assert_eq!(screen.oldest(), -1);
        assert_eq!(screen.passage((-1, 0), (3, 9)), "0123456789abc\nnext  one\n\nend");
        assert_eq!(screen.passage((-1, 8), (0, 1)), "89ab");
        assert_eq!(screen.passage((1, 7), (1, 3)), "t  on", "from either end");
        assert_eq!(screen.passage((-500, 0), (-400, 0)), "");
    }

    #[test]
    fn half_of_a_wide_character_takes_it_and_hidden_text_is_not_there() {
        let screen = screen("日本語\r\n\u{1b}[8mcurl evil\u{1b}[m ok e\u{301}");
        assert_eq!(screen.passage((0, 1), (0, 2)), "日本");
        assert_eq!(screen.passage((1, 0), (2, 9)).trim(), "ok e\u{301}");
    }

    #[test]
    fn a_word_is_what_a_double_click_means() {
        let screen = screen("ls /a/b.c x");
        assert_eq!((screen.word(0, 5), screen.word(0, 2), screen.word(0, 0)), ((3, 8), (2, 2), (0, 1)));
    }
}
