//! An engine that goes away and comes back under the dashboard.

use super::screen::{Screen, latency};
use crate::engine::Engine;
use crate::support::text;

#[test]
fn an_engine_that_goes_away_leaves_the_last_picture_with_its_age_and_everything_comes_back() {
    stopped_until_the_picture_is_so_old(4);
}

#[test]
#[ignore = "takes half a minute"]
fn soak_an_engine_that_is_away_for_twenty_seconds() {
    stopped_until_the_picture_is_so_old(20);
}

/// In seconds, at least: it may be older by the time that anyone looks.
fn stopped_until_the_picture_is_so_old(least: u64) {
    let engine = Engine::new();
    for name in ["first", "second", "third"] {
        engine.launch(name);
    }
    let screen = Screen::with(140, 40, &[("DOCKER_HOST", &engine.address())]);
    screen.start();
    let listed = |screen: &str| {
        ["first", "second", "third"].iter().all(|name| screen.lines().any(|line| line.contains(name) && line.contains("running")))
    };
    screen.wait("all three are listed", listed);

    engine.stop();
    screen.shows("STALE");
    // No key is ignored meanwhile.
    screen.keys(&["?"]);
    screen.shows("Moving about");
    screen.keys(&["q", "/"]);
    screen.typed("'second");
    screen.wait("the filter works", |screen| screen.contains("second") && !screen.contains("third"));
    screen.keys(&["esc"]);
    screen.wait("the filter is gone", listed);
    screen.keys(&["]"]);
    screen.shows("[Hardening]");
    screen.keys(&["S"]);
    screen.wait("what cannot be done is told", |screen| screen.contains("no engine answers"));
    screen.wait("the last picture stays, and tells its age", |screen| listed(screen) && age(screen).is_some_and(|age| age >= least));

    engine.start();
    let began = std::time::Instant::now();
    screen.shows_not("STALE");
    latency("an engine that is back", began);
    screen.wait("nothing was lost", listed);
    // It hears the engine again, and does what it is told.
    engine.launch("fourth");
    screen.wait("a new session is listed", |screen| screen.lines().any(|line| line.contains("fourth") && line.contains("running")));
    screen.keys(&["/"]);
    screen.line("'fourth");
    screen.keys(&["S"]);
    screen.wait("it is stopped", |screen| screen.lines().any(|line| line.contains("fourth") && line.contains("exited")));
    let status = engine.docker(&["inspect", "--format", "{{.State.Status}}", "palisade-fourth"]);
    assert_eq!(text(&status.stdout).trim(), "exited");
}

/// How old the picture says that it is, in seconds: as `12s`, after two minutes as `2m`.
fn age(screen: &str) -> Option<u64> {
    let word = screen.split_once("STALE ")?.1.split_whitespace().next()?;
    let unit = if word.ends_with('m') { 60 } else { 1 };
    Some(word.strip_suffix(['s', 'm'])?.parse::<u64>().ok()? * unit)
}
