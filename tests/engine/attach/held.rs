use std::io::Write;
use std::process::Stdio;

use super::{PLAIN, launched, session, settings, shell};
use crate::dashboard::screen::{Screen, gone};
use crate::support::{Session, call, json, palisade, text, until, until_had};

/// The terminals that a session holds.
fn terminals(session: &Session) -> Vec<serde_json::Value> {
    let (code, document) = json(&["terminals", &session.name]);
    assert_eq!(code, 0, "{document}");
    document["terminals"].as_array().unwrap().clone()
}

/// A shell that is open and waits.
fn open(screen: &Screen, session: &Session) {
    screen.line(&format!("clear; palisade shell {}; echo code-$?", session.name));
    screen.shows("sandbox@");
}

#[test]
fn a_shell_is_left_listed_and_taken_up_with_its_screen() {
    let session = session();
    let screen = shell(90, 20);
    let before = settings(&screen);
    open(&screen, &session);
    screen.line("echo mine-$((40 + 2)); echo pid-$$-end");
    screen.shows("mine-42");
    screen.keys(&["ctrl-p", "ctrl-q"]);
    let shown = screen.shows("code-0");
    assert!(shown.contains(&format!("palisade shell {} --terminal 1", session.name)), "{shown}");
    let held = terminals(&session);
    assert_eq!((held.len(), &held[0]["id"]), (1, &1.into()));
    until("nobody looks on", || terminals(&session)[0]["clients"] == 0);

    // Another one says how to come back to the first.
    open(&screen, &session);
    screen.line("exit 3");
    let shown = screen.shows("code-3");
    assert!(shown.contains("still holds terminal 1"), "{shown}");

    screen.line(&format!("clear; palisade shell {} --terminal 1; echo code-$?", session.name));
    let shown = screen.shows("mine-42");
    assert!(shown.contains(&format!("pid-{}-end", held[0]["pid"])), "{shown}");
    screen.line("exit 5");
    screen.shows("code-5");
    assert_eq!(terminals(&session), Vec::<serde_json::Value>::new());
    assert_eq!(settings(&screen), before);
    assert_eq!(screen.modes(), PLAIN);
}

#[test]
fn a_shell_survives_the_end_of_whoever_looked_at_it() {
    let session = session();
    let screen = shell(90, 20);
    open(&screen, &session);
    screen.line("echo alive-$((40 + 2))");
    screen.shows("alive-42");
    let pid = screen.pid();
    let killed = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(killed.success());
    gone(pid);
    // Its terminal was left raw.
    screen.close();
    let screen = shell(100, 24);
    screen.line(&format!("palisade shell {} --terminal 1; echo code-$?", session.name));
    screen.shows("alive-42");
    screen.line("stty size; exit 0");
    screen.shows("24 100");
    screen.shows("code-0");
}

#[test]
fn a_sessions_own_command_is_left_and_taken_up_and_its_exit_code_is_ours() {
    let session = launched(&["-t"], &["sh", "-c", "echo main-$((40 + 2)); read line; exit 9"]);
    let screen = shell(90, 20);
    screen.line(&format!("palisade attach {}; echo code-$?", session.name));
    screen.shows("main-42");
    screen.keys(&["ctrl-p", "ctrl-q"]);
    let shown = screen.shows("code-0");
    assert!(shown.contains(&format!("palisade attach {}", session.name)), "{shown}");
    screen.line(&format!("clear; palisade attach {}; echo code-$?", session.name));
    screen.shows("main-42");
    screen.keys(&["enter"]);
    screen.shows("code-9");
}

#[test]
fn an_ephemeral_session_in_a_terminal_ends_with_its_commands_code() {
    let screen = shell(90, 20);
    let name = crate::support::name();
    screen.line(&format!("palisade run -t --network none --name {name} -- sh -c 'stty size; read x; exit 4'; echo code-$?"));
    screen.shows("20 90");
    screen.keys(&["enter"]);
    screen.shows("code-4");
    until("it is gone", || crate::support::left_behind(&name).is_empty());
}

#[test]
fn a_session_without_a_terminal_is_followed_and_left_alive() {
    let session = launched(&[], &["sh", "-c", "printf 'hostile \\033[2J\\033]0;x\\a here\\n'; sleep 600"]);
    let screen = shell(110, 20);
    let before = settings(&screen);
    for keys in [&["ctrl-c"][..], &["ctrl-p", "ctrl-q"]] {
        screen.line("clear");
        screen.wait("the screen is clear", |screen| screen.trim() == "ready>");
        screen.line(&format!("palisade attach {}; echo code-$?", session.name));
        screen.shows(r"hostile \u{1b}[2J\u{1b}]0;x\u{7} here");
        screen.keys(keys);
        let shown = screen.shows("code-0");
        assert!(shown.contains("goes on"), "{shown}");
    }
    assert_eq!(settings(&screen), before);
    assert_eq!(crate::support::docker(&["inspect", "--format", "{{.State.Status}}", &session.container()]), "running");
}

#[test]
fn pipes_work_without_a_terminal() {
    let session = session();
    let mut child = palisade().args(["shell", &session.name]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"echo piped-$((40 + 2)); printf '\\033[1m'; exit 6\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((text(&output.stdout), output.status.code()), ("piped-42\n\u{1b}[1m".to_owned(), Some(6)));
    let output = call(&["shell", &session.name, "--", "sh", "-c", "echo out; echo err >&2; exit 2"]);
    assert_eq!((text(&output.stdout), text(&output.stderr), output.status.code()), ("out\n".to_owned(), "err\n".to_owned(), Some(2)));
    assert_eq!(terminals(&session), Vec::<serde_json::Value>::new());
    let output = call(&["shell", &session.name, "--terminal", "1"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_terminal_is_ended_from_outside() {
    let session = session();
    let screen = shell(90, 20);
    open(&screen, &session);
    screen.keys(&["ctrl-p", "ctrl-q"]);
    screen.shows("code-0");
    let listed = text(&call(&["terminals", &session.name]).stdout);
    assert!(listed.lines().count() == 2 && listed.contains("90x20"), "{listed}");
    assert!(call(&["terminals", &session.name, "--end", "1"]).status.success());
    until_had("it is gone", || {
        let left = terminals(&session);
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    });
    let output = call(&["terminals", &session.name, "--end", "1"]);
    assert!(!output.status.success());
}
