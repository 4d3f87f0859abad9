//! Pictures of terminals: alone, below the list, as tabs, and with what of ours stands in them.

use super::{mixed, with_terminal};
use crate::backend::{Became, Fate};
use crate::dashboard::app::effect::PaneCommand;
use crate::dashboard::app::input::Input;
use crate::dashboard::app::row::Weight;
use crate::dashboard::app::state::Focus;
use crate::dashboard::app::terminals::{Mode, Place, Point, Selection, Tie};
use crate::dashboard::app::{State, sample};
use crate::dashboard::snapshot::{check, drawn, lines};
use crate::failure::{Code, Failure};
use crate::session::Limits;
use crate::terminal::Size;
use crate::terminal::wire::Held;
use ratatui::style::Modifier;

fn held(id: u32) -> Held {
    Held { id, pid: 40, command: vec!["/usr/bin/bash\u{1b}[2J".into()], size: Size::USUAL, age_s: 600, idle_s: 190, clients: 0 }
}

/// A held shell in which something was written.
fn written() -> State {
    let mut state = mixed();
    let pane = with_terminal(&mut state, PaneCommand::Shell);
    pane.tie = Tie::Held(held(1));
    pane.screen.feed("\u{1b}[1;31mroot\u{1b}[0m@web:~$ ls 日本\r\n\u{1b}]0;title\u{7}done e\u{301} \u{202e}x".as_bytes());
    state
}

/// With two more tabs.
fn tabs() -> State {
    let mut state = written();
    let pane = with_terminal(&mut state, PaneCommand::Exec(["vim", "a-long-file-name.rs"].map(str::to_owned).to_vec()));
    pane.tie = Tie::Held(held(2));
    pane.rang = true;
    let pane = with_terminal(&mut state, PaneCommand::Attach);
    pane.tie = Tie::Log;
    pane.ended = Some(Ok(Some(0)));
    state.terminals.current = Some(state.terminals.open[0].id);
    state
}

#[test]
fn a_terminal_alone_and_below_the_list() {
    for place in [Place::Full, Place::Below] {
        let mut state = tabs();
        state.terminals.place = place;
        let name = if place == Place::Full { "terminal" } else { "terminal-below" };
        for size in [(80, 24), (40, 12), (120, 36)] {
            state.size = size;
            check(name, &state);
        }
        state.focus = Focus::List;
        check(&format!("{name}-list"), &state);
        state.ascii = true;
        let shown = lines(&drawn(&state)).join("\n");
        assert!(!shown.contains(['»', '▶', '■', '…']), "{shown}");
    }
}

#[test]
fn sessions_tell_how_many_terminals_are_open_in_them() {
    let mut state = tabs();
    state.terminals.place = Place::Away;
    state.focus = Focus::List;
    state.list.marked.clear();
    state.size = (80, 24);
    check("terminal-away", &state);
}

#[test]
fn a_session_that_is_of_an_older_palisade_says_what_a_shell_comes_to() {
    let mut state = written();
    state.terminals.open[0].tie = Tie::Connection;
    check("terminal-connection", &state);
}

#[test]
fn the_keys_after_the_prefix_are_told() {
    let mut state = written();
    state.terminals.open[0].mode = Mode::Prefix;
    state.size = (120, 36);
    check("terminal-prefix", &state);
}

#[test]
fn what_is_searched_is_lit_and_what_is_selected_is_turned_round() {
    let mut state = written();
    state.terminals.open[0].mode = Mode::Search(Input::new("o"));
    check("terminal-search", &state);
    let plain = |state: &State| drawn(state).content.iter().filter(|cell| cell.modifier.contains(Modifier::REVERSED)).count();
    let before = plain(&written());
    let pane = &mut state.terminals.open[0];
    pane.mode = Mode::Copy(Point { line: 1, column: 0 });
    pane.selection = Some(Selection { from: Point { line: 0, column: 10 }, to: Point { line: 1, column: 3 }, lines: false });
    check("terminal-copy", &state);
    // Seventy cells to the end of the first line, two of them covered by wide characters; four of the second.
    assert_eq!(plain(&state) - before, 72);
}

#[test]
fn shells_that_were_left_are_a_choice() {
    let mut state = written();
    state.terminals.open[0].mode = Mode::Choose(vec![held(2), held(3)], 1);
    for size in [(80, 24), (40, 12)] {
        state.size = size;
        check("terminal-choice", &state);
    }
}

#[test]
fn an_end_a_loss_and_a_notice_are_told_in_the_title() {
    let mut state = written();
    state.notices.add(sample::now(), Weight::Plain, "2 lines are copied");
    check("terminal-notice", &state);
    state.notices.standing = false;
    state.terminals.open[0].ended = Some(Err(Failure::new(Code::EngineError, "the way to 'web' was lost")));
    check("terminal-lost", &state);
    state.terminals.open[0].ended = Some(Ok(Some(3)));
    check("terminal-ended", &state);
}

#[test]
fn what_became_of_its_session_is_told_where_its_program_did_not_write_last() {
    let mut state = written();
    let said = "'web' has ended (124) while the command ran: its time was over, by --ttl (1h unless renewed) or --idle (1m); 'palisade start web' begins it anew";
    let pane = &mut state.terminals.open[0];
    pane.ended = Some(Err(Failure::new(Code::EngineError, "the way to 'web' was lost")));
    pane.fate = Some(Fate { state: Became::Ended, exit_code: Some(124), limits: Limits::default(), said: vec![said.to_owned()] });
    for size in [(80, 24), (40, 12), (20, 4)] {
        state.size = size;
        check("terminal-fate", &state);
    }
    state.size = (80, 24);
    state.terminals.open[0].screen.feed(b"\x1b[23;1Hlast words");
    let shown = lines(&drawn(&state));
    assert!(shown[1].contains("'web' has ended (124)") && shown[23].starts_with("last words"), "{shown:#?}");
    // One that goes on may be taken up again.
    state.terminals.open[0].fate.as_mut().unwrap().state = Became::Running;
    assert!(lines(&drawn(&state))[0].contains("r takes it up again"));
}
