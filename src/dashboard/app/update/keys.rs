//! Keys: whatever stands on top takes them, the keymap gives the rest a meaning.

use super::{act, deeds, moving, terminal};
use crate::dashboard::app::action::Action;
use crate::dashboard::app::ask::{Ask, Confirm};
use crate::dashboard::app::effect::Effect;
use crate::dashboard::app::form::Outcome;
use crate::dashboard::app::input::{Input, Typed};
use crate::dashboard::app::key::{Code, Key};
use crate::dashboard::app::overlay::{Overlay, Palette};
use crate::dashboard::app::row::Weight;
use crate::dashboard::app::state::{Focus, State};

/// Lines of a page in what stands over the panes.
const PAGE: usize = 10;

pub(super) fn key(state: &mut State, key: Key) -> Vec<Effect> {
    if !matches!(state.overlay, Some(Overlay::Notices(_))) {
        state.notices.standing = false;
    }
    if let Some(overlay) = state.overlay.take() {
        return on_overlay(state, overlay, key);
    }
    if state.focus == Focus::Terminal {
        return terminal::key(state, key);
    }
    if state.list.filtering {
        return filtering(state, key);
    }
    if state.detail.log.searching {
        return searching(state, key);
    }
    if let Some(action) = state.keymap.action(key) {
        return act::act(state, action);
    }
    let help = state.keymap.shown(Action::Help);
    state.notices.add(state.now, Weight::Plain, format!("'{key}' does nothing here; {help} lists the keys"));
    Vec::new()
}

/// The overlay was taken out of the state; it is put back where it stays.
fn on_overlay(state: &mut State, overlay: Overlay, key: Key) -> Vec<Effect> {
    match overlay {
        Overlay::Help(scroll) => scrolled(state, key, scroll, Overlay::Help),
        Overlay::Notices(scroll) => scrolled(state, key, scroll, Overlay::Notices),
        Overlay::Palette(palette) => on_palette(state, palette, key),
        Overlay::Ask(ask) => on_ask(state, ask, key),
        Overlay::Confirm(confirm) => on_confirm(state, confirm, key),
        Overlay::Form(mut form) => match form.key(key, &mut state.next) {
            Outcome::Stay(effects) => {
                state.overlay = Some(Overlay::Form(form));
                effects
            }
            Outcome::Close => {
                state.form = form.remembered();
                vec![Effect::Save]
            }
            Outcome::Submit(order) => {
                state.form = form.remembered();
                act::launch(state, order)
            }
        },
    }
}

fn scrolled(state: &mut State, key: Key, scroll: usize, overlay: fn(usize) -> Overlay) -> Vec<Effect> {
    let to = match state.keymap.action(key) {
        Some(Action::Up) => scroll.saturating_sub(1),
        Some(Action::Down) => scroll + 1,
        Some(Action::PageUp) => scroll.saturating_sub(PAGE),
        Some(Action::PageDown) => scroll + PAGE,
        Some(Action::Top) => 0,
        Some(Action::Bottom) => usize::MAX / 2,
        Some(Action::Back | Action::Quit | Action::Help | Action::Notices) => return Vec::new(),
        _ => scroll,
    };
    state.overlay = Some(overlay(to));
    Vec::new()
}

fn on_palette(state: &mut State, mut palette: Palette, key: Key) -> Vec<Effect> {
    let matches = palette.matches();
    match key.code {
        Code::Esc => return Vec::new(),
        Code::Enter => {
            return match matches.get(palette.selected) {
                Some(action) => act::act(state, *action),
                None => Vec::new(),
            };
        }
        Code::Up | Code::BackTab => palette.selected = palette.selected.saturating_sub(1),
        Code::Down | Code::Tab => palette.selected = (palette.selected + 1).min(matches.len().saturating_sub(1)),
        _ => {
            if palette.input.key(key) == Typed::Changed {
                palette.selected = 0;
            }
        }
    }
    state.overlay = Some(Overlay::Palette(palette));
    Vec::new()
}

fn on_ask(state: &mut State, mut ask: Ask, key: Key) -> Vec<Effect> {
    match key.code {
        Code::Esc => return Vec::new(),
        Code::Enter => match act::answered(state, &ask) {
            Ok(effects) => return effects,
            Err(why) => ask.error = Some(why),
        },
        _ => {
            if ask.input.key(key) == Typed::Changed {
                ask.error = None;
            }
        }
    }
    state.overlay = Some(Overlay::Ask(ask));
    Vec::new()
}

fn on_confirm(state: &mut State, mut confirm: Confirm, key: Key) -> Vec<Effect> {
    match (&confirm.expected, key.code) {
        (_, Code::Esc) | (None, Code::Char('n' | 'N' | 'q')) => return Vec::new(),
        (None, Code::Enter | Code::Char('y' | 'Y')) => return deeds::confirmed(state, confirm.then),
        (Some(expected), Code::Enter) if confirm.input.text() == expected => return deeds::confirmed(state, confirm.then),
        (Some(_), _) => {
            confirm.input.key(key);
        }
        (None, _) => {}
    }
    state.overlay = Some(Overlay::Confirm(confirm));
    Vec::new()
}

fn filtering(state: &mut State, key: Key) -> Vec<Effect> {
    match key.code {
        Code::Enter => state.list.filtering = false,
        Code::Esc => {
            state.list.filtering = false;
            state.list.filter = Input::default();
            state.list.arrange();
        }
        Code::Up => state.list.step(-1),
        Code::Down => state.list.step(1),
        _ => {
            if state.list.filter.key(key) == Typed::Changed {
                state.list.arrange();
            }
        }
    }
    Vec::new()
}

fn searching(state: &mut State, key: Key) -> Vec<Effect> {
    let log = &mut state.detail.log;
    match key.code {
        Code::Enter => {
            log.searching = false;
            moving::to_match(state, false);
        }
        Code::Esc => {
            log.searching = false;
            log.search = Input::default();
        }
        _ => {
            log.search.key(key);
        }
    }
    Vec::new()
}

pub(super) fn pasted(state: &mut State, text: &str) -> Vec<Effect> {
    let input = match &mut state.overlay {
        Some(Overlay::Palette(palette)) => &mut palette.input,
        Some(Overlay::Ask(ask)) => &mut ask.input,
        Some(Overlay::Confirm(confirm)) => &mut confirm.input,
        Some(Overlay::Form(form)) => return form.pasted(text, &mut state.next),
        None if state.focus == Focus::Terminal => return terminal::pasted(state, text),
        None if state.list.filtering => &mut state.list.filter,
        None if state.detail.log.searching => &mut state.detail.log.search,
        Some(Overlay::Help(_) | Overlay::Notices(_)) | None => return Vec::new(),
    };
    input.insert(text);
    if state.list.filtering {
        state.list.arrange();
    }
    Vec::new()
}
