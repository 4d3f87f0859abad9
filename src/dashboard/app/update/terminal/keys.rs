//! Keys in a terminal: all of them are its program's, but for two that leave it and one that is followed by ours.

use super::{copy, leave, show, told};
use crate::dashboard::app::action::{Action, Scope};
use crate::dashboard::app::effect::{Effect, PaneId};
use crate::dashboard::app::input::Input;
use crate::dashboard::app::key::{Code, Key};
use crate::dashboard::app::row::Weight;
use crate::dashboard::app::state::{Focus, State};
use crate::dashboard::app::terminals::{Mode, Pane, Tie, keys};

/// The keys that leave a terminal, one after the other, as for `docker attach`.
pub const DETACH: [Key; 2] = [Key::ctrl('p'), Key::ctrl('q')];

/// A key while a terminal has the focus.
pub fn key(state: &mut State, key: Key) -> Vec<Effect> {
    let Some(pane) = state.terminals.current_mut() else {
        state.focus = Focus::List;
        return Vec::new();
    };
    let id = pane.id;
    match std::mem::replace(&mut pane.mode, Mode::Live) {
        Mode::Live => live(state, id, key, None),
        Mode::Leaving if key == DETACH[1] => leave(state, id),
        Mode::Leaving => live(state, id, key, Some(DETACH[0])),
        Mode::Prefix => prefixed(state, id, key),
        Mode::Search(input) => searching(state, id, input, key),
        Mode::Copy(point) => copy::key(state, id, point, key),
        Mode::Choose(left, at) => {
            let last = left.len();
            let to = match key.code {
                Code::Up | Code::Char('k') | Code::BackTab => at.saturating_sub(1),
                Code::Down | Code::Char('j') | Code::Tab => (at + 1).min(last),
                Code::Esc | Code::Char('q') => return leave(state, id),
                Code::Char('n') => last,
                _ => at,
            };
            pane.mode = Mode::Choose(left, to);
            if matches!(key.code, Code::Enter | Code::Char('n')) { told::chosen(state, id) } else { Vec::new() }
        }
    }
}

fn live(state: &mut State, id: PaneId, key: Key, before: Option<Key>) -> Vec<Effect> {
    let is_prefix = state.keymap.action_in(Scope::Terminal, key) == Some(Action::TerminalPrefix);
    let Some(pane) = state.terminals.get_mut(id) else { return Vec::new() };
    pane.selection = None;
    if is_prefix {
        pane.mode = Mode::Prefix;
        return typed(pane, &before.into_iter().collect::<Vec<_>>());
    }
    if scrolls(pane, key) {
        return typed(pane, &before.into_iter().collect::<Vec<_>>());
    }
    if pane.is_lost() {
        return match key.code {
            Code::Enter | Code::Char('r') => super::again(state, id),
            Code::Esc | Code::Char('q') => leave(state, id),
            _ => Vec::new(),
        };
    }
    if pane.is_over() {
        // What was being typed leaves the time to read why it goes nowhere.
        return if matches!(key.code, Code::Enter | Code::Esc | Code::Char('q')) { leave(state, id) } else { Vec::new() };
    }
    if pane.ended.is_some() {
        // Nothing runs any more: any other key leaves.
        return leave(state, id);
    }
    if key == DETACH[0] {
        pane.mode = Mode::Leaving;
        return typed(pane, &before.into_iter().collect::<Vec<_>>());
    }
    pane.scroll = 0;
    typed(pane, &before.into_iter().chain([key]).collect::<Vec<_>>())
}

/// Keys that look back instead of being typed: with Shift or Alt, and by themselves where nothing can be typed.
fn scrolls(pane: &mut Pane, key: Key) -> bool {
    let half = isize::try_from(pane.screen.size().rows() / 2).unwrap_or(1).max(1);
    let is_reading = pane.tie == Tie::Log || pane.ended.is_some();
    let by = match key.code {
        Code::PageUp if is_reading || key.alt || key.shift => half,
        Code::PageDown if is_reading || key.alt || key.shift => -half,
        Code::Up if is_reading => 1,
        Code::Down if is_reading => -1,
        Code::Home if is_reading => isize::MAX / 2,
        Code::End if is_reading => isize::MIN / 2,
        _ => return false,
    };
    pane.scroll_by(by);
    true
}

fn typed(pane: &Pane, pressed: &[Key]) -> Vec<Effect> {
    if pane.ended.is_some() || pane.tie == Tie::Log {
        return Vec::new();
    }
    let modes = pane.screen.modes();
    let bytes: Vec<u8> = pressed.iter().flat_map(|key| keys::typed(*key, modes)).collect();
    if bytes.is_empty() { Vec::new() } else { vec![Effect::PaneInput(pane.id, bytes)] }
}

/// The key after the prefix.
fn prefixed(state: &mut State, id: PaneId, key: Key) -> Vec<Effect> {
    if state.keymap.action_in(Scope::Terminal, key) == Some(Action::TerminalPrefix) {
        return state.terminals.get(id).map(|pane| typed(pane, &[key])).unwrap_or_default();
    }
    if let Some(action) = state.keymap.action_in(Scope::Prefixed, key) {
        return super::act(state, action);
    }
    if let Some(number) = key.typed().and_then(|c| c.to_digit(10)).and_then(|digit| usize::try_from(digit).ok())
        && let Some(pane) = number.checked_sub(1).and_then(|at| state.terminals.open.get(at))
    {
        let id = pane.id;
        show(state, id);
        return Vec::new();
    }
    let help = state.keymap.shown(Action::TerminalHelp);
    state.notices.add(state.now, Weight::Plain, format!("'{key}' does nothing there; {help} lists the keys"));
    Vec::new()
}

fn searching(state: &mut State, id: PaneId, mut input: Input, key: Key) -> Vec<Effect> {
    let Some(pane) = state.terminals.get_mut(id) else { return Vec::new() };
    match key.code {
        Code::Esc => pane.live(),
        Code::Enter => {
            if !input.text().is_empty() {
                input.text().clone_into(&mut pane.sought);
            }
            copy::found(state, id);
        }
        _ => {
            input.key(key);
            pane.mode = Mode::Search(input);
        }
    }
    Vec::new()
}

/// A text was pasted while a terminal has the focus.
pub fn pasted(state: &mut State, text: &str) -> Vec<Effect> {
    let Some(pane) = state.terminals.current_mut() else { return Vec::new() };
    match &mut pane.mode {
        Mode::Search(input) => {
            input.insert(text);
            Vec::new()
        }
        Mode::Live | Mode::Leaving | Mode::Prefix if pane.ended.is_none() && pane.tie != Tie::Log && !text.is_empty() => {
            pane.mode = Mode::Live;
            pane.scroll = 0;
            vec![Effect::PaneInput(pane.id, keys::pasted(text, pane.screen.modes()))]
        }
        Mode::Live | Mode::Leaving | Mode::Prefix | Mode::Copy(_) | Mode::Choose(..) => Vec::new(),
    }
}
