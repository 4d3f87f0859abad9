//! Keys by the names that people give them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A key as a person names it: `q`, `G`, `enter`, `ctrl-c`, `alt-left`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Which key.
    pub code: Code,
    /// With Control.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
    /// With Shift, where that does not make another key of it as it does of characters and Tab.
    pub shift: bool,
}

/// Which key, without what was held with it. A shifted letter is the capital; shifted Tab is `BackTab`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "keys are named as they are labelled")]
pub enum Code {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Insert,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    F(u8),
}

const NAMES: [(&str, Code); 16] = [
    ("enter", Code::Enter),
    ("esc", Code::Esc),
    ("tab", Code::Tab),
    ("shift-tab", Code::BackTab),
    ("backspace", Code::Backspace),
    ("delete", Code::Delete),
    ("insert", Code::Insert),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("home", Code::Home),
    ("end", Code::End),
    ("pageup", Code::PageUp),
    ("pagedown", Code::PageDown),
    ("space", Code::Char(' ')),
];

impl Key {
    /// A key by itself.
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    /// A character by itself.
    pub const fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }

    /// A character with Control.
    pub const fn ctrl(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: true, alt: false, shift: false }
    }

    /// One key whatever it was sent as: terminals send the same for ctrl-4 to ctrl-7 as for what stands on these keys elsewhere.
    #[must_use]
    pub fn settled(self) -> Self {
        let code = match self.code {
            Code::Char(c) if self.ctrl => Code::Char(match c.to_ascii_lowercase() {
                '4' => '\\',
                '5' => ']',
                '6' => '^',
                '7' => '_',
                c => c,
            }),
            other => other,
        };
        let shift = self.shift && !matches!(code, Code::Char(_) | Code::Tab | Code::BackTab);
        Self { code, shift, ..self }
    }

    /// The character that it types, where it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        if self.alt {
            f.write_str("alt-")?;
        }
        if self.shift {
            f.write_str("shift-")?;
        }
        if let Some((name, _)) = NAMES.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            Code::Char(c) => write!(f, "{c}"),
            Code::F(number) => write!(f, "f{number}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mut rest, mut ctrl, mut alt, mut shift) = (text, false, false, false);
        let is_named = |rest: &str| NAMES.iter().any(|(name, _)| *name == rest);
        while !is_named(rest) {
            if let Some(after) = rest.strip_prefix("ctrl-").filter(|after| !after.is_empty()) {
                (rest, ctrl) = (after, true);
            } else if let Some(after) = rest.strip_prefix("alt-").filter(|after| !after.is_empty()) {
                (rest, alt) = (after, true);
            } else if let Some(after) = rest.strip_prefix("shift-").filter(|after| after.chars().count() > 1) {
                (rest, shift) = (after, true);
            } else {
                break;
            }
        }
        let named = NAMES.iter().find(|(name, _)| *name == rest).map(|(_, code)| *code);
        let function = || rest.strip_prefix('f')?.parse().ok().filter(|number| (1..=12).contains(number)).map(Code::F);
        let mut chars = rest.chars();
        let single = match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() => Some(Code::Char(c)),
            _ => None,
        };
        let code = named.or_else(function).or(single);
        code.map(|code| Self { code, ctrl, alt, shift }.settled()).ok_or_else(|| {
            format!(
                "'{}' is no key; write a character, {} or f1 to f12, with ctrl-, alt- or shift- before it",
                crate::units::sanitise(text),
                NAMES.map(|(name, _)| name).join(", ")
            )
        })
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_as_it_is_shown() {
        for text in [
            "q",
            "G",
            "enter",
            "ctrl-c",
            "alt-left",
            "shift-tab",
            "f12",
            "space",
            "-",
            "ctrl--",
            "ctrl-alt-x",
            "?",
            "shift-up",
            "ctrl-shift-f3",
        ] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), text);
        }
        assert_eq!("ctrl-C".parse::<Key>().unwrap(), Key::ctrl('c'));
        assert_eq!("ctrl-4".parse::<Key>().unwrap(), Key::ctrl('\\'));
    }

    #[test]
    fn what_is_no_key_says_what_one_is() {
        for text in ["", "ctrl-", "f13", "f0", "enterr", "shift-x", "\u{1b}"] {
            assert!(text.parse::<Key>().unwrap_err().contains("write a character"), "{text:?}");
        }
    }
}
