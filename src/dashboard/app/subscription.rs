//! What runs beside the loop.

use super::detail::Tab;
use super::row::{ContainerId, Row};
use super::state::State;
use super::terminals::Place;
use crate::session::Limit;

/// What should be running beside the loop: a function of the state. The runtime starts what is new and ends what is
/// no more asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subscription {
    /// The engine's events.
    Events,
    /// The usage of these, which are on the screen.
    Usage(Vec<ContainerId>),
    /// The log of this one.
    Log(ContainerId),
    /// The depot's counters.
    Cache,
    /// What volumes take: a count sooner than the next that is due, for these, as often as they ran into a cap.
    Disk(Vec<(ContainerId, u64)>),
}

/// What should be running.
pub fn subscriptions(state: &State) -> Vec<Subscription> {
    let mut wanted = vec![Subscription::Events, Subscription::Cache];
    let height = usize::from(state.layout().rows.height);
    let is_hidden = state.terminals.place == Place::Full;
    let mut live: Vec<ContainerId> = if is_hidden {
        Vec::new()
    } else {
        let on_screen = state.list.on_screen(height).chain(state.list.selected());
        on_screen.filter(|row| row.session.status.is_live()).map(|row| row.id().clone()).collect()
    };
    live.sort_unstable();
    live.dedup();
    if !live.is_empty() {
        wanted.push(Subscription::Usage(live));
    }
    if let (Some(of), Tab::Logs) = (&state.detail.of, state.detail.tab) {
        wanted.push(Subscription::Log(of.clone()));
    }
    let uncounted: Vec<(ContainerId, u64)> = state.list.rows.iter().filter_map(uncounted).collect();
    if !uncounted.is_empty() {
        wanted.push(Subscription::Disk(uncounted));
    }
    wanted
}

fn uncounted(row: &Row) -> Option<(ContainerId, u64)> {
    let of_disk = row.limits.hits.iter().filter(|hit| matches!(hit.limit, Limit::DiskSoft | Limit::DiskHard));
    let hits = of_disk.map(|hit| hit.count).fold(0, u64::saturating_add);
    (row.disk.is_none() || hits > 0).then(|| (row.id().clone(), hits))
}
