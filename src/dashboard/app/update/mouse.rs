//! The mouse: what stands where is the layout's to say.

use ratatui::layout::{Position, Rect};

use super::{act, detail, moving, terminal};
use crate::dashboard::app::effect::Effect;
use crate::dashboard::app::form::Outcome;
use crate::dashboard::app::layout::PALETTE_LINES;
use crate::dashboard::app::list::Line;
use crate::dashboard::app::overlay::Overlay;
use crate::dashboard::app::pointer::{Click, Pointer};
use crate::dashboard::app::state::{Focus, State};

/// Lines that a wheel's notch moves.
const NOTCH: isize = 3;

pub(super) fn mouse(state: &mut State, pointer: &Pointer) -> Vec<Effect> {
    let layout = state.layout();
    if state.overlay.is_none()
        && let Some(place) = &layout.terminal
        && let Some(effects) = terminal::pointer(state, pointer, place)
    {
        return effects;
    }
    let Some(click) = pointer.click() else { return Vec::new() };
    let line = pointer.line;
    let at = Position::new(pointer.column, line);
    let is_in = |area: Rect| area.contains(at);
    if state.overlay.is_some() {
        return on_overlay(state, click, at, layout.overlay.unwrap_or_default());
    }
    let wheel = match click {
        Click::WheelUp => -NOTCH,
        Click::WheelDown => NOTCH,
        Click::Left | Click::Double | Click::Right => 0,
    };
    if wheel != 0 {
        return moving::scrolled_by_wheel(state, is_in(layout.list), wheel);
    }
    if let Some((action, _)) = layout.buttons.iter().find(|(_, area)| is_in(*area)) {
        return act::act(state, *action);
    }
    if let Some((tab, _)) = layout.tabs.iter().find(|(_, area)| is_in(*area)) {
        state.focus = Focus::Detail;
        return detail::open(state, *tab);
    }
    if let Some((column, _)) = layout.heads.iter().find(|(_, area)| is_in(*area)) {
        let reverse = state.list.sort.column == *column && !state.list.sort.reverse;
        return moving::sort(state, *column, reverse);
    }
    if is_in(layout.rows) {
        state.focus = Focus::List;
        let at = state.list.offset + usize::from(line - layout.rows.y);
        if !matches!(state.list.lines.get(at), Some(Line::Row(_))) {
            return Vec::new();
        }
        state.list.select_line(at);
        return match click {
            Click::Double => act::act(state, crate::dashboard::app::action::Action::Attach),
            Click::Right => act::act(state, crate::dashboard::app::action::Action::Mark),
            Click::Left | Click::WheelUp | Click::WheelDown => Vec::new(),
        };
    }
    if is_in(layout.detail) {
        state.focus = Focus::Detail;
    }
    Vec::new()
}

fn on_overlay(state: &mut State, click: Click, at: Position, area: Rect) -> Vec<Effect> {
    let is_outside = !area.contains(at);
    let by: isize = match click {
        Click::WheelUp => -NOTCH,
        Click::WheelDown => NOTCH,
        Click::Left | Click::Double | Click::Right => 0,
    };
    match &mut state.overlay {
        Some(Overlay::Help(scroll) | Overlay::Notices(scroll)) if by != 0 => {
            *scroll = scroll.saturating_add_signed(by);
        }
        Some(Overlay::Form(form)) if by != 0 => form.wheel(at.x, at.y, area, by > 0),
        Some(Overlay::Form(form)) => {
            return match form.clicked(at.x, at.y, area, &mut state.next) {
                Outcome::Stay(effects) => effects,
                Outcome::Close => {
                    state.form = form.remembered();
                    state.overlay = None;
                    vec![Effect::Save]
                }
                Outcome::Submit(order) => {
                    state.form = form.remembered();
                    state.overlay = None;
                    act::launch(state, order)
                }
            };
        }
        // A click beside it closes what asks for nothing.
        Some(Overlay::Help(_) | Overlay::Notices(_) | Overlay::Palette(_)) if is_outside && by == 0 => state.overlay = None,
        Some(Overlay::Palette(palette)) if by == 0 => {
            // The input and a line of frame stand above the matches.
            let line = usize::from(at.y.saturating_sub(area.y));
            let matches = palette.matches();
            let first = palette.first(usize::from(area.height).saturating_sub(PALETTE_LINES + 1));
            if let Some(action) = line.checked_sub(PALETTE_LINES).and_then(|line| matches.get(line + first)).copied() {
                state.overlay = None;
                return act::act(state, action);
            }
        }
        Some(Overlay::Help(_) | Overlay::Notices(_) | Overlay::Palette(_) | Overlay::Ask(_) | Overlay::Confirm(_)) | None => {}
    }
    Vec::new()
}
