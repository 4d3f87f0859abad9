//! What comes from the engine, the kernel and the depot.

use super::drift;
use crate::backend::disk::VolumesTaken;
use crate::backend::{Reaped, Survey};
use crate::dashboard::app::detail::Tab;
use crate::dashboard::app::effect::{Effect, Part};
use crate::dashboard::app::link::{EngineFacts, Link};
use crate::dashboard::app::list::Line;
use crate::dashboard::app::remote::Remote;
use crate::dashboard::app::row::{ContainerId, Happening, Measured, Sample, Weight};
use crate::dashboard::app::state::State;
use crate::depot::ledger::{Counters, Summary};
use crate::failure::Failure;
use crate::session::{EngineEvent, EventKind, Limits};

pub(super) fn connected(state: &mut State, facts: EngineFacts) -> Vec<Effect> {
    if matches!(state.link, Link::Away { .. }) {
        state.notices.add(state.now, Weight::Plain, "the engine answers again");
    }
    state.link = Link::Up;
    state.engine = facts;
    vec![Effect::List]
}

pub(super) fn away(state: &mut State, failure: Failure) -> Vec<Effect> {
    if !matches!(state.link, Link::Away { .. }) {
        let since = state.totals.listed.unwrap_or(state.now);
        state.notices.fail(state.now, &failure);
        state.link = Link::Away { since, failure };
    }
    Vec::new()
}

pub(super) fn observed(state: &mut State, survey: Result<Survey, Failure>) -> Vec<Effect> {
    let survey = match survey {
        Ok(survey) => survey,
        Err(failure) => return away(state, failure),
    };
    if matches!(state.link, Link::Away { .. }) {
        state.notices.add(state.now, Weight::Plain, "the engine answers again");
    }
    state.link = Link::Up;
    state.totals.listed = Some(state.now);
    let before: Vec<(ContainerId, crate::session::Status)> =
        state.list.rows.iter().map(|row| (row.id().clone(), row.session.status)).collect();
    state.list.observe(survey.sessions);
    // What is new or was started or ended is measured, what is on the screen first.
    let is_other = |id: &ContainerId, status| !before.iter().any(|(known, was)| known == id && *was == status);
    let lines = state.list.lines.iter().filter_map(|line| match line {
        Line::Row(at) => Some(*at),
        Line::Head(..) => None,
    });
    let mut order: Vec<usize> = lines.collect();
    let hidden: Vec<usize> = (0..state.list.rows.len()).filter(|at| !order.contains(at)).collect();
    order.extend(hidden);
    let mut wanted = Vec::new();
    for at in order {
        let row = &mut state.list.rows[at];
        if matches!(row.measured, Remote::Unknown) || is_other(row.id(), row.session.status) {
            row.measured.ask();
            row.measuring = true;
            wanted.push(row.id().clone());
        }
    }
    if wanted.is_empty() { Vec::new() } else { vec![Effect::Measure(wanted)] }
}

pub(super) fn measured(state: &mut State, found: Vec<(ContainerId, Result<Measured, Failure>)>) -> Vec<Effect> {
    let now = state.now;
    let mut changed = Vec::new();
    for (id, measured) in found {
        if let Some(row) = state.list.row_mut(&id) {
            row.measuring = false;
            changed.extend(drift::to_compare(row, &measured));
            let was = row.badge();
            row.measured.came(measured, now);
            if let (crate::dashboard::app::row::Badge::Weaker(count), true) = (row.badge(), row.badge() != was) {
                let text =
                    format!("'{}': {count} control{} weaker than requested", row.session.name, if count == 1 { " is" } else { "s are" });
                row.happened(Happening { at: now, text: text.clone().into(), weight: Weight::Danger });
                state.notices.add(now, Weight::Danger, text);
            }
        }
    }
    state.list.arrange();
    if changed.is_empty() { Vec::new() } else { vec![Effect::Compare(changed)] }
}

pub(super) fn usage(state: &mut State, read: Vec<(ContainerId, Result<Sample, Failure>)>) -> Vec<Effect> {
    let mut notices = Vec::new();
    for (id, sample) in read {
        if let Some(row) = state.list.row_mut(&id) {
            match sample {
                Ok(sample) => {
                    let was_full = row.sample().is_some_and(is_full);
                    row.sampled(sample);
                    if is_full(&sample) && !was_full {
                        let text = format!("pids limit reached: {} processes and threads", sample.pids);
                        row.happened(Happening { at: sample.at, text: text.clone().into(), weight: Weight::Danger });
                        notices.push(format!("'{}': {text}", row.session.name));
                    }
                }
                Err(failure) => row.usage_failure = Some(failure),
            }
        }
    }
    for text in notices {
        state.notices.add(state.now, Weight::Danger, text);
    }
    state.list.arrange();
    Vec::new()
}

fn is_full(sample: &Sample) -> bool {
    sample.pids_limit.is_some_and(|limit| sample.pids >= limit)
}

pub(super) fn cache(state: &mut State, summary: Result<Option<Box<Summary>>, Failure>) -> Vec<Effect> {
    let now = state.now;
    let mut changed = false;
    let of_selected = state.list.selected.clone();
    if let Ok(Some(summary)) = &summary {
        for row in &mut state.list.rows {
            let cache = summary.sessions.get(&row.session.id).map(|by| by.values().sum::<Counters>());
            changed |= of_selected.as_ref() == Some(row.id()) && row.cache != cache;
            row.cache = cache;
        }
        state.list.arrange();
    }
    let totals = summary.map(|summary| summary.map(|summary| summary.totals.values().sum::<Counters>()));
    state.totals.cache.came(totals, now);
    match (&state.detail.of, state.detail.tab) {
        (Some(id), Tab::Cache) if changed => vec![Effect::Read(id.clone(), Part::Fetches)],
        _ => Vec::new(),
    }
}

/// What each session takes, and all together.
pub(super) fn disk(state: &mut State, taken: Result<VolumesTaken, Failure>) -> Vec<Effect> {
    let now = state.now;
    if let Ok(taken) = &taken {
        for row in &mut state.list.rows {
            // One that was not there yet when they were listed keeps what it has.
            row.disk = taken.sessions.get(&row.session.id).map(|bytes| (*bytes, now)).or(row.disk);
        }
    }
    state.totals.disk.came(taken.map(|taken| taken.total), now);
    Vec::new()
}

pub(super) fn happened(state: &mut State, event: &EngineEvent) -> Vec<Effect> {
    let (text, weight) = (event.what.words(), weight(&event.what));
    let id = event.container.clone();
    if let Some(row) = state.list.row_mut(&id) {
        match &event.what {
            EventKind::LimitReached { hit } => row.limits.add(hit.clone()),
            // A start begins with nothing run into.
            EventKind::Started => row.limits = Limits::default(),
            _ => {}
        }
        row.happened(Happening { at: event.at, text: text.as_str().into(), weight });
        if weight == Weight::Danger {
            let text = format!("'{}': {text}", row.session.name);
            state.notices.add(state.now, weight, crate::units::sanitise(&text));
        }
    }
    match event.what {
        EventKind::Created | EventKind::Died { .. } | EventKind::Stopped | EventKind::Destroyed => vec![Effect::List],
        EventKind::Renamed { .. } | EventKind::Started | EventKind::Paused | EventKind::Unpaused => {
            vec![Effect::List, Effect::Measure(vec![id])]
        }
        EventKind::Updated | EventKind::OutOfMemory | EventKind::ExecStarted { .. } | EventKind::ExecEnded { .. } => {
            vec![Effect::Measure(vec![id])]
        }
        EventKind::Killed { .. } | EventKind::Attached | EventKind::Detached | EventKind::LimitReached { .. } | EventKind::Other { .. } => {
            Vec::new()
        }
    }
}

/// The sweep did something: each of it is told.
pub(super) fn reaped(state: &mut State, reaped: &[Reaped]) -> Vec<Effect> {
    for one in reaped {
        state.notices.add(state.now, Weight::Warning, crate::units::sanitise(&format!("'{}' was {}: {}", one.name, one.done, one.why)));
    }
    vec![Effect::List]
}

/// No event of the container itself tells of its networks.
pub(super) fn rewired(state: &State, id: &ContainerId) -> Vec<Effect> {
    let is_there = state.list.rows.iter().any(|row| row.id() == id);
    if is_there { vec![Effect::Measure(vec![id.clone()])] } else { Vec::new() }
}

const fn weight(what: &EventKind) -> Weight {
    match what {
        EventKind::OutOfMemory | EventKind::LimitReached { .. } | EventKind::Died { exit_code: Some(124) } => Weight::Danger,
        EventKind::Died { exit_code: Some(1..) } | EventKind::Updated => Weight::Warning,
        EventKind::Died { exit_code: Some(..=0) | None }
        | EventKind::Created
        | EventKind::Started
        | EventKind::Killed { .. }
        | EventKind::Stopped
        | EventKind::Paused
        | EventKind::Unpaused
        | EventKind::Renamed { .. }
        | EventKind::Destroyed
        | EventKind::ExecStarted { .. }
        | EventKind::ExecEnded { .. }
        | EventKind::Attached
        | EventKind::Detached
        | EventKind::Other { .. } => Weight::Plain,
    }
}
