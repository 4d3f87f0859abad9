//! The mouse in a terminal: its program's where that asks for it, ours with Shift and everywhere else.

use ratatui::layout::{Position, Rect};

use super::{copy, show, told};
use crate::dashboard::app::effect::Effect;
use crate::dashboard::app::key::{Code, Key};
use crate::dashboard::app::layout::TerminalLayout;
use crate::dashboard::app::pointer::{Button, Gesture, Pointer};
use crate::dashboard::app::state::{Focus, State};
use crate::dashboard::app::terminals::{Mode, Pane, Place, Point, Selection, Tie, keys, report};
use crate::terminal::Mouse;

/// Lines that a wheel's notch moves.
const NOTCH: isize = 3;

/// What the mouse did, where a terminal is shown. `None` where that was not in its part of the screen.
pub fn pointer(state: &mut State, pointer: &Pointer, place: &TerminalLayout) -> Option<Vec<Effect>> {
    let at = Position::new(pointer.column, pointer.line);
    let is_dragging = state.terminals.current().is_some_and(|pane| pane.dragging);
    if !is_dragging && place.title.contains(at) {
        let is_press = matches!(pointer.gesture, Gesture::Press(Button::Left));
        match place.tabs.iter().find(|(_, area)| area.contains(at)) {
            Some((id, _)) if is_press => show(state, *id),
            _ if is_press => state.focus = Focus::Terminal,
            _ => {}
        }
        return Some(Vec::new());
    }
    if !is_dragging && !place.screen.contains(at) {
        return (state.terminals.place == Place::Full).then(Vec::new);
    }
    if matches!(pointer.gesture, Gesture::Press(_)) {
        state.focus = Focus::Terminal;
    }
    Some(inside(state, pointer, place.screen))
}

fn inside(state: &mut State, pointer: &Pointer, screen: Rect) -> Vec<Effect> {
    let Some(pane) = state.terminals.current_mut() else { return Vec::new() };
    let column = pointer.column.clamp(screen.left(), screen.right().saturating_sub(1)) - screen.left();
    let row = pointer.line.clamp(screen.top(), screen.bottom().saturating_sub(1)) - screen.top();
    let id = pane.id;
    if let Mode::Choose(left, at) = &mut pane.mode {
        let first = usize::from(crate::dashboard::app::layout::CHOICES);
        let chosen = usize::from(row).checked_sub(first).filter(|at| *at <= left.len());
        return match (pointer.gesture, chosen) {
            (Gesture::Press(Button::Left), Some(chosen)) => {
                *at = chosen;
                told::chosen(state, id)
            }
            _ => Vec::new(),
        };
    }
    let is_its = !pointer.shift && !pane.dragging && pane.scroll == 0 && pane.ended.is_none() && pane.mode == Mode::Live;
    let modes = pane.screen.modes();
    if is_its && modes.mouse != Mouse::Off && pane.tie != Tie::Log {
        let bytes = report::reported(pointer, (column, row), modes);
        return bytes.map(|bytes| vec![Effect::PaneInput(id, bytes)]).unwrap_or_default();
    }
    let here = pane.within(Point { line: pane.top() + i64::from(row), column });
    match pointer.gesture {
        Gesture::WheelUp | Gesture::WheelDown => {
            let up = pointer.gesture == Gesture::WheelUp;
            if is_its && modes.alternate && modes.alternate_scroll && pane.tie != Tie::Log {
                let key = keys::typed(Key::plain(if up { Code::Up } else { Code::Down }), modes);
                return vec![Effect::PaneInput(id, key.repeat(NOTCH.unsigned_abs()))];
            }
            pane.scroll_by(if up { NOTCH } else { -NOTCH });
        }
        Gesture::Press(Button::Left) if pointer.double => {
            let line = pane.line(here.line);
            let (first, last) = pane.screen.word(line, here.column);
            let (from, to) = (Point { column: first, ..here }, Point { column: last, ..here });
            pane.selection = Some(Selection { from, to, lines: false });
            pane.dragging = false;
            return selected(state);
        }
        Gesture::Press(Button::Left) => {
            pane.selection = None;
            pane.dragging = true;
            // Where the button went down; nothing is selected before it moves.
            pane.anchor = here;
        }
        Gesture::Drag(Button::Left) if pane.dragging => drag(pane, pointer, screen, here),
        Gesture::Release(Button::Left) if std::mem::take(&mut pane.dragging) && pane.selection.is_some() => return selected(state),
        Gesture::Press(_) | Gesture::Release(_) | Gesture::Drag(_) | Gesture::Move => {}
    }
    Vec::new()
}

fn drag(pane: &mut Pane, pointer: &Pointer, screen: Rect, here: Point) {
    let mut to = here;
    // Beyond an edge it goes on into the past, or back.
    if pointer.line < screen.top() || (pointer.line == screen.top() && screen.top() == 0) {
        pane.scroll_by(1);
        to.line = pane.top();
    } else if pointer.line >= screen.bottom() {
        pane.scroll_by(-1);
        to.line = pane.top() + i64::from(pane.screen.newest());
    }
    pane.selection = Some(Selection { from: pane.anchor, to: pane.within(to), lines: false });
}

/// What the mouse selected is copied, and stays to be seen until the next key.
fn selected(state: &mut State) -> Vec<Effect> {
    match state.terminals.current().and_then(Pane::selected) {
        Some(text) => copy::taken(state, text),
        None => Vec::new(),
    }
}
