//! Signs, words and meanings that more than one page uses.

use super::Piece;
use crate::dashboard::app::State;
use crate::dashboard::app::row::{Badge, Row, Weight};
use crate::dashboard::app::signs::Signs;
use crate::dashboard::theme::Role;
use crate::policy::Verdict;
use crate::session::Status;
use crate::units::{brief_age, brief_span};

/// A session's badge in the list: where its hardening holds, whether it drifted or is out of date.
pub fn list_badge(state: &State, row: &Row) -> Piece {
    let is_weak = matches!(row.badge(), Badge::Weaker(_) | Badge::Failed | Badge::Unmeasured);
    match row.standing.as_ref().filter(|standing| !standing.is_current() && !is_weak) {
        Some(standing) => {
            let word = if standing.drifted.is_empty() { "outdated" } else { "drifted" };
            (format!("{} {word}", Signs::of(state.ascii).badge(Badge::Failed)), Role::Warning)
        }
        None => badge(state, row),
    }
}

/// A part of a whole.
#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Billionths of a CPU as CPUs.
#[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
pub fn nano_cpus(nano: u64) -> f64 {
    nano as f64 / 1e9
}

/// The CPUs that a session may use: its limit, or all of the host's.
pub fn cpus(state: &State, row: &Row) -> f64 {
    let limit = row.facts().and_then(|facts| facts.nano_cpus).map(|nano| nano_cpus(nano).max(0.01));
    limit.unwrap_or_else(|| f64::from(state.engine.cpus.max(1)))
}

/// How near a limit something is.
pub fn load(share: f64) -> Role {
    if share >= 0.95 {
        Role::Danger
    } else if share >= 0.8 {
        Role::Warning
    } else {
        Role::Text
    }
}

/// A status' meaning.
pub const fn status_role(status: Status) -> Role {
    match status {
        Status::Running => Role::Good,
        Status::Dead | Status::Unknown => Role::Danger,
        Status::Paused | Status::Restarting | Status::Removing => Role::Warning,
        Status::Created | Status::Exited => Role::Muted,
    }
}

/// A verdict's meaning.
pub const fn verdict_role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Enforced => Role::Good,
        Verdict::Unknown => Role::Warning,
        Verdict::Weaker | Verdict::Missing => Role::Danger,
    }
}

/// A weight's meaning.
pub const fn weight_role(weight: Weight) -> Role {
    match weight {
        Weight::Plain => Role::Text,
        Weight::Warning => Role::Warning,
        Weight::Danger => Role::Danger,
    }
}

/// Sign, word and age; or what is being done to it.
pub fn status(state: &State, row: &Row) -> Piece {
    let signs = Signs::of(state.ascii);
    if let Some(busy) = row.busy {
        return (format!("{} {busy}", signs.moving), Role::Info);
    }
    let status = row.session.status;
    if !row.limits.hits.is_empty() {
        return (format!("! {status} {}", brief_age(state.now, row.since())), Role::Warning);
    }
    if let (1.., Some(left)) = (row.near(state.now), row.left_s(state.now)) {
        return (format!("{} {} left", signs.status(status), brief_span(left.unsigned_abs())), Role::Warning);
    }
    (format!("{} {status} {}", signs.status(status), brief_age(state.now, row.since())), status_role(status))
}

/// Sign and word of the posture.
pub fn badge(state: &State, row: &Row) -> Piece {
    let badge = row.badge();
    let (words, role) = match badge {
        Badge::Holds(all) => (format!("{all}/{all}"), Role::Good),
        Badge::Weaker(count) => (format!("{count} weaker"), Role::Danger),
        // What does not run has no kernel to ask: no alarm.
        Badge::Partly(..) if !row.session.status.is_live() => ("not live".to_owned(), Role::Muted),
        Badge::Partly(held, all) => (format!("{held}/{all}"), Role::Warning),
        Badge::Failed => ("failed".to_owned(), Role::Warning),
        Badge::Unmeasured => ("measuring".to_owned(), Role::Muted),
    };
    (format!("{} {words}", Signs::of(state.ascii).badge(badge)), role)
}
