//! The engine goes away under whoever is attached, and comes back.

use super::{PLAIN, prepared, settings};
use crate::dashboard::screen::Screen;
use crate::engine::Engine;
use crate::support::{text, until};

/// Waits for what it is never told, in any image: what is typed is to be seen by the terminal's own echo.
const WAITS: &str = "/palisade/0/0/0/0/0/0/palisade supervise --grace 1 --shell-idle 600 --idle";

#[test]
fn an_engine_that_goes_away_interrupts_nobody_who_is_attached_past_it() {
    let engine = Engine::new();
    engine.launch("first");
    let screen = prepared(Screen::with(110, 20, &[("DOCKER_HOST", &engine.address())]));
    let begin = screen.raw().len();
    screen.line(&format!("clear; palisade shell first -- {WAITS}; echo code-$?"));
    until("the terminal is taken", || text(&screen.raw()[begin..]).contains("\u{1b}[?2004h"));
    screen.typed("here-i-am");
    screen.shows("here-i-am");

    engine.kill();
    screen.typed("-and-stay");
    screen.shows("here-i-am-and-stay");
    engine.start();
    screen.typed("-for-good");
    screen.shows("here-i-am-and-stay-for-good");
    screen.keys(&["ctrl-p", "ctrl-q"]);
    screen.shows("code-0");
}

#[test]
fn an_engine_that_goes_away_is_told_and_the_terminal_is_as_it_was_and_is_taken_up_when_it_is_back() {
    let engine = Engine::new();
    engine.launch("first");
    let config = tempfile::tempdir().unwrap();
    std::fs::create_dir(config.path().join("palisade")).unwrap();
    std::fs::write(config.path().join("palisade/config.toml"), "direct_terminals = false\n").unwrap();
    let config = config.path().to_str().unwrap();
    let screen = prepared(Screen::with(110, 20, &[("DOCKER_HOST", &engine.address()), ("XDG_CONFIG_HOME", config)]));
    let before = settings(&screen);
    let begin = screen.raw().len();
    screen.line(&format!("clear; palisade shell first -- {WAITS}; echo code-$?"));
    // What is typed before that is the shell's; from then on it is seen by the other terminal's echo alone.
    until("the terminal is taken", || text(&screen.raw()[begin..]).contains("\u{1b}[?2004h"));
    screen.typed("here-i-am");
    screen.shows("here-i-am");

    engine.stop();
    let shown = screen.shows("code-");
    assert!(shown.contains("the connection to terminal 1 of 'first' is lost"), "{shown}");
    assert!(shown.contains("palisade shell first --terminal 1") && shown.contains("code-125"), "{shown}");
    assert_eq!(settings(&screen), before);
    assert_eq!(screen.modes(), PLAIN);

    engine.start();
    screen.line("clear; palisade shell first --terminal 1; echo code-$?");
    screen.wait("it is there as it was left", |screen| screen.trim() == "here-i-am");
    screen.keys(&["ctrl-p", "ctrl-q"]);
    screen.shows("code-0");
}
