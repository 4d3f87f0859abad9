//! A session's terminal at the operator's: the real binary in tmux, where a shell runs it as an operator's would.

mod exec;
mod held;
mod lost;
mod recording;

use crate::dashboard::screen::Screen;
use crate::support::{Session, name, succeed, until};

/// A session without a network that waits.
fn session() -> Session {
    launched(&[], &["sleep", "600"])
}

fn launched(options: &[&str], command: &[&str]) -> Session {
    let session = Session { name: name() };
    succeed(&[&["launch", session.name.as_str(), "--network", "none"], options, &["--"], command].concat());
    session
}

/// A shell whose own line editor does not switch what a session's terminal is not to switch.
pub fn shell(columns: u16, lines: u16) -> Screen {
    prepared(Screen::shell(columns, lines))
}

fn prepared(screen: Screen) -> Screen {
    screen.line("bind 'set enable-bracketed-paste off'; palisade() { command \"$PALISADE\" \"$@\"; }");
    screen.line(&format!("PALISADE={}; clear", env!("CARGO_BIN_EXE_palisade")));
    screen.wait("the screen is clear", |screen| screen.trim() == "ready>");
    // The bytes come later than the screen: those of this line are none of a test's.
    until("its bytes have come", || screen.raw().ends_with(b"ready> "));
    screen
}

/// How the shell's terminal is set; `stty` says it in one word.
fn settings(screen: &Screen) -> String {
    screen.line("clear; echo set-$(stty -g)-end");
    let shown = screen.wait("the settings are told", |screen| {
        screen.lines().any(|line| line.starts_with("set-")) && screen.trim_end().ends_with("ready>")
    });
    shown.split_once("set-").and_then(|(_, rest)| rest.split_once("-end")).map(|(settings, _)| settings.replace('\n', "")).unwrap()
}

/// The modes of a terminal that is as its owner left it.
const PLAIN: &str = "0 0 0 1 0";
