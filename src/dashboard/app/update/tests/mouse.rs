use super::*;
use crate::dashboard::app::action::Action;
use crate::dashboard::app::detail::Tab;
use crate::dashboard::app::effect::PaneCommand;
use crate::dashboard::app::list::Column;
use crate::dashboard::app::overlay::Overlay;
use crate::dashboard::app::pointer::{Button, Click, Gesture, Pointer};
use crate::dashboard::app::row::{Happening, Weight};
use crate::dashboard::app::state::Focus;
use ratatui::layout::Rect;

fn click(state: &mut State, click: Click, area: Rect) -> Vec<Effect> {
    let gesture = match click {
        Click::Left | Click::Double => Gesture::Press(Button::Left),
        Click::Right => Gesture::Press(Button::Right),
        Click::WheelUp => Gesture::WheelUp,
        Click::WheelDown => Gesture::WheelDown,
    };
    let pointer = Pointer { double: click == Click::Double, ..Pointer::at(gesture, area.x + area.width / 2, area.y) };
    update(state, Message::Mouse(pointer))
}

#[test]
fn a_click_selects_and_a_double_click_attaches() {
    let mut state = state(&["api", "web"]);
    let second = Rect { y: state.layout().rows.y + 1, ..state.layout().rows };
    click(&mut state, Click::Left, second);
    assert_eq!(selected(&state), "web");
    let effects = click(&mut state, Click::Double, second);
    assert!(matches!(&effects[..], [Effect::OpenPane(_, whose, PaneCommand::Attach, _)] if *whose == target("web")));
}

#[test]
fn tabs_heads_and_buttons_are_where_they_are_drawn() {
    let mut state = state(&["api", "web"]);
    let layout = state.layout();
    let (_, tab) = layout.tabs.iter().find(|(tab, _)| *tab == Tab::Events).unwrap();
    click(&mut state, Click::Left, *tab);
    assert_eq!((state.detail.tab, state.focus), (Tab::Events, Focus::Detail));
    let (_, head) = layout.heads.iter().find(|(column, _)| *column == Column::Name).unwrap();
    click(&mut state, Click::Left, *head);
    assert_eq!(shown(&state), ["web", "api"]);
    let (_, button) = layout.buttons.iter().find(|(action, _)| *action == Action::Help).unwrap();
    click(&mut state, Click::Left, *button);
    assert!(matches!(state.overlay, Some(Overlay::Help(0))));
}

#[test]
fn the_wheel_scrolls_what_is_under_it_and_keeps_the_focus() {
    let names: Vec<String> = (0..50).map(|number| format!("s{number:02}")).collect();
    let mut state = state(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let (rows, body) = (state.layout().rows, state.layout().body);
    click(&mut state, Click::WheelDown, rows);
    assert_eq!(selected(&state), "s03");
    // There is no more to scroll than there is to see.
    state.detail.tab = Tab::Events;
    click(&mut state, Click::WheelDown, body);
    assert_eq!(state.detail.scroll, 0);
    let happening = Happening { at: at(1), text: "renamed".into(), weight: Weight::Plain };
    (0..100).for_each(|_| state.list.row_mut(&id("s03")).unwrap().happened(happening.clone()));
    click(&mut state, Click::WheelDown, body);
    assert_eq!((state.detail.scroll, state.focus), (3, Focus::List));
}
