use std::os::unix::fs::PermissionsExt;

use super::{PLAIN, session, settings, shell};
use crate::allowlist;
use crate::support::{call, text};

#[test]
fn what_is_recorded_is_what_was_drawn_and_plays_again() {
    let session = session();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("demo.cast").display().to_string();
    let screen = shell(90, 20);
    let before = settings(&screen);
    let hostile = "printf \"\\033]0;title\\a\\033[31mred\\033[0m \\033]52;c;aGk=\\a\"; sleep 0.2; echo played-again";
    screen.line(&format!("clear; palisade exec -it --record {file} {} -- sh -c '{hostile}'; echo code-$?", session.name));
    screen.shows("code-0");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let written = std::fs::read_to_string(&file).unwrap();
    let mut drawn = String::new();
    for (at, line) in written.lines().enumerate() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        match at {
            0 => assert_eq!((&line["version"], &line["width"], &line["height"]), (&2.into(), &90.into(), &20.into())),
            _ => drawn.push_str(line[2].as_str().unwrap()),
        }
    }
    let found = allowlist::check(drawn.as_bytes()).unwrap();
    assert_eq!((found.titles, found.clipboards), (0, 0));
    assert!(drawn.contains("red") && drawn.contains("played-again"));

    // A second one does not take its place.
    screen.line(&format!("clear; palisade exec -it --record {file} {} -- true; echo code-$?", session.name));
    let shown = screen.shows("code-125");
    assert!(shown.contains("--force"), "{shown}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);

    screen.line(&format!("clear; palisade replay {file} --speed 4; echo code-$?"));
    let shown = screen.shows("code-0");
    assert!(shown.contains("red played-again"), "{shown}");
    assert_eq!(text(&call(&["replay", &file]).stdout).trim(), "red played-again");
    assert_eq!(screen.modes(), PLAIN);
    assert_eq!(settings(&screen), before);
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_session() {
    let session = session();
    let screen = shell(110, 20);
    screen.line(&format!("palisade exec -it --record /dev/full --force {} -- echo never-begun; echo code-$?", session.name));
    let shown = screen.shows("code-125");
    assert!(shown.contains("/dev/full") && shown.contains("No space left"), "{shown}");
}

#[test]
fn a_hostile_recording_acts_on_nothing_and_q_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("evil.cast");
    let cast = "{\"version\":2,\"width\":65535,\"height\":65535}\n\
        [0.1,\"o\",\"\\u001b]52;c;aGk=\\u0007\\u001b]0;x\\u0007\\u001b[?1000h\\u001b[6nshown\\u001b[3J\\u001bc still\"]\n[1e300,\"o\",\"never\"]\n";
    std::fs::write(&file, cast).unwrap();
    let screen = shell(90, 20);
    let before = settings(&screen);
    let begin = screen.raw().len();
    screen.line(&format!("clear; palisade replay {}; echo code-$?", file.display()));
    screen.shows("still");
    screen.typed(" q");
    screen.shows("code-0");
    let raw = screen.raw();
    let raw = text(&raw[begin..]);
    for acts in ["\u{1b}]", "\u{1b}[?1000", "\u{1b}[6n", "\u{1b}[3J\u{1b}c"] {
        // The shell's own 'clear' erases the scrollback.
        assert!(!raw.contains(acts), "{acts:?} in {raw:?}");
    }
    assert_eq!(settings(&screen), before);
    let printed = call(&["replay", &file.display().to_string()]);
    assert_eq!(text(&printed.stdout).trim(), "stillnever");
}
