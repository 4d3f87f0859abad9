//! How far pages scroll, and what of a log is on the screen.

use super::mixed;
use crate::dashboard::app::detail::Tab;
use crate::dashboard::app::input::Input;
use crate::dashboard::app::layout::Layout;
use crate::dashboard::app::log::{Level, LogLine};
use crate::dashboard::app::overlay::Overlay;
use crate::dashboard::app::row::Weight;
use crate::dashboard::app::state::Focus;
use crate::dashboard::app::{State, sample};
use crate::dashboard::snapshot::{drawn, lines};

#[test]
fn the_layout_knows_how_far_each_page_scrolls() {
    let mut state = mixed();
    state.list.selected = Some(sample::id("web"));
    for tab in Tab::ALL.into_iter().filter(|tab| *tab != Tab::Logs) {
        state.detail.tab = tab;
        for size in [(80, 24), (40, 12), (120, 30), (60, 14)] {
            state.size = size;
            state.focus = Focus::Detail;
            let furthest = Layout::of(&state).furthest(&state);
            let mut at = |scroll| {
                state.detail.scroll = scroll;
                drawn(&state)
            };
            assert_eq!(at(furthest), at(usize::MAX / 2), "{} at {size:?}", tab.title());
            if furthest > 0 {
                assert_ne!(at(furthest), at(furthest - 1), "{} at {size:?}", tab.title());
            }
        }
    }
    for overlay in [Overlay::Help as fn(usize) -> Overlay, Overlay::Notices] {
        (0..40).for_each(|at| state.notices.add(sample::ago(at), Weight::Plain, format!("stopped web-{at}")));
        state.overlay = Some(overlay(0));
        let furthest = Layout::of(&state).furthest_over(&state);
        let mut at = |scroll| {
            state.overlay = Some(overlay(scroll));
            drawn(&state)
        };
        assert!(furthest > 0 && at(furthest) == at(usize::MAX / 2) && at(furthest) != at(furthest - 1));
    }
}

#[test]
fn a_held_log_stays_where_it_is_and_the_end_is_never_past() {
    let mut state = mixed();
    state.detail.tab = Tab::Logs;
    (state.focus, state.zoomed) = (Focus::Detail, true);
    let line = |at: usize| LogLine { at: None, is_error_stream: false, text: format!("line {at}").as_str().into(), level: Level::Plain };
    state.detail.log.lines = (0..1000).map(line).collect();
    state.detail.log.dropped = 50;
    let top = |state: &State| lines(&drawn(state))[usize::from(Layout::of(state).body.y)].trim().to_owned();
    let height = usize::from(Layout::of(&state).body.height);
    assert_eq!(top(&state), format!("line {}", 1000 - height));
    state.detail.log.held = Some(50 + 300);
    assert_eq!(top(&state), "line 300");
    state.detail.log.held = Some(10);
    assert_eq!(top(&state), "line 0");
    state.detail.log.held = Some(u64::MAX);
    assert_eq!(top(&state), format!("line {}", 1000 - height));
    state.detail.log.wrap = true;
    state.detail.log.lines[999].text = "x".repeat(500).as_str().into();
    state.detail.log.held = None;
    assert!(top(&state).starts_with("line ") && lines(&drawn(&state)).iter().filter(|line| line.contains("xxx")).count() == 7);
}

#[test]
fn matches_of_a_search_stand_out() {
    let mut state = mixed();
    state.detail.tab = Tab::Logs;
    state.detail.log.search = Input::new("NUMPY");
    let buffer = drawn(&state);
    let lit = state.theme.style(crate::dashboard::theme::Role::Match);
    let y = Layout::of(&state).body.y;
    let shown: String = (0..80).filter(|x| buffer[(*x, y)].bg == lit.bg.unwrap()).map(|x| buffer[(x, y)].symbol().to_owned()).collect();
    assert_eq!(shown, "numpy");
}
