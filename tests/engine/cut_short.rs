//! Commands in sessions that end before they do: who started one is told what became of the session.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use crate::attach::shell;
use crate::common::schema;
use crate::support::{Session, call, docker, palisade, succeed, text, until};

/// A command in a session that has begun and waits.
struct Waiting {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Waiting {
    fn of(session: &Session) -> Self {
        let mut command = palisade();
        command.args(["exec", &session.name, "--", "sh", "-c", "echo here; sleep 600"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, "here\n");
        Self { child, stdout }
    }

    /// Its exit code, and what it said.
    fn end(mut self) -> (i32, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code().unwrap(), said)
    }
}

#[test]
fn a_command_that_fills_the_disk_is_told_which_cap_ended_its_session() {
    let session = Session::launch(&["--network", "none", "--disk-hard", "4MiB"], &["sleep", "600"]);
    let output = call(&["exec", "--json", &session.name, "--", "sh", "-c", "head -c 4325376 /dev/zero > ~/big; sleep 600"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(137), "{said}");
    let sentence = "disk: its files took more room than they may, and it is stopped, at the limit of 4 MiB; --disk-hard sets the limit";
    let line = format!("'{}' has ended (122) while the command ran: {sentence}", session.name);
    assert_eq!(said, format!("palisade: {line}\n"));
    let last = output.stdout.split_inclusive(|byte| *byte == b'\n').next_back().unwrap();
    let event = schema::document("event", last);
    assert_eq!((&event["code"], &event["fate"]["state"]), (&137.into(), &"ended".into()), "{event}");
    assert_eq!((&event["fate"]["exit_code"], &event["fate"]["said"]), (&122.into(), &serde_json::json!([line])), "{event}");
    assert_eq!(event["fate"]["limits"]["hits"][0]["bound"], 4 << 20, "{event}");
}

#[test]
fn a_command_whose_session_is_stopped_restarted_killed_or_removed_is_told_so() {
    let session = Session::launch(&["--network", "none"], &["sleep", "600"]);
    let name = &session.name;
    let told = |what: &dyn Fn()| {
        let waiting = Waiting::of(&session);
        what();
        let (code, said) = waiting.end();
        assert_eq!(code, 137, "{said}");
        said
    };
    let begin_anew = format!("while the command ran; 'palisade start {name}' begins it anew");
    assert_eq!(told(&|| _ = succeed(&["stop", name])), format!("palisade: '{name}' was stopped (143) {begin_anew}\n"));
    succeed(&["start", name]);
    assert_eq!(told(&|| _ = docker(&["kill", &session.container()])), format!("palisade: '{name}' was killed (137) {begin_anew}\n"));
    succeed(&["start", name]);
    // Between two runs it may be seen as stopped.
    let said = told(&|| _ = succeed(&["restart", name]));
    assert!(said.contains(&format!("'{name}' was restarted")) || said.contains(&format!("'{name}' was stopped")), "{said}");
    let said = told(&|| _ = succeed(&["rm", "-f", name]));
    assert!(said.contains(&format!("'{name}' was removed")) || said.contains(&format!("'{name}' was killed")), "{said}");
}

#[test]
fn a_command_whose_session_ends_by_its_time_is_told_what_bounds_it() {
    let session = Session::launch(&["--network", "none", "--ttl", "1h"], &["sleep", "600"]);
    let waiting = Waiting::of(&session);
    succeed(&["renew", &session.name, "--ttl", "1s"]);
    let (code, said) = waiting.end();
    assert!(code == 137 && said.contains("its time was over, by --ttl (1h unless renewed); 'palisade start"), "{code}: {said}");
}

#[test]
fn a_command_that_was_killed_in_a_session_that_goes_on_is_told_of_its_memory_alone() {
    let session = Session::launch(&["--network", "none", "--memory", "96MiB"], &["sleep", "600"]);
    assert_eq!(session.sh("kill -9 $$"), (137, String::new(), String::new()));
    let (code, _, said) = session.sh("exec python3 -c 'b\"x\" * (300 << 20)'");
    let line = format!(
        "palisade: '{}' goes on, and ran into this since its start: memory: the kernel killed a process at the limit of 96 MiB; --memory sets the limit\n",
        session.name
    );
    assert_eq!((code, said), (137, line));
}

#[test]
fn a_shell_and_a_command_in_a_terminal_are_told_too() {
    let session = Session::launch(&["--network", "none"], &["sleep", "600"]);
    for command in ["shell", "exec -it"] {
        let screen = shell(110, 20);
        let what = if command == "shell" { "" } else { " -- bash" };
        screen.line(&format!("clear; palisade {command} {}{what}; echo code-$?", session.name));
        screen.shows("sandbox@");
        docker(&["kill", &session.container()]);
        let shown = screen.shows("code-137");
        assert!(shown.contains(&format!("palisade: '{}' was killed (137) while the command ran", session.name)), "{shown}");
        until("it may be started", || call(&["start", &session.name]).status.success());
    }
}
