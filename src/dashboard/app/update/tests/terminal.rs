//! Terminals as tabs: keys and mouse in, what is sent and shown out.

use super::*;
use crate::backend::{Became, Cut, Fate, Within};
use crate::dashboard::app::effect::{PaneCommand, PaneId};
use crate::dashboard::app::overlay::Overlay;
use crate::dashboard::app::pointer::{Button, Gesture, Pointer};
use crate::dashboard::app::sample;
use crate::dashboard::app::state::Focus;
use crate::dashboard::app::terminals::{Mode, Opened, Pane, Place, Tie};
use crate::failure::{Code, Failure};
use crate::session::{ContainerFacts, Limits};
use crate::terminal::wire::Held;
use crate::terminal::{Grants, Size};

fn held(id: u32, clients: u32) -> Held {
    Held { id, pid: 40, command: vec!["/bin/bash".into()], size: Size::USUAL, age_s: 600, idle_s: 180, clients }
}

fn current(state: &State) -> &Pane {
    state.terminals.current().expect("a terminal is open")
}

fn prints(state: &mut State, id: PaneId, text: &str) -> Vec<Effect> {
    update(state, Message::PanePrinted(id, text.as_bytes().to_vec()))
}

/// Opens a shell that a supervisor holds.
fn shell(state: &mut State) -> PaneId {
    press(state, "s");
    let id = current(state).id;
    update(state, Message::PaneOpened(id, Opened { tie: Tie::Held(held(1, 1)), grants: Grants::default(), within: None }));
    id
}

fn typed(effects: &[Effect]) -> String {
    match effects {
        [Effect::PaneInput(_, bytes)] => String::from_utf8_lossy(bytes).into_owned(),
        other => format!("{other:?}"),
    }
}

fn line(pane: &Pane, line: i32) -> String {
    pane.screen.line(line).map(|cell| cell.c).collect::<String>().trim_end().to_owned()
}

/// What the mouse does at a cell of the shown terminal.
fn mouse(state: &mut State, gesture: Gesture, column: u16, row: u16) -> Vec<Effect> {
    let screen = state.layout().terminal.expect("a terminal is shown").screen;
    update(state, Message::Mouse(Pointer::at(gesture, screen.x + column, screen.y + row)))
}

#[test]
fn a_terminal_takes_every_key_but_those_that_lead_out_of_it() {
    let mut state = state(&["web"]);
    shell(&mut state);
    assert_eq!(typed(&press(&mut state, "q")), "q");
    assert_eq!(typed(&press(&mut state, "ctrl-c")), "\u{3}");
    assert_eq!(press(&mut state, "ctrl-p"), []);
    assert_eq!(typed(&press(&mut state, "x")), "\u{10}x");
    // The prefix twice is the key itself.
    assert_eq!(typed(&press(&mut state, "ctrl-\\ ctrl-\\")), "\u{1c}");
    assert!(matches!(&press(&mut state, "ctrl-p ctrl-q")[..], [Effect::PaneClose(_)]));
    assert!(state.terminals.open.is_empty());
    assert_eq!((state.focus, state.terminals.place), (Focus::List, Place::Away));
}

#[test]
fn terminals_of_any_sessions_stay_open_while_one_is_elsewhere() {
    let mut state = state(&["api", "web"]);
    let first = shell(&mut state);
    press(&mut state, "ctrl-\\ l");
    assert_eq!((state.focus, state.terminals.place), (Focus::List, Place::Away));
    press(&mut state, "j s");
    let second = current(&state).id;
    assert_eq!(current(&state).target, target("web"));
    // From tab to tab, by direction and by number.
    press(&mut state, "ctrl-\\ n");
    assert_eq!(current(&state).id, first);
    press(&mut state, "ctrl-\\ p");
    assert_eq!(current(&state).id, second);
    press(&mut state, "ctrl-\\ 1");
    assert_eq!(current(&state).id, first);
    press(&mut state, "ctrl-\\ 9");
    assert_eq!(current(&state).id, first);
    // What is left gives its place to its neighbour, the last to the list.
    assert_eq!(press(&mut state, "ctrl-\\ d"), [Effect::PaneClose(first)]);
    assert_eq!((current(&state).id, state.focus), (second, Focus::Terminal));
    assert_eq!(press(&mut state, "ctrl-\\ d"), [Effect::PaneClose(second)]);
    assert_eq!(state.focus, Focus::List);
}

#[test]
fn what_is_not_seen_tells_that_it_rang_or_wrote_until_it_is_looked_at() {
    let mut state = state(&["web"]);
    let id = shell(&mut state);
    press(&mut state, "ctrl-\\ l");
    assert_eq!(prints(&mut state, id, "x\u{7}"), [Effect::Bell]);
    assert!(current(&state).active && current(&state).rang);
    // One bell in a second, however many ring.
    assert_eq!(prints(&mut state, id, "\u{7}\u{7}\u{7}"), []);
    update(&mut state, Message::Tick(at(101)));
    assert_eq!(prints(&mut state, id, "\u{7}"), [Effect::Bell]);
    // More of the same draws nothing anew.
    state.dirty = false;
    prints(&mut state, id, "more");
    assert!(!state.dirty);
    press(&mut state, "a");
    assert!(!current(&state).active && !current(&state).rang);
    assert_eq!(state.focus, Focus::Terminal);
}

#[test]
fn a_terminal_is_born_as_large_as_its_place_and_follows_it() {
    let mut state = state(&["web"]);
    let effects = press(&mut state, "s");
    assert!(matches!(&effects[..], [Effect::OpenPane(_, _, PaneCommand::Shell, (120, 39))]), "{effects:?}");
    let id = current(&state).id;
    assert_eq!(update(&mut state, Message::Resized(100, 30)), [Effect::PaneResize(id, (100, 29))]);
    // Below the list, where the detail is.
    let effects = press(&mut state, "ctrl-\\ z");
    let place = state.layout().terminal.unwrap();
    assert!(place.screen.y > state.layout().rows.y && state.layout().detail.is_empty());
    assert_eq!(effects, [Effect::PaneResize(id, (100, place.screen.height))]);
    // The keys go back and forth, it stays in sight.
    press(&mut state, "ctrl-\\ l");
    assert_eq!((state.focus, state.terminals.place), (Focus::List, Place::Below));
    press(&mut state, "tab");
    assert_eq!(state.focus, Focus::Terminal);
    press(&mut state, "ctrl-\\ l esc");
    assert_eq!(state.terminals.place, Place::Away);
    // Where it was, it comes again.
    press(&mut state, "a");
    assert_eq!(state.terminals.place, Place::Below);
    // On a small terminal it has all of it while it has the keys.
    update(&mut state, Message::Resized(40, 12));
    assert_eq!(state.layout().terminal.unwrap().screen.height, 11);
    press(&mut state, "ctrl-\\ l");
    assert!(state.layout().terminal.is_none() && state.layout().list.height > 0);
}

#[test]
fn typing_draws_nothing_until_the_terminal_answers() {
    let mut state = state(&["web"]);
    let id = shell(&mut state);
    state.dirty = false;
    press(&mut state, "l s enter");
    assert!(!state.dirty);
    prints(&mut state, id, "ls");
    assert!(state.dirty);
}

#[test]
fn shells_that_were_left_are_offered_first() {
    let mut state = state(&["web"]);
    press(&mut state, "s");
    let id = current(&state).id;
    update(&mut state, Message::PaneOffered(id, vec![held(2, 0), held(3, 0)]));
    assert_eq!(typed(&press(&mut state, "down down down up")), "[]");
    let effects = press(&mut state, "enter");
    assert!(matches!(&effects[..], [Effect::OpenPane(same, _, PaneCommand::TakeUp(3), _)] if *same == id), "{effects:?}");
    // Or a new one; or none at all.
    press(&mut state, "ctrl-\\ l s");
    let id = current(&state).id;
    update(&mut state, Message::PaneOffered(id, vec![held(2, 0)]));
    assert!(matches!(&press(&mut state, "n")[..], [Effect::OpenPane(_, _, PaneCommand::NewShell, _)]));
    press(&mut state, "ctrl-\\ l s");
    let id = current(&state).id;
    update(&mut state, Message::PaneOffered(id, vec![held(2, 0)]));
    assert_eq!(press(&mut state, "q"), [Effect::PaneClose(id)]);
    // A click takes the line that it is on.
    press(&mut state, "ctrl-\\ l s");
    let id = current(&state).id;
    update(&mut state, Message::PaneOffered(id, vec![held(2, 0)]));
    let effects = mouse(&mut state, Gesture::Press(Button::Left), 5, 2);
    assert!(matches!(&effects[..], [Effect::OpenPane(_, _, PaneCommand::TakeUp(2), _)]), "{effects:?}");
}

#[test]
fn only_what_ends_with_its_connection_is_answered_here() {
    let mut state = state(&["web"]);
    let id = shell(&mut state);
    assert_eq!(prints(&mut state, id, "\u{1b}[6n"), [], "the supervisor has answered");
    update(&mut state, Message::PaneOpened(id, Opened { tie: Tie::Connection, grants: Grants::default(), within: None }));
    assert_eq!(typed(&prints(&mut state, id, "\u{1b}[6n")), "\u{1b}[1;1R");
}

#[test]
fn a_screen_from_its_beginning_takes_the_place_of_the_old_one() {
    let mut state = state(&["web"]);
    let id = shell(&mut state);
    prints(&mut state, id, "old\u{1b}[?1h");
    update(&mut state, Message::PaneAnew(id, b"new".to_vec()));
    assert_eq!(line(current(&state), 0), "new");
    assert!(!current(&state).screen.modes().application_cursor);
}

#[test]
fn a_way_that_was_lost_is_taken_up_again() {
    let mut state = state(&["web"]);
    let id = shell(&mut state);
    update(&mut state, Message::PaneEnded(id, Err(Failure::new(Code::EngineError, "the way to 'web' was lost"))));
    // What was being typed neither closes it nor goes anywhere.
    assert_eq!(press(&mut state, "l s"), []);
    let effects = press(&mut state, "r");
    assert!(matches!(&effects[..], [Effect::OpenPane(same, _, PaneCommand::TakeUp(1), _)] if *same == id), "{effects:?}");
    assert!(current(&state).ended.is_none());
    // One that has ended is closed by any key.
    update(&mut state, Message::PaneEnded(id, Ok(Some(3))));
    assert_eq!(press(&mut state, "x"), [Effect::PaneClose(id)]);
}

/// A run of a session.
fn within() -> Box<Within> {
    Box::new(Within::of(sample::session("web"), &ContainerFacts::default()))
}

fn fate(state: Became) -> Fate {
    Fate { state, exit_code: None, limits: Limits::default(), said: vec!["'web' was stopped (143) while the command ran".to_owned()] }
}

#[test]
fn one_that_is_cut_short_asks_once_what_became_of_its_session() {
    let lost = || Err(Failure::new(Code::EngineError, "the way to 'web' was lost"));
    for (tie, ended, cut) in [
        (Tie::Held(held(1, 1)), lost(), Some(Cut::Lost)),
        (Tie::Connection, lost(), Some(Cut::Lost)),
        (Tie::Held(held(1, 1)), Ok(Some(137)), Some(Cut::Killed)),
        (Tie::Held(held(1, 1)), Ok(Some(0)), None),
        (Tie::Connection, Ok(None), None),
    ] {
        let mut state = state(&["web"]);
        let id = shell(&mut state);
        update(&mut state, Message::PaneOpened(id, Opened { tie, grants: Grants::default(), within: Some(within()) }));
        let asked = cut.map(|cut| Effect::AskFate(id, within(), cut));
        assert_eq!(update(&mut state, Message::PaneEnded(id, ended)), Vec::from_iter(asked));
    }
    // The log of what runs without a terminal tells its end by itself.
    let mut state = state(&["web"]);
    let id = shell(&mut state);
    assert_eq!(update(&mut state, Message::PaneEnded(id, lost())), []);
}

#[test]
fn one_that_ended_with_its_session_says_so_until_it_is_closed() {
    let mut state = state(&["web"]);
    let id = shell(&mut state);
    update(&mut state, Message::PaneOpened(id, Opened { tie: Tie::Held(held(1, 1)), grants: Grants::default(), within: Some(within()) }));
    update(&mut state, Message::PaneEnded(id, Err(Failure::new(Code::EngineError, "the way to 'web' was lost"))));
    update(&mut state, Message::FateTold(id, Some(fate(Became::Ended))));
    assert!(current(&state).is_over() && !current(&state).is_lost());
    // There is nothing to take up, and what was being typed does not close it.
    assert_eq!(press(&mut state, "l s r"), []);
    assert_eq!(press(&mut state, "q"), [Effect::PaneClose(id)]);
    assert_eq!(update(&mut state, Message::FateTold(id, Some(fate(Became::Ended)))), [], "it is closed");
}

#[test]
fn one_whose_session_goes_on_is_taken_up_again_and_forgets_what_was_told() {
    let mut state = state(&["web"]);
    let id = shell(&mut state);
    update(&mut state, Message::PaneOpened(id, Opened { tie: Tie::Held(held(1, 1)), grants: Grants::default(), within: Some(within()) }));
    update(&mut state, Message::PaneEnded(id, Err(Failure::new(Code::EngineError, "the way to 'web' was lost"))));
    update(&mut state, Message::FateTold(id, Some(fate(Became::Running))));
    assert!(current(&state).is_lost());
    assert!(matches!(&press(&mut state, "r")[..], [Effect::OpenPane(..)]));
    assert_eq!((&current(&state).fate, &current(&state).within), (&None, &None));
    update(&mut state, Message::FateTold(id, Some(fate(Became::Ended))));
    assert_eq!(current(&state).fate, None, "that was of another time");
}

#[test]
fn what_runs_in_a_held_terminal_is_ended_after_a_question() {
    let mut state = state(&["web"]);
    shell(&mut state);
    assert_eq!(press(&mut state, "ctrl-\\ K"), []);
    assert!(matches!(state.overlay, Some(Overlay::Confirm(_))));
    assert_eq!(press(&mut state, "y"), [Effect::EndTerminal(target("web"), 1)]);
}

#[test]
fn what_scrolled_off_is_searched_selected_and_copied_by_keys() {
    let mut state = state(&["web"]);
    let id = shell(&mut state);
    let text: Vec<String> = (0..200).map(|number| format!("row {number} of many")).collect();
    prints(&mut state, id, &text.join("\r\n"));
    press(&mut state, "ctrl-\\ /");
    types(&mut state, "ROW 7 ");
    assert_eq!(press(&mut state, "enter"), []);
    assert!(state.notices.standing().unwrap().text.contains("no more"), "capitals mean capitals");
    press(&mut state, "/");
    types(&mut state, "row 7 of");
    press(&mut state, "enter");
    let Mode::Copy(point) = current(&state).mode else { panic!("{:?}", current(&state).mode) };
    assert_eq!(line(current(&state), current(&state).line(point.line)), "row 7 of many");
    assert_eq!(current(&state).found().len(), 1);
    // To the end of the line below.
    press(&mut state, "v j $");
    assert_eq!(press(&mut state, "y"), [Effect::Copy("row 7 of many\nrow 8 of many".to_owned())]);
    assert_eq!((&current(&state).mode, current(&state).scroll), (&Mode::Live, 0));
    // And pasted, as the program wants it.
    assert_eq!(typed(&press(&mut state, "ctrl-\\ v")), "row 7 of many\rrow 8 of many");
    prints(&mut state, id, "\u{1b}[?2004h");
    assert!(typed(&press(&mut state, "ctrl-\\ v")).ends_with("\u{1b}[201~"));
}

#[test]
fn who_looks_back_goes_on_seeing_the_same_lines_though_the_past_is_full() {
    let mut state = state(&["web"]);
    let id = shell(&mut state);
    let rows = |from: u32| (from..from + 3_000).map(|number| format!("row {number}\r\n")).collect::<Vec<_>>().concat();
    for from in [0, 3_000, 6_000] {
        prints(&mut state, id, &rows(from));
    }
    press(&mut state, "shift-pageup shift-pageup");
    let seen = |state: &State| line(current(state), current(state).line(current(state).top()));
    let before = seen(&state);
    prints(&mut state, id, "more\r\nand more\r\n");
    assert_eq!(seen(&state), before);
    // Whatever is typed leads back.
    press(&mut state, "x");
    assert_eq!(current(&state).scroll, 0);
}

#[test]
fn the_mouse_selects_and_the_wheel_looks_back_where_the_program_does_not_ask_for_it() {
    let mut state = state(&["web"]);
    let id = shell(&mut state);
    prints(&mut state, id, "one two\r\nthree");
    mouse(&mut state, Gesture::Press(Button::Left), 4, 0);
    mouse(&mut state, Gesture::Drag(Button::Left), 2, 1);
    assert_eq!(mouse(&mut state, Gesture::Release(Button::Left), 2, 1), [Effect::Copy("two\nthr".to_owned())]);
    // A click by itself copies nothing, a double click a word.
    mouse(&mut state, Gesture::Press(Button::Left), 1, 1);
    assert_eq!(mouse(&mut state, Gesture::Release(Button::Left), 1, 1), []);
    let screen = state.layout().terminal.unwrap().screen;
    let double = Pointer { double: true, ..Pointer::at(Gesture::Press(Button::Left), screen.x + 1, screen.y + 1) };
    assert_eq!(update(&mut state, Message::Mouse(double)), [Effect::Copy("three".to_owned())]);
    prints(&mut state, id, &"\r\n".repeat(60));
    mouse(&mut state, Gesture::WheelUp, 5, 5);
    assert_eq!(current(&state).scroll, 3);
    mouse(&mut state, Gesture::WheelDown, 5, 5);
    assert_eq!(current(&state).scroll, 0);
}

#[test]
fn a_program_that_asks_for_the_mouse_has_it_but_with_shift() {
    let mut state = state(&["web"]);
    let id = shell(&mut state);
    prints(&mut state, id, "word\u{1b}[?1002h\u{1b}[?1006h");
    assert_eq!(typed(&mouse(&mut state, Gesture::Press(Button::Left), 2, 0)), "\u{1b}[<0;3;1M");
    assert_eq!(typed(&mouse(&mut state, Gesture::Drag(Button::Left), 3, 0)), "\u{1b}[<32;4;1M");
    assert_eq!(mouse(&mut state, Gesture::Move, 3, 0), []);
    assert_eq!(typed(&mouse(&mut state, Gesture::WheelUp, 3, 0)), "\u{1b}[<64;4;1M");
    let screen = state.layout().terminal.unwrap().screen;
    let with_shift = |gesture, column| Pointer { shift: true, ..Pointer::at(gesture, screen.x + column, screen.y) };
    update(&mut state, Message::Mouse(with_shift(Gesture::Press(Button::Left), 0)));
    update(&mut state, Message::Mouse(with_shift(Gesture::Drag(Button::Left), 2)));
    let effects = update(&mut state, Message::Mouse(with_shift(Gesture::Release(Button::Left), 2)));
    assert_eq!(effects, [Effect::Copy("wor".to_owned())]);
}

#[test]
fn the_wheel_is_arrows_on_the_alternate_screen() {
    let mut state = state(&["web"]);
    let id = shell(&mut state);
    prints(&mut state, id, "\u{1b}[?1049h\u{1b}[?1h");
    assert_eq!(typed(&mouse(&mut state, Gesture::WheelDown, 0, 0)), "\u{1b}OB\u{1b}OB\u{1b}OB");
    prints(&mut state, id, "\u{1b}[?1007l");
    assert_eq!(mouse(&mut state, Gesture::WheelDown, 0, 0), []);
}

#[test]
fn tabs_are_clicked_and_a_click_gives_a_terminal_the_keys() {
    let mut state = state(&["web"]);
    let first = shell(&mut state);
    press(&mut state, "ctrl-\\ s");
    assert_ne!(current(&state).id, first);
    let (_, tab) = state.layout().terminal.unwrap().tabs[0];
    update(&mut state, Message::Mouse(Pointer::at(Gesture::Press(Button::Left), tab.x + 1, tab.y)));
    assert_eq!(current(&state).id, first);
    press(&mut state, "ctrl-\\ z ctrl-\\ l");
    assert_eq!(state.focus, Focus::List);
    mouse(&mut state, Gesture::Press(Button::Left), 3, 3);
    assert_eq!(state.focus, Focus::Terminal);
}

#[test]
fn titles_and_the_clipboard_are_the_operators_unless_the_profile_says_otherwise() {
    let mut state = state(&["web"]);
    let id = shell(&mut state);
    let asks = "\u{1b}]0;a\u{7}\u{1b}]52;c;aGkbWzJK\u{7}";
    assert_eq!(prints(&mut state, id, asks), []);
    assert_eq!((current(&state).title.as_deref(), current(&state).refused), (None, 2));
    let grants = Grants { title: true, clipboard: true };
    update(&mut state, Message::PaneOpened(id, Opened { tie: Tie::Held(held(1, 1)), grants, within: None }));
    // Nothing in what is copied acts when it is pasted; each use is told.
    assert_eq!(prints(&mut state, id, asks), [Effect::Copy("hi[2J".to_owned())]);
    assert_eq!(current(&state).title.as_deref(), Some("a"));
    assert!(state.notices.all[0].text.contains("'web' put 5 characters on the clipboard"));
}

#[test]
fn all_terminals_together_remember_a_bounded_number_of_lines() {
    let mut state = state(&["web"]);
    update(&mut state, Message::Resized(1000, 100));
    for _ in 0..40 {
        press(&mut state, "s ctrl-\\ l");
    }
    assert_eq!(state.terminals.open.len(), crate::dashboard::app::terminals::MOST);
    let ids: Vec<PaneId> = state.terminals.open.iter().map(|pane| pane.id).collect();
    for id in ids {
        prints(&mut state, id, &"x\r\n".repeat(6_000));
    }
    let cells: usize = state.terminals.open.iter().map(|pane| pane.screen.past() * usize::from(pane.screen.size().columns())).sum();
    assert!(cells <= 32 * 200 * 1000, "{cells}");
}
