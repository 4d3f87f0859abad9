use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_width::UnicodeWidthChar;

/// Text that came out of a sandbox, or that anyone but the operator could have chosen.
///
/// It has no way to its inner text by accident: `Display` shows it [sanitised](sanitise), JSON escapes it by
/// its own rules, and [`Untrusted::raw`] says what it is at the place that calls it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// Marks a text as untrusted.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it came: for comparing and storing, never for a terminal.
    pub fn raw(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&sanitise(&self.0))
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// One line that no terminal acts on: control characters (C0, DEL, C1), bidirectional overrides and
/// isolates, zero-width and other invisible characters are written out as `\u{…}`.
pub fn sanitise(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if plain_width(c).is_some() {
            shown.push(c);
        } else {
            shown.extend(c.escape_unicode());
        }
    }
    shown
}

/// Columns of a character that a terminal draws and does nothing else with; `None` for one that [`sanitise`] writes out.
pub fn plain_width(c: char) -> Option<usize> {
    match c {
        ' '..='~' => Some(1),
        // Line and paragraph separators, bidi marks, embeddings, overrides and isolates, invisible operators,
        // tags, variation selectors' supplement, interlinear marks and the soft hyphen;
        // and skin tones, which some terminals draw into the character before them and some do not.
        '\u{ad}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202f}'
        | '\u{205f}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1f3fb}'..='\u{1f3ff}'
        | '\u{e0000}'..='\u{e0fff}' => None,
        _ => UnicodeWidthChar::width(c).filter(|columns| *columns > 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_on_a_terminal_is_shown() {
        for hostile in ["\u{1b}[2J", "\u{9b}31m", "\u{7f}", "\r\n", "\u{202e}gpj.exe", "a\u{200b}b", "\u{2066}x", "\u{feff}", "e\u{301}"] {
            let shown = Untrusted::from(hostile).to_string();
            assert!(shown.chars().all(|c| c.width().unwrap_or(0) > 0 && !c.is_control()), "{shown:?}");
            assert!(shown.contains("\\u{"), "{shown:?}");
        }
    }

    #[test]
    fn ordinary_text_in_any_script_passes_unchanged() {
        for text in ["web-1", "naïve", "日本語", "Ελληνικά", "🦀 ok"] {
            assert_eq!(Untrusted::from(text).to_string(), text);
        }
    }
}
