//! A line that is typed.

use super::key::{Code, Key};

/// More than this in one line is no input of a person's.
const LONGEST: usize = 4096;

/// One line that is being typed, with the cursor between two characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Input {
    text: String,
    /// Bytes before the cursor.
    cursor: usize,
}

/// Whether a key was one of the line's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// The text is another now.
    Changed,
    /// The cursor moved, or could not.
    Moved,
    /// Not the line's.
    Ignored,
}

impl Input {
    /// With the cursor at the end.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cursor: text.len(), text }
    }

    /// What it says.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    pub fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Takes another text.
    pub fn set(&mut self, text: impl Into<String>) {
        *self = Self::new(text);
    }

    /// Types a text, as pasting does: line ends and control characters become spaces.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars().take(LONGEST.saturating_sub(self.text.len())) {
            let c = if c.is_control() { ' ' } else { c };
            self.text.insert(self.cursor, c);
            self.cursor += c.len_utf8();
        }
    }

    /// Edits: characters, Backspace, Delete, arrows, Home, End, and the shell's ctrl-a, ctrl-e, ctrl-u, ctrl-k, ctrl-w.
    pub fn key(&mut self, key: Key) -> Typed {
        if let Some(c) = key.typed() {
            if self.text.len() >= LONGEST {
                return Typed::Moved;
            }
            self.insert(c.encode_utf8(&mut [0; 4]));
            return Typed::Changed;
        }
        match (key.code, key.ctrl) {
            (Code::Backspace, false) => self.cut(self.previous(), self.cursor),
            (Code::Delete, _) => self.cut(self.cursor, self.next()),
            (Code::Char('u'), true) => self.cut(0, self.cursor),
            (Code::Char('k'), true) => self.cut(self.cursor, self.text.len()),
            (Code::Char('w') | Code::Backspace, true) => self.cut(self.word(), self.cursor),
            (Code::Left, false) => self.to(self.previous()),
            (Code::Right, false) => self.to(self.next()),
            (Code::Left, true) => self.to(self.word()),
            (Code::Home, _) | (Code::Char('a'), true) => self.to(0),
            (Code::End, _) | (Code::Char('e'), true) => self.to(self.text.len()),
            _ => Typed::Ignored,
        }
    }

    fn to(&mut self, cursor: usize) -> Typed {
        self.cursor = cursor;
        Typed::Moved
    }

    fn cut(&mut self, from: usize, to: usize) -> Typed {
        if from == to {
            return Typed::Moved;
        }
        self.text.replace_range(from..to, "");
        self.cursor = from;
        Typed::Changed
    }

    fn previous(&self) -> usize {
        self.before_cursor().char_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn next(&self) -> usize {
        self.text[self.cursor..].chars().next().map_or(self.cursor, |c| self.cursor + c.len_utf8())
    }

    fn word(&self) -> usize {
        let before = self.before_cursor().trim_end();
        before.char_indices().rfind(|(_, c)| c.is_whitespace()).map_or(0, |(at, c)| at + c.len_utf8())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(input: &mut Input, keys: &[&str]) {
        for key in keys {
            input.key(key.parse().unwrap());
        }
    }

    #[test]
    fn a_line_is_edited_where_the_cursor_stands() {
        let mut input = Input::new("wéb");
        typed(&mut input, &["left", "left", "backspace", "x", "end", "1", "home", "delete"]);
        assert_eq!(input.text(), "éb1");
        typed(&mut input, &["ctrl-e", "space", "a", "b", "ctrl-w"]);
        assert_eq!((input.text(), input.before_cursor()), ("éb1 ", "éb1 "));
        typed(&mut input, &["ctrl-u"]);
        assert_eq!(input.text(), "");
        assert_eq!(input.key(Key::plain(Code::Backspace)), Typed::Moved);
        assert_eq!(input.key(Key::plain(Code::Up)), Typed::Ignored);
    }

    #[test]
    fn what_is_pasted_stays_one_line() {
        let mut input = Input::default();
        input.insert("a\nb\u{1b}c");
        assert_eq!(input.text(), "a b c");
    }
}
