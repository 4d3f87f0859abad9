//! The same by mouse: select, open a tab, sort by a head, press a button, turn the wheel.

use super::screen::Screen;
use super::session;
use crate::support::{Session, name, succeed, until};

#[test]
fn what_is_clicked_is_selected_opened_sorted_and_done() {
    let part = format!("{}-", name());
    let sessions: Vec<Session> = (0..3).map(|number| Session { name: format!("{part}{number}") }).collect();
    for session in &sessions {
        succeed(&["launch", &session.name, "--network", "none"]);
    }
    let screen = Screen::dashboard(140, 40, &part);
    screen.row_shows(&sessions[2].name, "running");

    // A line is selected, and the buttons act on it.
    screen.click(screen.place(&sessions[1].name));
    screen.click(screen.place("stop"));
    screen.row_shows(&sessions[1].name, "exited");
    assert_eq!(super::inspected(&sessions[1].name, "{{.State.Status}}"), "exited");
    for other in [0, 2] {
        assert_eq!(super::inspected(&sessions[other].name, "{{.State.Status}}"), "running");
    }

    // A head sorts, and sorts the other way.
    let first = |screen: &str| screen.lines().find_map(|line| sessions.iter().position(|session| line.contains(&session.name)));
    screen.wait("by name", |screen| first(screen) == Some(0));
    screen.click(screen.place("NAME"));
    screen.wait("by name, from the last", |screen| first(screen) == Some(2));
    screen.click(screen.place("NAME"));
    screen.wait("by name again", |screen| first(screen) == Some(0));

    // A tab opens.
    screen.click(screen.place("Hardening"));
    screen.shows("cap_drop");
    screen.click(screen.place("Events"));
    screen.shows_not("cap_drop");

    // Help by its button; and the program is left by one, of whose click nothing is typed into the shell.
    screen.click(screen.place("help"));
    screen.shows("Moving about");
    screen.keys(&["esc"]);
    screen.shows_not("Moving about");
    screen.click(screen.place("quit"));
    screen.prompted();
}

#[test]
fn the_wheel_scrolls_what_it_is_over() {
    let session = session(&["sh", "-c", "seq -f 'row %g.' 1 200; sleep 600"]);
    let screen = Screen::dashboard(120, 40, &session.name);
    screen.click(screen.place("Logs"));
    screen.shows("row 200.");
    let over = screen.place("row 200.");
    for _ in 0..60 {
        screen.wheel(false, over);
    }
    screen.wait("the log's beginning", |screen| screen.contains("row 1.") && !screen.contains("row 200."));
    for _ in 0..70 {
        screen.wheel(true, over);
    }
    screen.shows("row 200.");
    until("the session is untouched", || super::inspected(&session.name, "{{.State.Status}}") == "running");
}
