//! What is done to sessions by keys alone.

use super::screen::{Screen, follows};
use super::{inspected, session};
use crate::support::{Session, left_behind, name, text, until};

fn status(session: &Session) -> String {
    inspected(&session.name, "{{.State.Status}}")
}

#[test]
fn a_session_is_stopped_started_restarted_paused_and_let_go_on() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(120, 36, &session.name);
    screen.row_shows(&session.name, "running");
    for (key, word) in [("S", "exited"), ("t", "running"), ("p", "paused"), ("p", "running")] {
        screen.keys(&[key]);
        screen.row_shows(&session.name, word);
        assert_eq!(status(&session), word, "after '{key}'");
    }
    let started = || inspected(&session.name, "{{.State.StartedAt}}");
    let before = started();
    screen.keys(&["r"]);
    until("it was started once more", || started() != before && status(&session) == "running");
    screen.row_shows(&session.name, "running");
    // What makes no sense is said, not done.
    screen.keys(&["t"]);
    screen.shows(&format!("'{}' is running", session.name));
}

#[test]
fn a_session_is_renamed() {
    let session = session(&["sleep", "600"]);
    let other = Session { name: format!("{}-other", name()) };
    let screen = Screen::dashboard(120, 36, &session.name);
    screen.keys(&["R", "ctrl-u"]);
    screen.line("not a name");
    // The fault stands beside what was typed, which can be mended.
    screen.shows("not a name");
    screen.keys(&["ctrl-u"]);
    screen.line(&other.name);
    until("the engine has the new name", || left_behind(&session.name).is_empty() || inspected_name(&other.name));
    screen.filter(&other.name);
    screen.row_shows(&other.name, "running");
    assert_eq!(inspected(&other.name, "{{.State.Status}}"), "running");
}

fn inspected_name(session: &str) -> bool {
    std::process::Command::new("docker").args(["inspect", &format!("palisade-{session}")]).output().unwrap().status.success()
}

#[test]
fn a_persistent_session_goes_only_when_its_name_is_typed() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(120, 36, &session.name);
    screen.keys(&["d"]);
    screen.shows(&format!("remove {}?", session.name));
    screen.line("yes");
    assert_eq!(status(&session), "running");
    screen.keys(&["esc"]);
    screen.shows_not(&format!("remove {}?", session.name));
    assert_eq!(status(&session), "running");
    screen.keys(&["d"]);
    screen.shows(&format!("remove {}?", session.name));
    screen.line(&session.name);
    until("nothing of it is left", || left_behind(&session.name).is_empty());
    screen.wait("its line is gone", |screen| !screen.lines().any(|line| line.contains(&session.name) && line.contains("running")));
}

#[test]
fn a_shell_is_the_sandboxs_user_and_is_left_without_ending_the_session() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(120, 36, &session.name);
    let says = |wanted: &str| {
        let wanted = wanted.to_owned();
        screen.wait(&format!("the shell says {wanted}"), |screen| screen.lines().any(|line| line.trim() == wanted));
    };
    screen.keys(&["s"]);
    screen.wait("a shell waits", |screen| screen.contains('$'));
    screen.line("id -u");
    says("1000");
    screen.line("stty size");
    says("35 120");
    screen.resize(100, 30);
    follows(&screen, "29 100");
    screen.keys(&["ctrl-p", "ctrl-q"]);
    screen.row_shows(&session.name, "running");
    // Once more: it was left, and is offered; a new one goes by its own end.
    screen.keys(&["s"]);
    screen.shows("a shell was left");
    screen.keys(&["n"]);
    screen.wait("a shell waits", |screen| screen.contains('$'));
    screen.line("exit 3");
    // Not what was typed: a key that comes before the end is the shell's.
    screen.shows("ended with 3");
    screen.keys(&["enter"]);
    screen.row_shows(&session.name, "running");
    assert_eq!(status(&session), "running");
}

#[test]
fn attaching_shows_what_it_prints_and_leaving_lets_it_run() {
    let session = session(&["sh", "-c", "n=0; while sleep 0.2; do n=$((n + 1)); echo tick-$n; done"]);
    let screen = Screen::dashboard(120, 36, &session.name);
    screen.keys(&["enter"]);
    screen.wait("it prints and prints", |screen| screen.matches("tick-").count() > 2);
    screen.keys(&["ctrl-p", "ctrl-q"]);
    screen.row_shows(&session.name, "running");
    assert_eq!(status(&session), "running");
}

#[test]
fn a_command_runs_in_it_and_what_it_says_stays_until_it_was_read() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(120, 36, &session.name);
    screen.keys(&["x"]);
    screen.line("python3 -c 'print(\"made\", 6 * 7)'");
    screen.shows("made 42");
    screen.shows("ended with 0");
    screen.keys(&["enter"]);
    screen.row_shows(&session.name, "running");
    // One that is not there says so.
    screen.keys(&["x"]);
    screen.line("nonesuch");
    screen.shows("cannot run nonesuch");
    screen.keys(&["enter"]);
    screen.row_shows(&session.name, "running");
}

#[test]
fn what_is_in_force_is_measured_when_asked_for() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(140, 50, &session.name);
    screen.keys(&["V"]);
    let shown = screen.wait("controls and their verdicts are there", |screen| {
        ["cap_drop", "no_new_privileges", "pids_limit", "enforced"].iter().all(|word| screen.contains(word))
    });
    let row = shown.lines().find(|line| line.contains(&session.name)).unwrap();
    assert!(row.contains('✔') && !row.contains("weaker"), "{shown}");
}

#[test]
fn name_id_and_command_are_copied_by_way_of_the_terminal() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(120, 36, &session.name);
    let id = inspected(&session.name, "{{index .Config.Labels \"palisade.session.id\"}}");
    for (key, copied) in [("y", session.name.as_str()), ("Y", id.as_str()), ("c", "sleep 600")] {
        screen.keys(&[key]);
        until("the terminal has it", || screen.clipboard() == copied);
    }
    assert!(text(&screen.raw()).contains("\u{1b}]52;c;"));
}

#[test]
fn the_log_opens_in_the_pager_and_the_dashboard_is_back_after_it() {
    let session = session(&["sh", "-c", "echo first-line; echo last-line; sleep 600"]);
    let screen = Screen::dashboard(120, 36, &session.name);
    screen.keys(&["L"]);
    screen.shows("the pager waits");
    assert!(!screen.is_alternate(), "the pager has the terminal");
    until("the pager has the log", || screen.paged().contains("first-line") && screen.paged().contains("last-line"));
    screen.keys(&["enter"]);
    screen.row_shows(&session.name, "running");
    // Every key is the dashboard's again.
    screen.keys(&["?"]);
    screen.shows("Help: esc closes");
}

#[test]
fn the_log_is_followed_searched_and_held() {
    let session = session(&["sh", "-c", "seq -f 'row %g.' 1 200; echo ERROR it broke; sleep 600"]);
    let screen = Screen::dashboard(120, 40, &session.name);
    screen.keys(&["]", "]", "]"]);
    // The command itself is on the screen before its log is, and so is what is searched for.
    screen.shows("row 200.");
    screen.keys(&["tab", "/"]);
    screen.line("row 77.");
    screen.shows("row 78.");
    screen.keys(&["g"]);
    screen.shows("row 1.");
    screen.keys(&["G"]);
    screen.wait("the last line", |screen| screen.contains("row 200.") && screen.contains("ERROR it broke"));
}
