//! What is done to sessions, to the selected one or to all that are marked.

use super::act::{nothing, overlay, target};
use super::{detail, work};
use crate::dashboard::app::ask::Confirm;
use crate::dashboard::app::detail::Tab;
use crate::dashboard::app::effect::{Deed, Effect, Target};
use crate::dashboard::app::input::Input;
use crate::dashboard::app::overlay::Overlay;
use crate::dashboard::app::row::{Row, Weight};
use crate::dashboard::app::state::State;
use crate::session::{Kind, Status};

/// Does it to every session acted on for which it makes sense.
pub(super) fn deed(state: &mut State, deed: Deed, makes_sense: impl Fn(Status) -> bool) -> Vec<Effect> {
    let rows = state.list.acted_on();
    if rows.is_empty() {
        return nothing(state);
    }
    let targets: Vec<Target> =
        rows.iter().filter(|row| makes_sense(row.session.status) && row.busy.is_none()).map(|row| target(row)).collect();
    if targets.is_empty() {
        let text = match rows.as_slice() {
            [row] => format!("'{}' is {}", row.session.name, row.busy.map_or_else(|| row.session.status.to_string(), str::to_owned)),
            rows => format!("none of the {} sessions can be {}", rows.len(), deed.words().1),
        };
        state.notices.add(state.now, Weight::Plain, text);
        return Vec::new();
    }
    begin(state, deed, targets)
}

pub(super) fn begin(state: &mut State, deed: Deed, targets: Vec<Target>) -> Vec<Effect> {
    let (doing, _) = deed.words();
    let title = match targets.as_slice() {
        [one] => format!("{doing} {}", one.name),
        several => format!("{doing} {} sessions", several.len()),
    };
    let job = work::begin(state, title, targets.clone(), Some(doing));
    state.list.marked.clear();
    vec![Effect::Act(job, deed, targets)]
}

/// What is paused goes on; otherwise what runs is paused.
pub(super) fn pause(state: &mut State) -> Vec<Effect> {
    let any_runs = state.list.acted_on().iter().any(|row| row.session.status == Status::Running);
    if any_runs {
        deed(state, Deed::Pause, |status| status == Status::Running)
    } else {
        deed(state, Deed::Unpause, |status| status == Status::Paused)
    }
}

pub(super) fn remove(state: &mut State) -> Vec<Effect> {
    let rows = state.list.acted_on();
    let targets: Vec<Target> = rows.iter().map(|row| target(row)).collect();
    let lines = |row: &&Row| {
        let keeps = match row.session.kind {
            Kind::Persistent => "its home and its caches go with it",
            Kind::Ephemeral => "it goes by itself when its command ends",
        };
        format!("{}  {}, {}: {keeps}", row.session.name, row.session.kind, row.session.status)
    };
    let lines: Vec<String> = rows.iter().map(lines).collect();
    let persistent = rows.iter().filter(|row| row.session.kind == Kind::Persistent).count();
    let expected = match (rows.as_slice(), persistent) {
        ([], _) => return nothing(state),
        (_, 0) => None,
        ([one], _) => Some(one.session.name.to_string()),
        (several, _) => Some(several.len().to_string()),
    };
    let question = match targets.as_slice() {
        [one] => format!("remove {}?", one.name),
        several => format!("remove {} sessions?", several.len()),
    };
    // The job begins when it is confirmed.
    let then = Effect::Act(crate::dashboard::app::effect::JobId(0), Deed::Remove, targets);
    overlay(state, Overlay::Confirm(Confirm { question, lines, expected, input: Input::default(), then }))
}

/// A question was answered with yes.
pub(super) fn confirmed(state: &mut State, then: Effect) -> Vec<Effect> {
    match then {
        Effect::Act(_, deed, targets) => begin(state, deed, targets),
        other => vec![other],
    }
}

pub(super) fn verify(state: &mut State) -> Vec<Effect> {
    let ids: Vec<String> = state.list.acted_on().iter().map(|row| row.id().clone()).collect();
    if ids.is_empty() {
        return nothing(state);
    }
    for id in &ids {
        if let Some(row) = state.list.row_mut(id) {
            row.measured.ask();
            row.measuring = true;
        }
    }
    let effects = detail::open(state, Tab::Hardening);
    [vec![Effect::Measure(ids)], effects].concat()
}
