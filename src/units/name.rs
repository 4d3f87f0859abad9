use std::fmt;
use std::str::FromStr;

use super::{ParseError, sanitise, serde_as_text};

/// What an operator calls a session. Also the tail of its container's name, so the alphabet is the engine's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionName(String);

impl SessionName {
    /// Longest name in bytes: with our prefix it stays within what a DNS label and every engine takes.
    pub const MAX: usize = 50;

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SessionName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let way_out = format!("a name has 1 to {} of the characters a-z A-Z 0-9 _ . - and begins with a letter or digit", Self::MAX);
        let shown: String = text.chars().take(80).collect();
        let shown = sanitise(&shown);
        if text.len() > Self::MAX {
            return Err(ParseError(format!("the name '{shown}' is {} bytes long: {way_out}", text.len())));
        }
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) || !text.chars().all(inner) {
            return Err(ParseError(format!("'{shown}' is not a session name: {way_out}")));
        }
        Ok(Self(text.to_owned()))
    }
}

serde_as_text!(SessionName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_an_engine_or_a_terminal_could_trip_over_are_refused() {
        for text in ["", "a/b", "a b", "-x", ".x", "a\u{1b}[2J", "a\0", "naïve", "a\n", &"x".repeat(300)] {
            let error = text.parse::<SessionName>().unwrap_err().to_string();
            assert!(error.contains("a name has 1 to 50"), "{error}");
            assert!(!error.chars().any(char::is_control), "{error:?}");
        }
        for text in ["a", "web-1", "A.b_c", &"x".repeat(50)] {
            assert_eq!(text.parse::<SessionName>().unwrap().as_str(), text);
        }
    }
}
