//! How sessions stand to their plans and to today's.

use super::act::{nothing, overlay, target};
use crate::dashboard::app::ask::Confirm;
use crate::dashboard::app::effect::{Deed, Effect, JobId, Target};
use crate::dashboard::app::input::Input;
use crate::dashboard::app::overlay::Overlay;
use crate::dashboard::app::row::{ContainerId, Happening, Measured, Row, Weight};
use crate::dashboard::app::state::State;
use crate::failure::Failure;
use crate::policy::drift::{Needs, Standing};
use crate::units::sanitise;

/// What was measured anew and is not as it was, so that it must be compared again.
pub(super) fn to_compare(row: &Row, measured: &Result<Measured, Failure>) -> Option<Measured> {
    let new = measured.as_ref().ok()?;
    let is_same = |(old, _): (&Measured, _)| std::sync::Arc::ptr_eq(&old.facts, &new.facts) && old.drifted == new.drifted;
    let is_known = row.standing.is_some() && row.measured.last().is_some_and(is_same);
    (!is_known).then(|| new.clone())
}

/// Everything that was measured is compared with what today's plans are now.
pub(super) fn plans_changed(state: &State) -> Vec<Effect> {
    let all: Vec<Measured> = state.list.rows.iter().filter_map(|row| Some(row.measured.last()?.0.clone())).collect();
    if all.is_empty() { Vec::new() } else { vec![Effect::Compare(all)] }
}

pub(super) fn compared(state: &mut State, found: Vec<(ContainerId, Standing)>) -> Vec<Effect> {
    let now = state.now;
    for (id, standing) in found {
        let Some(row) = state.list.row_mut(&id) else { continue };
        let was = row.standing.replace(standing);
        let Some(standing) = row.standing.as_ref().filter(|standing| was.is_some_and(|was| was != **standing) && !standing.is_current())
        else {
            continue;
        };
        let all = standing.drifted.iter().chain(&standing.outdated);
        let fields: Vec<String> = all.map(|one| format!("{} {} -> {}", one.field, one.then.raw(), one.now.raw())).collect();
        let text = sanitise(&format!("'{}': {}: {}", row.session.name, standing.words().join(", "), fields.join("; ")));
        row.happened(Happening { at: now, text: text.as_str().into(), weight: Weight::Warning });
        state.notices.add(now, Weight::Warning, text);
    }
    Vec::new()
}

/// Asks before sessions are made as today's plans have them.
pub(super) fn update(state: &mut State) -> Vec<Effect> {
    let rows = state.list.acted_on();
    if rows.is_empty() {
        return nothing(state);
    }
    let mut lines = Vec::new();
    let mut targets: Vec<Target> = Vec::new();
    let mut needs = None;
    for row in rows {
        let changes = row.standing.as_ref().map(Standing::changes).unwrap_or_default();
        if changes.is_empty() || row.busy.is_some() {
            continue;
        }
        needs = needs.max(changes.iter().map(|change| change.needs).max());
        targets.push(target(row));
        lines.extend(changes.iter().map(|change| {
            let (from, to) = (change.from.raw(), change.to.raw());
            sanitise(&format!("{}  {} {from} -> {to} ({})", row.session.name, change.field, change.needs.word()))
        }));
    }
    if targets.is_empty() {
        state.notices.add(state.now, Weight::Plain, "nothing to update: as their plans, and as today's");
        return Vec::new();
    }
    if needs > Some(Needs::Live) {
        lines.push("what runs is stopped and started again; home, caches, name and id stay".to_owned());
    }
    let question = match targets.as_slice() {
        [one] => format!("update {}?", one.name),
        several => format!("update {} sessions?", several.len()),
    };
    let then = Effect::Act(JobId(0), Deed::Update, targets);
    overlay(state, Overlay::Confirm(Confirm { question, lines, expected: None, input: Input::default(), then }))
}
