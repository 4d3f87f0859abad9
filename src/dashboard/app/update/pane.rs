//! A terminal in a session: what it prints goes into its emulator's grid, what is typed goes to it.

use crate::dashboard::app::effect::{Effect, PaneCommand, PaneId, Target};
use crate::dashboard::app::key::{Code, Key};
use crate::dashboard::app::overlay::{Overlay, Pane};
use crate::dashboard::app::state::State;
use crate::failure::Failure;
use crate::terminal::{Screen, Size};

/// The keys that leave a terminal, one after the other, as for `docker attach`.
pub const DETACH: [Key; 2] = [Key::ctrl('p'), Key::ctrl('q')];

/// Lines that can be scrolled back.
const SCROLLBACK: usize = 5_000;
/// The title line.
const TITLE: u16 = 1;

/// Columns and lines for the terminal itself.
fn room(state: &State) -> Size {
    Size::new(state.size.0, state.size.1.saturating_sub(TITLE))
}

pub(super) fn open(state: &mut State, target: Target, command: PaneCommand) -> Vec<Effect> {
    let id = PaneId(state.number());
    let size = room(state);
    let screen = Screen::new(size, SCROLLBACK);
    let pane = Pane { id, target: target.clone(), command: command.clone(), screen, ended: None, scroll: 0, leaving: false };
    state.overlay = Some(Overlay::Pane(Box::new(pane)));
    vec![Effect::OpenPane(id, target, command, size.into())]
}

pub(super) fn printed(state: &mut State, id: PaneId, bytes: &[u8]) -> Vec<Effect> {
    match &mut state.overlay {
        Some(Overlay::Pane(pane)) if pane.id == id => {
            let before = pane.screen.past();
            let asked = pane.screen.feed(bytes);
            if pane.scroll > 0 {
                // Who looks back goes on seeing the same lines.
                let more = pane.screen.past().saturating_sub(before);
                pane.scroll = (pane.scroll + more).min(pane.screen.past());
            }
            if asked.answers.is_empty() { Vec::new() } else { vec![Effect::PaneInput(id, asked.answers)] }
        }
        _ => Vec::new(),
    }
}

pub(super) fn ended(state: &mut State, id: PaneId, ended: Result<Option<i64>, Failure>) -> Vec<Effect> {
    match &mut state.overlay {
        Some(Overlay::Pane(pane)) if pane.id == id => pane.ended = Some(ended),
        _ => {}
    }
    Vec::new()
}

pub(super) fn resized(state: &mut State) -> Vec<Effect> {
    let size = room(state);
    match &mut state.overlay {
        Some(Overlay::Pane(pane)) => {
            pane.screen.resize(size);
            vec![Effect::PaneResize(pane.id, size.into())]
        }
        _ => Vec::new(),
    }
}

pub(super) fn key(state: &mut State, mut pane: Box<Pane>, key: Key) -> Vec<Effect> {
    let id = pane.id;
    if pane.ended.is_some() {
        // Nothing runs any more: any key but scrolling leaves.
        return match key.code {
            Code::PageUp | Code::PageDown => {
                scroll(&mut pane, key.code);
                state.overlay = Some(Overlay::Pane(pane));
                Vec::new()
            }
            _ => vec![Effect::PaneClose(id)],
        };
    }
    let mut bytes = Vec::new();
    if std::mem::take(&mut pane.leaving) {
        if key == DETACH[1] {
            return vec![Effect::PaneClose(id)];
        }
        bytes.extend(encode(DETACH[0], false));
    }
    if key == DETACH[0] {
        pane.leaving = true;
    } else if matches!(pane.command, PaneCommand::Attach) || (key.alt && matches!(key.code, Code::PageUp | Code::PageDown)) {
        scroll(&mut pane, key.code);
    } else {
        pane.scroll = 0;
        bytes.extend(encode(key, pane.screen.modes().application_cursor));
    }
    state.overlay = Some(Overlay::Pane(pane));
    if bytes.is_empty() { Vec::new() } else { vec![Effect::PaneInput(id, bytes)] }
}

/// Looks back by half a screen, or forward.
fn scroll(pane: &mut Pane, code: Code) {
    let half = usize::from(pane.screen.size().rows() / 2).max(1);
    let to = match code {
        Code::PageUp => pane.scroll + half,
        Code::Up => pane.scroll + 1,
        Code::PageDown => pane.scroll.saturating_sub(half),
        Code::Down => pane.scroll.saturating_sub(1),
        Code::Home => SCROLLBACK,
        _ => 0,
    };
    // No further than there is something.
    pane.scroll = to.min(pane.screen.past());
}

pub(super) fn wheel(pane: &mut Pane, up: bool) {
    for _ in 0..3 {
        scroll(pane, if up { Code::Up } else { Code::Down });
    }
}

pub(super) fn pasted(pane: &Pane, text: &str) -> Vec<Effect> {
    if pane.ended.is_some() {
        return Vec::new();
    }
    let mut bytes = Vec::new();
    if pane.screen.modes().bracketed_paste {
        // What is pasted cannot end the bracket by itself.
        bytes.extend(format!("\u{1b}[200~{}\u{1b}[201~", text.replace('\u{1b}', "")).into_bytes());
    } else {
        bytes.extend(text.replace('\n', "\r").into_bytes());
    }
    vec![Effect::PaneInput(pane.id, bytes)]
}

/// What a terminal sends for a key, in xterm's way.
fn encode(key: Key, application_cursor: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    if key.alt {
        bytes.push(0x1b);
    }
    let cursor = |letter: char| {
        let lead = if key.ctrl {
            "\u{1b}[1;5"
        } else if application_cursor {
            "\u{1b}O"
        } else {
            "\u{1b}["
        };
        format!("{lead}{letter}")
    };
    let text = match key.code {
        Code::Char(c) if key.ctrl => {
            bytes.extend(control(c));
            String::new()
        }
        Code::Char(c) => c.to_string(),
        Code::Enter => "\r".to_owned(),
        Code::Esc => "\u{1b}".to_owned(),
        Code::Tab => "\t".to_owned(),
        Code::BackTab => "\u{1b}[Z".to_owned(),
        Code::Backspace => "\u{7f}".to_owned(),
        Code::Delete => "\u{1b}[3~".to_owned(),
        Code::Insert => "\u{1b}[2~".to_owned(),
        Code::Up => cursor('A'),
        Code::Down => cursor('B'),
        Code::Right => cursor('C'),
        Code::Left => cursor('D'),
        Code::Home => cursor('H'),
        Code::End => cursor('F'),
        Code::PageUp => "\u{1b}[5~".to_owned(),
        Code::PageDown => "\u{1b}[6~".to_owned(),
        Code::F(number @ 1..=4) => format!("\u{1b}O{}", char::from(b'O' + number)),
        Code::F(number) => {
            let code = [15, 17, 18, 19, 20, 21, 23, 24].get(usize::from(number) - 5).copied().unwrap_or(24);
            format!("\u{1b}[{code}~")
        }
    };
    bytes.extend(text.into_bytes());
    bytes
}

fn control(c: char) -> Option<u8> {
    match c.to_ascii_lowercase() {
        letter @ 'a'..='z' => Some(letter as u8 - b'a' + 1),
        ' ' | '@' | '2' => Some(0),
        '[' | '3' => Some(0x1b),
        '\\' | '4' => Some(0x1c),
        ']' | '5' => Some(0x1d),
        '^' | '6' => Some(0x1e),
        '_' | '7' | '/' => Some(0x1f),
        '?' | '8' => Some(0x7f),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_out_as_xterm_sends_them() {
        let sent = |key: &str| encode(key.parse().unwrap(), false);
        for (key, bytes) in [
            ("a", "a"),
            ("ctrl-c", "\u{3}"),
            ("alt-b", "\u{1b}b"),
            ("up", "\u{1b}[A"),
            ("ctrl-right", "\u{1b}[1;5C"),
            ("f1", "\u{1b}OP"),
            ("f5", "\u{1b}[15~"),
            ("f12", "\u{1b}[24~"),
            ("backspace", "\u{7f}"),
            ("é", "é"),
        ] {
            assert_eq!(sent(key), bytes.as_bytes(), "{key}");
        }
        assert_eq!(encode(Key::plain(Code::Up), true), b"\x1bOA");
    }
}
