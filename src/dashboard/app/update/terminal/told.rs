//! What terminals tell: their screens, what they ask for beside, their end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::backend::Fate;
use crate::dashboard::app::effect::{Effect, PaneCommand, PaneId};
use crate::dashboard::app::row::Weight;
use crate::dashboard::app::state::State;
use crate::dashboard::app::terminals::{Mode, Opened, Tie};
use crate::failure::Failure;
use crate::terminal::wire::Held;
use crate::terminal::{Asked, Screen};

/// The operator's bell rings once in so long.
const BELL_S: i64 = 1;

pub fn opened(state: &mut State, id: PaneId, opened: Opened) -> Vec<Effect> {
    let Some(pane) = state.terminals.get_mut(id) else { return Vec::new() };
    pane.grants = opened.grants;
    pane.tie = opened.tie;
    pane.within = opened.within;
    // It may have been opened with a size that has changed since.
    match &pane.tie {
        Tie::Opening | Tie::Log => Vec::new(),
        Tie::Held(_) | Tie::Connection => vec![Effect::PaneResize(id, pane.screen.size().into())],
    }
}

pub fn offered(state: &mut State, id: PaneId, left: Vec<Held>) -> Vec<Effect> {
    let is_seen = state.terminals.shown().is_some_and(|pane| pane.id == id);
    if let Some(pane) = state.terminals.get_mut(id) {
        pane.mode = Mode::Choose(left, 0);
        pane.active |= !is_seen;
    }
    Vec::new()
}

pub fn anew(state: &mut State, id: PaneId, bytes: &[u8]) -> Vec<Effect> {
    if let Some(pane) = state.terminals.get(id) {
        let size = pane.screen.size();
        let past = state.terminals.past(size);
        if let Some(pane) = state.terminals.get_mut(id) {
            pane.screen = Screen::new(size, past);
            pane.live();
        }
    }
    printed(state, id, bytes)
}

pub fn printed(state: &mut State, id: PaneId, bytes: &[u8]) -> Vec<Effect> {
    let is_seen = state.terminals.shown().is_some_and(|pane| pane.id == id);
    let Some(pane) = state.terminals.get_mut(id) else { return Vec::new() };
    let before = pane.screen.gone();
    let asked = pane.screen.feed(bytes);
    pane.pinned(pane.screen.gone().saturating_sub(before));
    pane.active |= !is_seen;
    let mut effects = Vec::new();
    // Where the session holds it, its supervisor has answered.
    if pane.tie == Tie::Connection && !asked.answers.is_empty() {
        effects.push(Effect::PaneInput(id, asked.answers.clone()));
    }
    if asked.bells > 0 {
        pane.rang |= !is_seen;
        let rang = &mut state.terminals.rang;
        if rang.is_none_or(|rang| state.now.duration_since(rang).as_secs() >= BELL_S) {
            *rang = Some(state.now);
            effects.push(Effect::Bell);
        }
    }
    effects.extend(granted(state, id, asked));
    effects
}

/// What it asked for beside drawing is done where its profile says that it may be, and told.
fn granted(state: &mut State, id: PaneId, asked: Asked) -> Option<Effect> {
    let pane = state.terminals.get_mut(id)?;
    if let Some(title) = asked.title {
        if pane.grants.title {
            pane.title = Some(title).filter(|title| !title.trim().is_empty());
        } else {
            pane.refused = pane.refused.saturating_add(1);
        }
    }
    let text = asked.clipboard?;
    if !pane.grants.clipboard {
        pane.refused = pane.refused.saturating_add(1);
        return None;
    }
    let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok())?;
    // What a clipboard holds is pasted into terminals.
    let plain: String = decoded.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    if plain.is_empty() {
        return None;
    }
    let told = format!("'{}' put {} characters on the clipboard", pane.target.name, plain.chars().count());
    state.notices.add(state.now, Weight::Warning, told);
    Some(Effect::Copy(plain))
}

pub fn ended(state: &mut State, id: PaneId, ended: Result<Option<i64>, Failure>) -> Vec<Effect> {
    let is_seen = state.terminals.shown().is_some_and(|pane| pane.id == id);
    if let Some(pane) = state.terminals.get_mut(id) {
        pane.active |= !is_seen;
        if matches!(pane.mode, Mode::Leaving | Mode::Choose(..)) {
            pane.mode = Mode::Live;
        }
        pane.ended = Some(ended);
        if let (Some(within), Some(cut)) = (&pane.within, pane.cut()) {
            return vec![Effect::AskFate(id, within.clone(), cut)];
        }
    }
    Vec::new()
}

pub fn fate_told(state: &mut State, id: PaneId, fate: Option<Fate>) -> Vec<Effect> {
    // One that was taken up again meanwhile has not ended.
    if let Some(pane) = state.terminals.get_mut(id).filter(|pane| pane.ended.is_some()) {
        pane.fate = fate;
    }
    Vec::new()
}

/// What a choice among left shells comes to.
pub fn chosen(state: &mut State, id: PaneId) -> Vec<Effect> {
    let Some(pane) = state.terminals.get_mut(id) else { return Vec::new() };
    let Mode::Choose(left, at) = &pane.mode else { return Vec::new() };
    let command = left.get(*at).map_or(PaneCommand::NewShell, |held| PaneCommand::TakeUp(held.id));
    pane.mode = Mode::Live;
    pane.command = command.clone();
    vec![Effect::OpenPane(id, pane.target.clone(), command, pane.screen.size().into())]
}
