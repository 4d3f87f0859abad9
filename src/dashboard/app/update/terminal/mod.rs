//! Terminals in sessions: opened, shown, left; what is done in one by keys and mouse is in the modules below.

mod copy;
mod keys;
mod mouse;
mod told;

use crate::dashboard::app::action::Action;
use crate::dashboard::app::ask::Confirm;
use crate::dashboard::app::effect::{Effect, PaneCommand, PaneId, Target};
use crate::dashboard::app::input::Input;
use crate::dashboard::app::message::Message;
use crate::dashboard::app::overlay::Overlay;
use crate::dashboard::app::pointer::Gesture;
use crate::dashboard::app::row::Weight;
use crate::dashboard::app::state::{Focus, State};
use crate::dashboard::app::terminals::{MOST, Mode, Pane, Place, Tie};
use crate::terminal::Size;

pub(super) use keys::{key, pasted};
pub(super) use mouse::pointer;
pub(super) use told::{anew, ended, fate_told, offered, opened, printed};

pub use keys::DETACH;

/// Opens one and shows it.
pub(super) fn open(state: &mut State, target: Target, command: PaneCommand) -> Vec<Effect> {
    if state.terminals.open.len() >= MOST {
        let text = format!("{MOST} terminals are open; leave one first");
        state.notices.add(state.now, Weight::Warning, text);
        return Vec::new();
    }
    let id = PaneId(state.number());
    state.terminals.open.push(Pane::new(id, target.clone(), command.clone(), Size::USUAL, 0));
    show(state, id);
    let size = room(state);
    if let Some(pane) = state.terminals.get_mut(id) {
        pane.screen.resize(size);
    }
    share_room(state);
    vec![Effect::OpenPane(id, target, command, size.into())]
}

/// Shows a terminal, which takes the keys from then on.
pub(super) fn show(state: &mut State, id: PaneId) {
    let terminals = &mut state.terminals;
    terminals.current = Some(id);
    if terminals.place == Place::Away {
        terminals.place = if terminals.preferred == Place::Below { Place::Below } else { Place::Full };
    }
    if let Some(pane) = terminals.current_mut() {
        (pane.active, pane.rang) = (false, false);
    }
    state.focus = Focus::Terminal;
}

/// Back to the sessions; every terminal stays open.
fn to_list(state: &mut State) {
    if let Some(pane) = state.terminals.current_mut()
        && matches!(pane.mode, Mode::Prefix | Mode::Leaving)
    {
        pane.mode = Mode::Live;
    }
    if state.terminals.place == Place::Full {
        state.terminals.place = Place::Away;
    }
    state.focus = Focus::List;
}

/// Puts what is below the list away.
pub(super) fn put_away(state: &mut State) {
    state.terminals.place = Place::Away;
    if state.focus == Focus::Terminal {
        state.focus = Focus::List;
    }
}

/// Leaves one.
fn leave(state: &mut State, id: PaneId) -> Vec<Effect> {
    state.terminals.remove(id);
    share_room(state);
    match state.terminals.current {
        Some(next) if state.focus == Focus::Terminal => show(state, next),
        _ => put_away(state),
    }
    vec![Effect::PaneClose(id)]
}

/// The past of all of them together is bounded: each has less where there are more.
fn share_room(state: &mut State) {
    let each: Vec<usize> = state.terminals.open.iter().map(|pane| state.terminals.past(pane.screen.size())).collect();
    for (pane, past) in state.terminals.open.iter_mut().zip(each) {
        pane.screen.keep(past);
        pane.scroll_by(0);
    }
}

/// The room of a terminal where one is shown now, or would be.
fn room(state: &State) -> Size {
    let area = match state.layout().terminal {
        Some(place) if !place.screen.is_empty() => place.screen,
        _ => ratatui::layout::Rect { width: state.size.0, height: state.size.1.saturating_sub(1), x: 0, y: 1 },
    };
    Size::new(area.width, area.height)
}

/// The terminal that is shown is as large as its room; the others follow when they are shown.
pub(super) fn fit(state: &mut State) -> Vec<Effect> {
    let Some(place) = state.layout().terminal.filter(|place| !place.screen.is_empty()) else { return Vec::new() };
    let size = Size::new(place.screen.width, place.screen.height);
    let Some(pane) = state.terminals.current_mut().filter(|pane| pane.screen.size() != size) else { return Vec::new() };
    pane.screen.resize(size);
    // What was wrapped anew is elsewhere.
    pane.selection = None;
    pane.scroll_by(0);
    if let Mode::Copy(point) = pane.mode {
        pane.mode = Mode::Copy(pane.within(point));
    }
    let id = pane.id;
    let past = state.terminals.past(size);
    if let Some(pane) = state.terminals.get_mut(id) {
        pane.screen.keep(past);
    }
    vec![Effect::PaneResize(id, size.into())]
}

/// Whether this message may leave the screen as it is: a key for a terminal is seen by what the terminal prints, a mouse that is
/// merely moved shows nothing, nor does what is printed in the background when its sign is there already.
pub(super) fn is_quiet(state: &State, message: &Message) -> bool {
    match message {
        Message::Key(_) | Message::Pasted(_) => is_live(state),
        Message::Mouse(pointer) => pointer.gesture == Gesture::Move || is_live(state),
        Message::PanePrinted(id, _) => {
            let is_shown = state.terminals.shown().is_some_and(|pane| pane.id == *id);
            !is_shown && state.terminals.get(*id).is_none_or(|pane| pane.active && pane.rang)
        }
        _ => false,
    }
}

/// Whether it did leave the screen as it was.
pub(super) fn stays_quiet(state: &State, effects: &[Effect]) -> bool {
    let only_typed = effects.iter().all(|effect| matches!(effect, Effect::PaneInput(..) | Effect::Bell));
    only_typed && state.notices.standing().is_none() && (state.focus != Focus::Terminal || is_live(state))
}

/// The keys are the program's, and nothing of ours is on its screen.
fn is_live(state: &State) -> bool {
    let has_keys = state.focus == Focus::Terminal && state.overlay.is_none() && state.notices.standing().is_none();
    let plain =
        |pane: &Pane| pane.mode == Mode::Live && pane.scroll == 0 && pane.selection.is_none() && pane.ended.is_none() && !pane.dragging;
    has_keys && state.terminals.shown().is_some_and(plain)
}

/// What an action does to the terminal that is shown, or was last.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let Some(pane) = state.terminals.current_mut() else {
        let key = state.keymap.shown(Action::Shell);
        state.notices.add(state.now, Weight::Plain, format!("no terminal is open; {key} opens a shell in the selected session"));
        return Vec::new();
    };
    let id = pane.id;
    match action {
        Action::TerminalNext => step(state, 1),
        Action::TerminalPrevious => step(state, -1),
        Action::TerminalList => to_list(state),
        Action::TerminalZoom => {
            let place = if state.terminals.place == Place::Full { Place::Below } else { Place::Full };
            (state.terminals.place, state.terminals.preferred) = (place, place);
            show(state, id);
        }
        Action::TerminalSearch => {
            show(state, id);
            begin(state, |pane| pane.mode = Mode::Search(Input::default()));
        }
        Action::TerminalCopy => {
            show(state, id);
            begin(state, |pane| pane.mode = Mode::Copy(pane.within(pane.cursor())));
        }
        Action::TerminalPaste => {
            let text = state.terminals.copied.clone();
            if text.is_empty() {
                state.notices.add(state.now, Weight::Plain, "nothing was copied yet");
            }
            show(state, id);
            return pasted(state, &text);
        }
        Action::TerminalNew => {
            let target = pane.target.clone();
            return open(state, target, PaneCommand::NewShell);
        }
        Action::TerminalAgain => return again(state, id),
        Action::TerminalLeave => return leave(state, id),
        Action::TerminalEnd => return end(state, id),
        Action::TerminalHelp => state.overlay = Some(Overlay::Help(0)),
        _ => show(state, id),
    }
    Vec::new()
}

fn begin(state: &mut State, then: impl FnOnce(&mut Pane)) {
    // What is only chosen from has nothing to search.
    if let Some(pane) = state.terminals.current_mut().filter(|pane| !matches!(pane.mode, Mode::Choose(..))) {
        then(pane);
    }
}

fn step(state: &mut State, by: isize) {
    if let Some(id) = state.terminals.beside(by) {
        show(state, id);
    }
}

/// Takes up what its session holds, after the way to it was lost.
fn again(state: &mut State, id: PaneId) -> Vec<Effect> {
    let Some(pane) = state.terminals.get_mut(id) else { return Vec::new() };
    let Some(held) = pane.held().filter(|_| pane.is_lost()) else {
        state.notices.add(state.now, Weight::Plain, "the way to it is not lost");
        return Vec::new();
    };
    (pane.ended, pane.within, pane.fate) = (None, None, None);
    pane.tie = Tie::Opening;
    pane.live();
    let effect = Effect::OpenPane(id, pane.target.clone(), PaneCommand::TakeUp(held), pane.screen.size().into());
    vec![effect]
}

fn end(state: &mut State, id: PaneId) -> Vec<Effect> {
    let Some(pane) = state.terminals.get(id) else { return Vec::new() };
    let Some(held) = pane.held().filter(|_| pane.ended.is_none()) else {
        state.notices.add(state.now, Weight::Plain, "its session holds nothing to be ended there");
        return Vec::new();
    };
    let lines = if held == 0 {
        vec!["it is the session's own command: the session ends with it".to_owned()]
    } else {
        vec!["it is hung up on, as when a terminal is closed".to_owned()]
    };
    let question = format!("end what runs in terminal {held} of {}?", pane.target.name);
    let then = Effect::EndTerminal(pane.target.clone(), held);
    state.overlay = Some(Overlay::Confirm(Confirm { question, lines, expected: None, input: Input::default(), then }));
    Vec::new()
}
