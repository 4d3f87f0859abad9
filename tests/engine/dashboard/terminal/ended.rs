//! Terminals that end with their session: why, in the words that `exec` and `shell` have for it.

use super::super::screen::Screen;
use crate::support::{Session, docker, name, succeed};

/// A shell in the selected session, which waits.
fn open(screen: &Screen, session: &Session) {
    screen.row_shows(&session.name, "running");
    screen.keys(&["s"]);
    screen.shows("sandbox@");
}

/// The pane says this of its session, and a key closes it.
fn says(screen: &Screen, wanted: &str) {
    screen.shows(wanted);
    screen.keys(&["q"]);
    screen.shows_not(wanted);
}

#[test]
fn a_terminal_that_ends_with_its_session_says_why() {
    let session = Session { name: format!("{}-end", name()) };
    let name = &session.name;
    succeed(&["launch", name, "--network", "none", "--ttl", "1h", "--", "sleep", "600"]);
    let screen = Screen::dashboard(200, 30, name);
    let anew = format!("; 'palisade start {name}' begins it anew");
    open(&screen, &session);
    succeed(&["renew", name, "--ttl", "1s"]);
    says(&screen, &format!("'{name}' has ended (124) while the command ran: its time was over, by --ttl (1h unless renewed){anew}"));
    succeed(&["start", name]);
    open(&screen, &session);
    succeed(&["stop", name]);
    says(&screen, &format!("'{name}' was stopped (143) while the command ran{anew}"));
    succeed(&["start", name]);
    open(&screen, &session);
    docker(&["kill", &session.container()]);
    says(&screen, &format!("'{name}' was killed (137) while the command ran{anew}"));
}
