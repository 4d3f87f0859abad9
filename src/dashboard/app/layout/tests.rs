use super::*;
use crate::dashboard::app::sample;

fn sizes() -> impl Iterator<Item = (u16, u16)> {
    [0, 1, 2, 5, 13, 39, 40, 79, 80, 81, 120, 300]
        .into_iter()
        .flat_map(|columns| [0, 1, 3, 4, 6, 9, 10, 12, 19, 24, 50, 100].map(|lines| (columns, lines)))
}

#[test]
fn everything_stands_on_the_screen_and_nothing_over_another() {
    let mut state = sample::state(&["api", "web"]);
    for size in sizes() {
        state.size = size;
        for (focus, zoomed, tab) in
            [(Focus::List, false, Tab::Overview), (Focus::Detail, true, Tab::Cache), (Focus::Detail, false, Tab::Processes)]
        {
            (state.focus, state.zoomed, state.detail.tab) = (focus, zoomed, tab);
            let layout = Layout::of(&state);
            let screen = Rect::new(0, 0, size.0, size.1);
            let mut places = vec![layout.totals, layout.rows, layout.note, layout.body, layout.status];
            for small in [
                layout.heads.iter().map(|(_, at)| *at).collect::<Vec<_>>(),
                layout.tabs.iter().map(|(_, at)| *at).collect(),
                layout.buttons.iter().map(|(_, at)| *at).collect(),
            ] {
                places.extend(small);
            }
            places.retain(|place| !place.is_empty());
            for (at, place) in places.iter().enumerate() {
                assert_eq!(place.intersection(screen), *place, "{size:?}");
                assert!(places[at + 1..].iter().all(|other| !place.intersects(*other)), "{size:?}: {places:?}");
            }
        }
    }
}

#[test]
fn columns_give_way_in_one_order_and_the_name_stays() {
    let mut state = sample::state(&["web"]);
    let mut shown = |columns| {
        state.size = (columns, 24);
        Layout::of(&state).heads.into_iter().map(|(column, _)| column).collect::<Vec<_>>()
    };
    assert_eq!(shown(300), Column::ALL);
    let mut wider = shown(300);
    for columns in (1..300).rev() {
        let now = shown(columns);
        assert!(now.iter().all(|column| wider.contains(column)) && now.contains(&Column::Name), "{columns}: {now:?}");
        wider = now;
    }
    for wanted in [Column::Status, Column::Posture, Column::Pids, Column::Cpu, Column::Memory, Column::Hits, Column::Uptime] {
        assert!(shown(80).contains(&wanted), "{wanted:?} at 80 columns");
    }
    assert_eq!(shown(40), [Column::Name, Column::Status, Column::Posture]);
}

#[test]
fn a_small_terminal_shows_the_pane_in_focus_alone() {
    let mut state = sample::state(&["web"]);
    state.size = (40, 12);
    assert!(Layout::of(&state).detail.is_empty() && !Layout::of(&state).list.is_empty());
    state.focus = Focus::Detail;
    assert!(!Layout::of(&state).detail.is_empty() && Layout::of(&state).list.is_empty());
}
