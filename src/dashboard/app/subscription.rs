//! What runs beside the loop.

use super::detail::Tab;
use super::row::ContainerId;
use super::state::State;
use super::terminals::Place;

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
    wanted
}
