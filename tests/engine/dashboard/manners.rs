//! How the dashboard behaves as a guest of the terminal: what it takes it gives back, whatever ends it.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::screen::{Screen, gone};
use super::session;
use crate::support::{palisade, text};

#[test]
fn the_terminal_is_as_it_was_after_every_end() {
    let screen = Screen::shell(100, 30);
    screen.line("stty -g > before; clear");
    screen.prompted();
    let modes = screen.modes();
    let ends: [(&str, &dyn Fn(i32)); 4] = [
        ("q", &|_| screen.keys(&["q"])),
        ("ctrl-c", &|_| screen.keys(&["ctrl-c"])),
        ("SIGTERM", &|pid| kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap()),
        ("SIGHUP", &|pid| kill(Pid::from_raw(pid), Signal::SIGHUP).unwrap()),
    ];
    for (what, end) in ends {
        screen.start();
        assert!(screen.is_alternate());
        let pid = screen.pid();
        end(pid);
        gone(pid);
        screen.prompted();
        assert_eq!(screen.modes(), modes, "after {what}");
        screen.line("stty -g | diff before - && echo the-same-$((40 + 2)); clear");
    }
    screen.line("stty -g | diff before - && echo the-same-$((40 + 2))");
    screen.shows("the-same-42");
    assert!(!screen.text().contains("panicked"));
}

#[test]
fn a_terminal_that_vanishes_ends_it() {
    let screen = Screen::shell(100, 30);
    screen.start();
    let pid = screen.pid();
    screen.close();
    gone(pid);
}

#[test]
fn it_goes_to_the_background_and_comes_back() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(100, 30, &session.name);
    screen.keys(&["ctrl-z"]);
    screen.prompted();
    assert!(!screen.is_alternate());
    screen.line("echo the-shell-$((40 + 2))");
    screen.shows("the-shell-42");
    screen.line("fg");
    screen.row_shows(&session.name, "running");
    assert!(screen.is_alternate());
    screen.keys(&["?"]);
    screen.shows("Help: esc closes");
    // The first closes the help, the second the dashboard.
    screen.keys(&["q", "q"]);
    screen.prompted();
}

#[test]
fn it_fits_every_size_and_follows_each_change() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(120, 36, &session.name);
    for (columns, lines) in [(80, 24), (40, 12), (300, 100), (10, 3), (1, 1), (120, 36)] {
        screen.resize(columns, lines);
        let widest = |screen: &str| screen.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        screen.wait("it is not wider than its terminal", |screen| widest(screen) <= usize::from(columns));
    }
    screen.row_shows(&session.name, "running");
}

#[test]
fn without_a_terminal_it_is_no_dashboard_and_says_what_to_call() {
    // What pipes 'palisade' gets a list, or is told how to get one; never a byte that draws.
    let mut command = palisade();
    let output = command.stdin(Stdio::null()).output().unwrap();
    let (out, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(!out.contains('\u{1b}') && !errors.contains('\u{1b}'), "{out}{errors}");
    assert!(errors.contains("palisade ls") || output.status.success(), "{errors}");
    // A terminal to write to is not enough: nobody could press a key.
    let screen = Screen::shell(100, 30);
    screen.line(&format!("{} < /dev/null; echo ended-$?", env!("CARGO_BIN_EXE_palisade")));
    screen.shows("ended-");
    assert!(!screen.is_alternate());
}

#[test]
fn a_process_group_without_its_terminal_is_refused_too() {
    let mut command = Command::new("setsid");
    let ours = palisade();
    command.arg(ours.get_program()).stdin(Stdio::null()).process_group(0);
    command.envs(ours.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let output = command.output().unwrap();
    assert!(!text(&output.stdout).contains('\u{1b}'));
}

#[test]
fn what_it_keeps_comes_back_and_a_broken_file_is_set_aside() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(120, 36, &session.name);
    screen.keys(&["]", "]"]);
    screen.shows("Cache");
    screen.keys(&["o", "q"]);
    screen.prompted();
    let kept = walk(&screen.state_home());
    let file = kept.iter().find(|file| file.extension().is_some_and(|extension| extension == "json")).expect("a state file was written");
    std::fs::write(file, "{ this is not").unwrap();
    screen.line("clear");
    screen.start();
    screen.keys(&["N"]);
    screen.shows("set aside");
    screen.keys(&["q", "q"]);
    screen.prompted();
    let aside = walk(&screen.state_home()).iter().any(|file| std::fs::read_to_string(file).is_ok_and(|text| text == "{ this is not"));
    assert!(aside, "what it said is still there: {:?}", walk(&screen.state_home()));
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.flat_map(|entry| if entry.path().is_dir() { walk(&entry.path()) } else { vec![entry.path()] }).collect()
}

#[test]
fn no_colour_where_none_is_wanted_and_no_box_where_there_is_none() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::with(120, 36, &[("NO_COLOR", "1"), ("LC_ALL", "C"), ("LANG", "C")]);
    screen.start();
    screen.filter(&session.name);
    let shown = screen.wait("it is listed", |screen| screen.contains("running"));
    assert!(shown.is_ascii(), "{shown}");
    let raw = screen.raw();
    let colours = super::raw::acting(&raw).into_iter().filter(|piece| match piece {
        super::raw::Piece::Csi(parameters, 'm') => parameters
            .split([';', ':'])
            .any(|number| number.parse().is_ok_and(|number: u32| matches!(number, 30..=38 | 40..=48 | 90..=107))),
        _ => false,
    });
    assert_eq!(colours.collect::<Vec<_>>(), []);
}
