//! What a session may do beside drawing: ring a bell now and then, and by its grants set the title and the clipboard.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::terminal::{Asked, Grants};
use crate::units::sanitise;

/// Between two bells.
const BELLS_APART: Duration = Duration::from_millis(300);
/// Between two titles: a program that counts in it would flood the terminal.
const TITLES_APART: Duration = Duration::from_millis(100);
/// Of a title, what any terminal shows.
const LONGEST_TITLE: usize = 120;

/// Decides on what a session asks for, and counts what it got. Time is since any beginning.
#[derive(Debug)]
pub struct Beside {
    grants: Grants,
    /// Of the session, before every title of its.
    name: String,
    last_bell: Option<Duration>,
    last_title: Option<Duration>,
    title: Option<String>,
    is_title_kept: bool,
    uses: Uses,
}

/// What a session did beside drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Uses {
    /// So often it set the title.
    pub titles: u32,
    /// So often it wrote to the clipboard.
    pub clipboards: u32,
    /// The bytes of what it wrote there last.
    pub clipboard_bytes: usize,
}

impl Beside {
    /// For a session of that name.
    pub fn new(name: &str, grants: Grants) -> Self {
        Self { grants, name: sanitise(name), last_bell: None, last_title: None, title: None, is_title_kept: false, uses: Uses::default() }
    }

    /// What the terminal is sent for it, if anything.
    pub fn answer(&mut self, asked: &Asked, now: Duration) -> Vec<u8> {
        let mut out = Vec::new();
        if asked.bells > 0 && is_due(self.last_bell, now, BELLS_APART) {
            self.last_bell = Some(now);
            out.push(0x07);
        }
        if self.grants.title && asked.title.is_some() {
            self.title.clone_from(&asked.title);
        }
        out.extend(self.set_title(now));
        if self.grants.clipboard
            && let Some(text) = asked.clipboard.as_deref()
            && let Ok(decoded) = STANDARD.decode(text)
            && !decoded.is_empty()
        {
            self.uses.clipboards = self.uses.clipboards.saturating_add(1);
            self.uses.clipboard_bytes = decoded.len();
            // Written anew: nothing but base64 stands between the ends.
            out.extend_from_slice(b"\x1b]52;c;");
            out.extend_from_slice(STANDARD.encode(&decoded).as_bytes());
            out.extend_from_slice(b"\x1b\\");
        }
        out
    }

    /// Whether a title waits for its time.
    pub fn waits(&self) -> bool {
        self.title.is_some()
    }

    fn set_title(&mut self, now: Duration) -> Vec<u8> {
        if !is_due(self.last_title, now, TITLES_APART) {
            return Vec::new();
        }
        let Some(title) = self.title.take() else { return Vec::new() };
        self.last_title = Some(now);
        self.uses.titles = self.uses.titles.saturating_add(1);
        let mut out = Vec::new();
        if !self.is_title_kept {
            self.is_title_kept = true;
            out.extend_from_slice(b"\x1b[22;2t");
        }
        let title: String = sanitise(&title).chars().take(LONGEST_TITLE).collect();
        let shown = if title.is_empty() { self.name.clone() } else { format!("{}: {title}", self.name) };
        out.extend_from_slice(format!("\u{1b}]2;{shown}\u{1b}\\").as_bytes());
        out
    }

    /// Puts the title back, and says what was done.
    pub fn end(&mut self) -> (Vec<u8>, Uses) {
        let back = if self.is_title_kept { b"\x1b[23;2t".to_vec() } else { Vec::new() };
        self.is_title_kept = false;
        (back, self.uses)
    }
}

fn is_due(last: Option<Duration>, now: Duration, apart: Duration) -> bool {
    last.is_none_or(|last| now.saturating_sub(last) >= apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::ZERO;

    fn asked(title: &str, clipboard: &[u8]) -> Asked {
        Asked { title: Some(title.to_owned()), clipboard: Some(clipboard.to_vec()), ..Asked::default() }
    }

    #[test]
    fn without_a_grant_nothing_is_sent() {
        let mut beside = Beside::new("web", Grants::default());
        assert_eq!(beside.answer(&asked("sudo password:", b"cm0gLXJm"), START), b"");
        assert_eq!(beside.end(), (Vec::new(), Uses::default()));
    }

    #[test]
    fn a_title_says_whose_it_is_and_the_operators_comes_back() {
        let mut beside = Beside::new("web", Grants { title: true, clipboard: false });
        let sent = beside.answer(&asked("vim\u{9c}\u{202e}\u{7}", b"cm0gLXJm"), START);
        assert_eq!(String::from_utf8(sent).unwrap(), "\u{1b}[22;2t\u{1b}]2;web: vim\\u{9c}\\u{202e}\\u{7}\u{1b}\\");
        assert_eq!(beside.answer(&asked("too soon", b""), START), b"");
        assert!(beside.waits());
        assert_eq!(beside.answer(&Asked::default(), START + TITLES_APART), b"\x1b]2;web: too soon\x1b\\");
        assert_eq!(beside.end(), (b"\x1b[23;2t".to_vec(), Uses { titles: 2, ..Uses::default() }));
    }

    #[test]
    fn the_clipboard_takes_base64_and_nothing_else() {
        let mut beside = Beside::new("web", Grants { title: false, clipboard: true });
        for wrong in [&b"?"[..], b"", b"aGk=\x1b\\\x1b]2;x", b"aGk", b"a GkK"] {
            assert_eq!(beside.answer(&asked("", wrong), START), b"", "{wrong:?}");
        }
        assert_eq!(beside.answer(&asked("", b"aGk="), START), b"\x1b]52;c;aGk=\x1b\\");
        assert_eq!(beside.end().1, Uses { clipboards: 1, clipboard_bytes: 2, ..Uses::default() });
    }

    #[test]
    fn bells_are_few() {
        let mut beside = Beside::new("web", Grants::default());
        let rung = (0..1000).filter(|at| !beside.answer(&Asked { bells: 9, ..Asked::default() }, Duration::from_millis(*at)).is_empty());
        assert_eq!(rung.count(), 4);
    }
}
