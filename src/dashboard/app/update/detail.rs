//! The detail pane: it is the selected session's, and reads what its open tab shows.

use jiff::Timestamp;

use crate::dashboard::app::detail::{Detail, Tab};
use crate::dashboard::app::effect::{Effect, Part};
use crate::dashboard::app::log::Log;
use crate::dashboard::app::remote::Remote;
use crate::dashboard::app::state::State;

/// Something that was read came; what is not the selected session's any more is let go.
pub(super) fn came(state: &mut State, id: &str, take: impl FnOnce(&mut Detail, Timestamp)) -> Vec<Effect> {
    if state.detail.of.as_deref() == Some(id) {
        take(&mut state.detail, state.now);
    }
    Vec::new()
}

/// Another session is selected: its detail begins anew.
pub(super) fn follow_selection(state: &mut State) -> Vec<Effect> {
    if state.detail.of == state.list.selected {
        return Vec::new();
    }
    let Detail { tab, log, .. } = std::mem::take(&mut state.detail);
    let log = Log { wrap: log.wrap, timestamps: log.timestamps, search: log.search, ..Log::default() };
    state.detail = Detail { of: state.list.selected.clone(), tab, log, ..Detail::default() };
    read(state)
}

/// Opens a tab.
pub(super) fn open(state: &mut State, tab: Tab) -> Vec<Effect> {
    state.detail.tab = tab;
    state.detail.scroll = 0;
    read(state)
}

/// Asks for what the open tab shows, where the list does not have it.
pub(super) fn read(state: &mut State) -> Vec<Effect> {
    let Some(id) = state.detail.of.clone() else { return Vec::new() };
    let detail = &mut state.detail;
    let part = match detail.tab {
        Tab::Cache => ask(&mut detail.fetches, Part::Fetches),
        Tab::Processes => ask(&mut detail.processes, Part::Processes),
        Tab::Files => ask(&mut detail.files, Part::Files),
        // The log is a subscription, the others are in the row.
        Tab::Overview | Tab::Hardening | Tab::Logs | Tab::Events => return Vec::new(),
    };
    vec![Effect::Read(id, part)]
}

fn ask<T>(remote: &mut Remote<T>, part: Part) -> Part {
    remote.ask();
    part
}
