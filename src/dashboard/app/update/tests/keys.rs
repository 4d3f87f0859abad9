use super::*;
use crate::dashboard::app::effect::{Deed, JobId, PaneCommand};
use crate::dashboard::app::list::{Column, Group, Line};
use crate::dashboard::app::overlay::Overlay;

#[test]
fn enter_attaches_to_the_selected_session() {
    let mut state = state(&["api", "web"]);
    let effects = press(&mut state, "j enter");
    assert!(matches!(&effects[..], [Effect::OpenPane(_, whose, PaneCommand::Attach, (120, 39))] if *whose == target("web")), "{effects:?}");
    assert!(state.terminals.shown().is_some());
}

#[test]
fn the_selection_follows_the_session_when_rows_move() {
    let mut state = state(&["api", "web"]);
    press(&mut state, "j");
    observe(&mut state, ["aaa", "bbb", "api", "web"].map(|name| session(name, Kind::Persistent, Status::Running)).to_vec());
    assert_eq!(selected(&state), "web");
    // One that is gone gives its place to whoever stands there now.
    observe(&mut state, ["aaa", "bbb", "api"].map(|name| session(name, Kind::Persistent, Status::Running)).to_vec());
    assert_eq!(selected(&state), "bbb");
}

#[test]
fn typing_a_filter_shows_what_matches_and_escape_shows_all() {
    let mut state = state(&["api", "batch", "web"]);
    press(&mut state, "/");
    types(&mut state, "bt");
    assert_eq!(shown(&state), ["batch"]);
    press(&mut state, "enter");
    assert_eq!((selected(&state), state.list.filtering), ("batch", false));
    press(&mut state, "esc");
    assert_eq!(shown(&state).len(), 3);
    press(&mut state, "/");
    types(&mut state, "sandbox:LATEST running");
    assert_eq!(shown(&state).len(), 3);
    types(&mut state, "x");
    assert_eq!(shown(&state).len(), 0);
}

#[test]
fn the_list_is_sorted_and_divided_as_asked_and_that_is_kept() {
    let mut state = state(&["api", "web"]);
    assert_eq!(press(&mut state, "O"), [Effect::Save]);
    assert_eq!(shown(&state), ["web", "api"]);
    press(&mut state, "o");
    assert_eq!(state.kept().sort.column, Column::Kind);
    press(&mut state, "v");
    assert_eq!(state.kept().group, Group::Profile);
    assert_eq!(state.list.lines[0], Line::Head("default".to_owned(), 2));
    // The head is no session.
    press(&mut state, "g k");
    assert_eq!(selected(&state), "api");
}

#[test]
fn marked_sessions_are_acted_on_together_and_only_those_that_can_be() {
    let mut state = state(&["api", "batch", "web"]);
    let mut sessions = ["api", "web"].map(|name| session(name, Kind::Persistent, Status::Running)).to_vec();
    sessions.push(session("batch", Kind::Persistent, Status::Exited));
    observe(&mut state, sessions);
    press(&mut state, "*");
    let effects = press(&mut state, "S");
    assert!(matches!(&effects[..], [Effect::Act(_, Deed::Stop, whose)] if *whose == [target("api"), target("web")]), "{effects:?}");
    assert_eq!(state.list.rows.iter().filter(|row| row.busy == Some("stopping")).count(), 2);
    assert!(state.list.marked.is_empty());
    // A second press while it is done does nothing twice.
    press(&mut state, "g");
    assert_eq!(press(&mut state, "S"), []);
}

#[test]
fn a_persistent_session_is_removed_by_typing_its_name_and_by_nothing_else() {
    let mut state = state(&["web"]);
    for wrong in ["", "we", "y"] {
        press(&mut state, "d");
        types(&mut state, wrong);
        assert_eq!(press(&mut state, "enter"), [], "{wrong:?}");
        press(&mut state, "esc");
    }
    press(&mut state, "d");
    types(&mut state, "web");
    let effects = press(&mut state, "enter");
    assert!(matches!(&effects[..], [Effect::Act(JobId(1..), Deed::Remove, whose)] if *whose == [target("web")]), "{effects:?}");
    assert!(state.overlay.is_none());
}

#[test]
fn an_ephemeral_session_is_removed_by_yes_and_several_by_their_number() {
    let mut state = state(&[]);
    observe(&mut state, vec![session("task", Kind::Ephemeral, Status::Running)]);
    press(&mut state, "d");
    assert_eq!(press(&mut state, "n"), []);
    press(&mut state, "d");
    assert!(matches!(&press(&mut state, "y")[..], [Effect::Act(_, Deed::Remove, _)]));
    let mut state = super::state(&["api", "web"]);
    press(&mut state, "* d");
    assert!(matches!(&press(&mut state, "2 enter")[..], [Effect::Act(_, Deed::Remove, whose)] if whose.len() == 2));
}

#[test]
fn pause_lets_what_is_paused_go_on() {
    let mut state = state(&["web"]);
    assert!(matches!(&press(&mut state, "p")[..], [Effect::Act(_, Deed::Pause, _)]));
    observe(&mut state, vec![session("web", Kind::Persistent, Status::Paused)]);
    state.list.rows[0].busy = None;
    assert!(matches!(&press(&mut state, "p")[..], [Effect::Act(_, Deed::Unpause, _)]));
}

#[test]
fn a_new_name_is_judged_as_it_is_headless() {
    let mut state = state(&["api", "web"]);
    press(&mut state, "R ctrl-u");
    types(&mut state, "No Name");
    assert_eq!(press(&mut state, "enter"), []);
    let error = |state: &State| match &state.overlay {
        Some(Overlay::Ask(ask)) => ask.error.clone(),
        _ => None,
    };
    let spoken = "No Name".parse::<crate::units::SessionName>().unwrap_err().to_string();
    assert_eq!(error(&state), Some(spoken));
    press(&mut state, "ctrl-u");
    types(&mut state, "web");
    press(&mut state, "enter");
    assert!(error(&state).unwrap().contains("another session's name"));
    types(&mut state, "2");
    let effects = press(&mut state, "enter");
    assert!(matches!(&effects[..], [Effect::Rename(_, whose, name)] if *whose == target("api") && name == "web2"), "{effects:?}");
}

#[test]
fn a_command_is_split_as_a_shell_would_and_runs_in_a_terminal() {
    let mut state = state(&["web"]);
    press(&mut state, "x");
    types(&mut state, "python3 -c 'print(6*7)'");
    let effects = press(&mut state, "enter");
    let expected = PaneCommand::Exec(["python3", "-c", "print(6*7)"].map(str::to_owned).to_vec());
    assert!(matches!(&effects[..], [Effect::OpenPane(_, _, command, _)] if *command == expected), "{effects:?}");
}

#[test]
fn a_shell_in_a_session_that_does_not_run_is_a_notice_that_says_what_helps() {
    let mut state = state(&[]);
    observe(&mut state, vec![session("web", Kind::Persistent, Status::Exited)]);
    assert_eq!(press(&mut state, "s"), []);
    assert!(state.notices.standing().unwrap().text.contains("'web' is exited; t lets it run"));
}

#[test]
fn the_palette_does_what_the_key_does() {
    let mut state = state(&["web"]);
    press(&mut state, ":");
    types(&mut state, "restart");
    assert!(matches!(&press(&mut state, "enter")[..], [Effect::Act(_, Deed::Restart, _)]));
    assert!(state.overlay.is_none());
}

#[test]
fn work_can_be_given_up_and_its_end_is_told() {
    let mut state = state(&["web"]);
    press(&mut state, "B");
    let job = state.jobs[0].id;
    update(&mut state, Message::JobStepped(job, "step \u{1b}[2J".to_owned(), Some((1, Some(2)))));
    assert!(!state.jobs[0].step.contains('\u{1b}'));
    assert_eq!(press(&mut state, "ctrl-x"), [Effect::Cancel(job)]);
    assert_eq!(press(&mut state, "ctrl-x"), []);
    let failure = crate::failure::Failure::new(crate::failure::Code::Interrupted, "the build was interrupted");
    update(&mut state, Message::JobEnded(job, Err(vec![failure])));
    assert!(state.jobs.is_empty());
    assert_eq!(state.notices.all[0].text, "the build was interrupted");
}

#[test]
fn work_under_way_is_not_given_up_by_a_slip() {
    let mut state = state(&["web"]);
    press(&mut state, "B");
    assert_eq!(press(&mut state, "q"), [Effect::Save]);
    assert_eq!(press(&mut state, "esc"), []);
    assert_eq!(press(&mut state, "q y"), [Effect::Save, Effect::Quit]);
    // Whoever ends the program from outside is not asked.
    assert_eq!(update(&mut state, Message::Terminated), [Effect::Save, Effect::Quit]);
}

#[test]
fn the_palette_takes_the_settings_spelling_too() {
    let mut state = state(&["api", "web"]);
    press(&mut state, ":");
    types(&mut state, "mark_all");
    press(&mut state, "enter");
    assert_eq!(state.list.marked.len(), 2);
}

#[test]
fn names_ids_and_commands_are_copied_of_all_that_are_marked() {
    let mut state = state(&["api", "web"]);
    assert_eq!(press(&mut state, "y"), [Effect::Copy("api".to_owned())]);
    press(&mut state, "*");
    assert_eq!(press(&mut state, "y"), [Effect::Copy("api\nweb".to_owned())]);
}

#[test]
fn what_is_pasted_goes_where_one_types_and_is_no_key() {
    let mut state = state(&["web"]);
    assert_eq!(update(&mut state, Message::Pasted("dq\n".to_owned())), []);
    assert!(state.overlay.is_none());
    press(&mut state, "/");
    update(&mut state, Message::Pasted("web".to_owned()));
    assert_eq!(state.list.filter.text(), "web");
}

#[test]
fn quitting_keeps_what_outlives_the_run() {
    let mut state = state(&[]);
    assert_eq!(press(&mut state, "q"), [Effect::Save, Effect::Quit]);
    assert_eq!(update(&mut state, Message::Terminated), [Effect::Save, Effect::Quit]);
    let kept = serde_json::to_string(&state.kept()).unwrap();
    assert_eq!(serde_json::from_str::<Kept>(&kept).unwrap(), state.kept());
}
