//! What changes only what is looked at: the selection, the filter, the order, the marks.

use super::terminal as terminals;
use crate::dashboard::app::detail::Tab;
use crate::dashboard::app::effect::Effect;
use crate::dashboard::app::input::Input;
use crate::dashboard::app::list::{Column, Line};
use crate::dashboard::app::row::Weight;
use crate::dashboard::app::state::{Focus, State};
use crate::dashboard::app::terminals::Place;

/// Further than any list is long.
pub(super) const FAR: isize = isize::MAX / 4;

pub(super) fn page(state: &State) -> isize {
    let layout = state.layout();
    let height = match state.focus {
        Focus::List => layout.rows.height,
        Focus::Detail | Focus::Terminal => layout.body.height,
    };
    isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(1)
}

pub(super) fn moved(state: &mut State, by: isize) -> Vec<Effect> {
    match (state.focus, state.detail.tab) {
        (Focus::List, _) => state.list.step(by),
        // Its keys are its program's, and never come here.
        (Focus::Terminal, _) => {}
        (Focus::Detail, Tab::Logs) => {
            let height = usize::from(state.layout().body.height);
            state.detail.log.step(by, height);
        }
        (Focus::Detail, _) => state.detail.scroll = state.detail.scroll.saturating_add_signed(by).min(FAR.unsigned_abs()),
    }
    Vec::new()
}

pub(super) fn scrolled_by_wheel(state: &mut State, over_list: bool, by: isize) -> Vec<Effect> {
    let focus = state.focus;
    state.focus = if over_list { Focus::List } else { Focus::Detail };
    let effects = moved(state, by);
    state.focus = focus;
    effects
}

pub(super) fn back(state: &mut State) -> Vec<Effect> {
    if state.zoomed {
        state.zoomed = false;
    } else if state.focus == Focus::Detail {
        state.focus = Focus::List;
    } else if !state.list.marked.is_empty() {
        state.list.marked.clear();
    } else if !state.list.filter.text().is_empty() {
        state.list.filter = Input::default();
        state.list.arrange();
    } else if state.terminals.place == Place::Below {
        terminals::put_away(state);
    }
    Vec::new()
}

pub(super) fn filter(state: &mut State) -> Vec<Effect> {
    if state.focus == Focus::Detail && state.detail.tab == Tab::Logs {
        state.detail.log.searching = true;
    } else {
        state.focus = Focus::List;
        state.list.filtering = true;
    }
    Vec::new()
}

pub(super) fn sort(state: &mut State, column: Column, reverse: bool) -> Vec<Effect> {
    state.list.sort.column = column;
    state.list.sort.reverse = reverse;
    state.list.arrange();
    vec![Effect::Save]
}

pub(super) fn mark(state: &mut State) -> Vec<Effect> {
    if let Some(id) = state.list.selected.clone() {
        if !state.list.marked.remove(&id) {
            state.list.marked.insert(id);
        }
        state.list.step(1);
    }
    Vec::new()
}

pub(super) fn mark_all(state: &mut State) -> Vec<Effect> {
    let listed = state.list.lines.iter().filter_map(|line| match line {
        Line::Row(at) => Some(state.list.rows[*at].id().clone()),
        Line::Head(..) => None,
    });
    let listed: std::collections::BTreeSet<_> = listed.collect();
    state.list.marked = if listed.is_subset(&state.list.marked) { std::collections::BTreeSet::new() } else { listed };
    Vec::new()
}

/// The next place at which the search matches, or the one before, held on the screen.
pub(super) fn to_match(state: &mut State, forward: bool) -> Vec<Effect> {
    let height = usize::from(state.layout().body.height);
    if !state.detail.log.to_match(forward, height) {
        let text = state.detail.log.search.text();
        let told = if text.is_empty() { "nothing is searched".to_owned() } else { format!("no more '{text}' that way") };
        state.notices.add(state.now, Weight::Plain, told);
    }
    Vec::new()
}
