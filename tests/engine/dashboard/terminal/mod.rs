//! Terminals in the dashboard: what runs in them looks as it does in tmux, outlives whoever looks at it, and is searched,
//! copied from and clicked in.

mod alike;
mod ended;
mod pair;
mod vttest;

use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::screen::{Screen, gone};
use super::session;
use crate::support::{Session, docker, name, succeed, until};

/// The sandbox image with programs that draw: made once for each base, and kept.
fn image() -> &'static str {
    static IMAGE: OnceLock<String> = OnceLock::new();
    IMAGE.get_or_init(|| {
        let base = docker(&["image", "inspect", "--format", "{{.Id}}", "palisade-sandbox:latest"]);
        let tag = format!("palisade-test-terminals:{}", base.trim_start_matches("sha256:").get(..12).unwrap());
        let is_there = Command::new("docker").args(["image", "inspect", &tag]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !is_there.unwrap().success() {
            let recipe = "FROM palisade-sandbox:latest\nUSER 0\nRUN apt-get -q update && apt-get -q -y install --no-install-recommends \
                          vim htop less procps vttest\nUSER 1000:1000\n";
            let mut build = Command::new("docker");
            build.args(["build", "--quiet", "--network", "host", "--label", "palisade.test=1", "--tag", &tag, "-"]);
            let mut build = build.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            std::io::Write::write_all(&mut build.stdin.take().unwrap(), recipe.as_bytes()).unwrap();
            assert!(build.wait().unwrap().success(), "{tag} is built");
        }
        tag
    })
}

/// A session with those programs.
fn drawing() -> Session {
    let session = Session { name: format!("{}-end", name()) };
    succeed(&["launch", &session.name, "--network", "none", "--image", image(), "--", "sleep", "900"]);
    session
}

/// The line that a shell says after this command.
fn says(screen: &Screen, command: &str, wanted: &str) {
    screen.line(command);
    screen.wait(&format!("the shell says {wanted}"), |screen| screen.lines().any(|line| line.trim() == wanted));
}

#[test]
fn a_shell_outlives_the_dashboard_that_opened_it_and_comes_back_with_its_screen() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(120, 36, &session.name);
    screen.keys(&["s"]);
    screen.wait("a shell waits", |screen| screen.contains('$'));
    screen.line("sleep 500 & echo mine-$((40 + 2)) $$");
    let shown = screen.shows("mine-42");
    let line = shown.lines().find(|line| line.starts_with("mine-42")).unwrap().to_owned();
    // Killed, not left.
    let pid = screen.pid();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
    gone(pid);
    let screen = Screen::dashboard(100, 30, &session.name);
    screen.keys(&["s"]);
    screen.shows("a shell was left");
    screen.keys(&["enter"]);
    screen.shows(&line);
    let shell = line.rsplit(' ').next().unwrap();
    says(&screen, "echo again-$$", &format!("again-{shell}"));
    says(&screen, "stty size", "29 100");
    says(&screen, "jobs | grep -c sleep", "1");
    // Ended by its own end, it is offered no more.
    screen.line("kill %1; exit");
    screen.shows("ended");
    screen.keys(&["enter"]);
    screen.row_shows(&session.name, "running");
}

#[test]
fn terminals_are_tabs_that_stay_open_behind_the_list() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(120, 40, &session.name);
    screen.keys(&["s"]);
    screen.wait("a shell waits", |screen| screen.contains('$'));
    says(&screen, "echo first-$((40 + 2))", "first-42");
    screen.keys(&["ctrl-\\", "s"]);
    screen.wait("a second one waits", |screen| screen.contains("[2 ") && screen.lines().skip(1).any(|line| line.contains('$')));
    says(&screen, "echo second-$((40 + 2))", "second-42");
    screen.keys(&["ctrl-\\", "n"]);
    screen.shows("first-42");
    screen.keys(&["ctrl-\\", "2"]);
    screen.shows("second-42");
    // By mouse.
    screen.click(screen.place("1 test"));
    screen.shows("first-42");
    // Below the list it goes on, smaller; the list has its sign.
    screen.keys(&["ctrl-\\", "z"]);
    screen.row_shows(&session.name, "»2");
    screen.shows("first-42");
    screen.line("stty size");
    screen.wait("it is as large as its place", |screen| screen.lines().any(|line| line.trim().ends_with(" 120") && !line.contains("39")));
    screen.keys(&["ctrl-\\", "l"]);
    screen.shows("takes the keys there");
    screen.keys(&["esc"]);
    screen.shows("2 terminals are open");
    // What rings behind the list says so there.
    screen.keys(&["a"]);
    screen.line("until [ -e /tmp/unseen ]; do sleep 0.1; done; printf '\\a'");
    screen.keys(&["ctrl-\\", "l", "esc"]);
    screen.shows("2 terminals are open");
    session.sh("touch /tmp/unseen");
    screen.row_shows(&session.name, "»2!");
}

#[test]
fn what_scrolled_off_is_found_and_copied_as_it_was_written() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(80, 24, &session.name);
    screen.keys(&["s"]);
    screen.wait("a shell waits", |screen| screen.contains('$'));
    screen.line("seq -f 'row %g.' 1 500; printf 'w%.0s' $(seq 200); echo; echo done-$((40 + 2))");
    screen.shows("done-42");
    screen.keys(&["ctrl-\\", "/"]);
    screen.line("row 77.");
    screen.wait("it is there", |screen| screen.lines().any(|line| line.trim() == "row 77."));
    screen.keys(&["v", "$", "y"]);
    until("the terminal has it", || screen.clipboard() == "row 77.");
    screen.shows("done-42");
    // A line that was wrapped is one.
    screen.keys(&["ctrl-\\", "/"]);
    screen.line("wwwww");
    screen.keys(&["V", "k", "k", "y"]);
    until("it is copied without breaks", || screen.clipboard() == "w".repeat(200));
}

#[test]
fn a_program_hears_the_mouse_where_it_is_in_its_own_terminal() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(80, 24, &session.name);
    screen.keys(&["x"]);
    screen.line("sh -c 'stty raw -echo; printf \"\\033[?1000h\\033[?1006hwait%s\" ing; head -c 9 | od -An -c'");
    screen.shows("waiting");
    // The title is above: its first line is the second of the screen.
    screen.click((4, 3));
    screen.wait("the report is told", |screen| screen.split_whitespace().collect::<String>().contains("[<0;5;3M"));
}

#[test]
fn a_flood_in_one_terminal_holds_neither_keys_nor_another() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(100, 30, &session.name);
    screen.keys(&["s"]);
    screen.wait("a shell waits", |screen| screen.contains('$'));
    screen.line("yes flooding");
    screen.wait("it floods", |screen| screen.matches("flooding").count() > 20);
    screen.keys(&["ctrl-\\", "s"]);
    screen.wait("a second one waits", |screen| screen.contains("[2 ") && screen.lines().skip(1).any(|line| line.contains('$')));
    says(&screen, "echo quick-$((40 + 2))", "quick-42");
    screen.keys(&["ctrl-\\", "1"]);
    screen.wait("it floods still", |screen| screen.matches("flooding").count() > 20);
    screen.keys(&["ctrl-c"]);
    says(&screen, "echo ended-$((40 + 2))", "ended-42");
}
