//! Work under way: its steps, its end, and the passing of time.

use jiff::Timestamp;

use crate::dashboard::app::effect::{Effect, JobId, Target};
use crate::dashboard::app::job::Job;
use crate::dashboard::app::link::Link;
use crate::dashboard::app::row::Weight;
use crate::dashboard::app::state::State;
use crate::failure::Failure;
use crate::units::{brief_span, sanitise};

/// Ages on the screen are at most so many seconds behind.
const AGES_S: i64 = 5;

/// Begins a piece of work.
pub(super) fn begin(state: &mut State, title: impl Into<String>, targets: Vec<Target>, busy: Option<&'static str>) -> JobId {
    let id = JobId(state.number());
    for target in &targets {
        if let Some(row) = state.list.row_mut(&target.id) {
            row.busy = busy;
        }
    }
    let job = Job { id, title: title.into(), step: String::new(), amount: None, began: state.now, cancelled: false, targets };
    state.jobs.push(job);
    id
}

pub(super) fn stepped(state: &mut State, id: JobId, step: &str, amount: Option<(u64, Option<u64>)>) -> Vec<Effect> {
    if let Some(job) = state.jobs.iter_mut().find(|job| job.id == id) {
        if !step.is_empty() {
            job.step = sanitise(step);
        }
        job.amount = amount;
    }
    Vec::new()
}

pub(super) fn warned(state: &mut State, id: JobId, text: &str) -> Vec<Effect> {
    let title = state.jobs.iter().find(|job| job.id == id).map(|job| format!("{}: ", job.title)).unwrap_or_default();
    state.notices.add(state.now, Weight::Warning, format!("{title}{}", sanitise(text)));
    Vec::new()
}

pub(super) fn ended(state: &mut State, id: JobId, result: Result<String, Vec<Failure>>) -> Vec<Effect> {
    let Some(at) = state.jobs.iter().position(|job| job.id == id) else { return Vec::new() };
    let job = state.jobs.remove(at);
    for target in &job.targets {
        if let Some(row) = state.list.row_mut(&target.id) {
            row.busy = None;
        }
    }
    match result {
        Ok(text) => state.notices.add(state.now, Weight::Plain, text),
        Err(failures) => {
            for failure in &failures {
                state.notices.fail(state.now, failure);
            }
        }
    }
    let ids = job.targets.into_iter().map(|target| target.id).collect();
    vec![Effect::List, Effect::Measure(ids)]
}

/// Gives up the work that was begun last and not yet given up.
pub(super) fn cancel(state: &mut State) -> Vec<Effect> {
    if let Some(job) = state.jobs.iter_mut().rev().find(|job| !job.cancelled) {
        job.cancelled = true;
        "giving it up".clone_into(&mut job.step);
        return vec![Effect::Cancel(job.id)];
    }
    state.notices.add(state.now, Weight::Plain, "there is no work under way");
    Vec::new()
}

/// Tells of each deadline that has come near, once for each step. Whether there was any.
fn deadlines(state: &mut State, now: Timestamp) -> bool {
    let mut texts = Vec::new();
    for row in &mut state.list.rows {
        let near = row.near(now);
        if near > row.told_near
            && let Some(left) = row.left_s(now)
        {
            let name = &row.session.name;
            let left = brief_span(left.unsigned_abs());
            texts.push(format!("'{name}' is stopped in {left}: palisade renew {name} moves its deadline"));
        }
        // One that was renewed is told of again.
        row.told_near = near;
    }
    let any = !texts.is_empty();
    for text in texts {
        state.notices.add(now, Weight::Warning, text);
    }
    any
}

/// Time passed: the screen is drawn again only where it would show it.
pub(super) fn tick(state: &mut State, now: Timestamp) {
    let standing = state.notices.standing().is_some();
    state.notices.age(now);
    let faded = standing && state.notices.standing().is_none();
    let is_near = deadlines(state, now);
    let is_moving = is_near || faded || !state.jobs.is_empty() || matches!(state.link, Link::Away { .. });
    let aged = now.as_second().div_euclid(AGES_S) != state.now.as_second().div_euclid(AGES_S);
    state.dirty |= is_moving || (aged && !state.list.rows.is_empty());
    state.now = now;
}
