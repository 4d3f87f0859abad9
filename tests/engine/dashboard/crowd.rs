//! Thirty sessions of both kinds: found, sorted, divided, marked and acted on by keys alone.

use std::process::{Child, Stdio};

use super::screen::Screen;
use crate::support::{Session, docker, name, palisade, succeed, until};

/// Sessions that share the beginning of their names.
struct Crowd {
    /// What every name begins with.
    part: String,
    persistent: Vec<Session>,
    ephemeral: Vec<(Session, Child)>,
}

impl Crowd {
    fn launch(persistent: usize, ephemeral: usize) -> Self {
        let part = format!("{}-", name());
        let guard = |number: usize, letter: char| Session { name: format!("{part}{letter}{number:02}") };
        let persistent: Vec<Session> = (0..persistent).map(|number| guard(number, 'p')).collect();
        let run = |session: Session| {
            let mut command = palisade();
            command.args(["run", "--name", &session.name, "--network", "none", "--", "sleep", "900"]);
            let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            (session, child)
        };
        // A few at once: more only wait for each other in the engine.
        std::thread::scope(|scope| {
            for few in persistent.chunks(persistent.len().div_ceil(4).max(1)) {
                let launch = |session: &Session| _ = succeed(&["launch", &session.name, "--network", "none"]);
                scope.spawn(move || few.iter().for_each(launch));
            }
        });
        let ephemeral = (0..ephemeral).map(|number| run(guard(number, 'e'))).collect();
        let crowd = Self { part, persistent, ephemeral };
        until("every session is there", || crowd.running() == crowd.persistent.len() + crowd.ephemeral.len());
        crowd
    }

    fn count(&self, filters: &[&str]) -> usize {
        let own = format!("name=palisade-{}", self.part);
        let mut args = vec!["ps", "-aq", "--filter", own.as_str()];
        args.extend(filters.iter().flat_map(|filter| ["--filter", filter]));
        docker(&args).lines().count()
    }

    fn running(&self) -> usize {
        self.count(&["status=running"])
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        let names = docker(&["ps", "-aq", "--filter", &format!("name=palisade-{}", self.part)]);
        let mut remove = std::process::Command::new("docker");
        let _ = remove.args(["rm", "-fv"]).args(names.lines()).output();
        for (_, child) in &mut self.ephemeral {
            let _ = child.wait();
        }
    }
}

/// The crowd's names on the screen's list, from the top down.
fn listed(screen: &str, part: &str) -> Vec<String> {
    let word = |line: &str| line.split_whitespace().find(|word| word.starts_with(part)).map(str::to_owned);
    screen.lines().take_while(|line| !line.contains("Overview")).filter_map(word).collect()
}

#[test]
fn thirty_sessions_are_found_sorted_divided_marked_and_acted_on() {
    let crowd = Crowd::launch(22, 8);
    let part = crowd.part.as_str();
    let screen = Screen::dashboard(140, 50, part);
    screen.keys(&["z"]);
    let all = screen.wait("all thirty are listed", |screen| listed(screen, part).len() == 30);
    let names = listed(&all, part);
    assert!(names.is_sorted(), "{names:?}");
    let of_a_kind = |screen: &str, kind: &str| screen.lines().filter(|line| line.contains(part) && line.contains(kind)).count();
    assert_eq!((of_a_kind(&all, "persistent"), of_a_kind(&all, "ephemeral")), (22, 8), "{all}");

    // The order, turned round, and by the next column.
    screen.keys(&["O"]);
    screen.wait("the last name comes first", |screen| listed(screen, part).iter().rev().is_sorted() && screen.contains(part));
    screen.keys(&["O", "o"]);
    screen.wait("by kind", |screen| {
        let kinds: Vec<bool> =
            screen.lines().filter(|line| line.contains(part) && line.contains("running")).map(|line| line.contains("ephemeral")).collect();
        kinds.len() == 30 && (kinds.is_sorted() || kinds.iter().rev().is_sorted())
    });

    // Mark three, stop them together.
    screen.keys(&["/", "ctrl-u"]);
    screen.line(&format!("'{part}p0"));
    screen.wait("ten are listed", |screen| listed(screen, part).len() == 10);
    screen.keys(&["g", "space", "space", "space", "S"]);
    until("three are stopped", || crowd.count(&["status=exited"]) == 3);
    screen.wait("and seen to be", |screen| screen.lines().filter(|line| line.contains(part) && line.contains("exited")).count() == 3);

    // Divided by status.
    screen.keys(&["v", "v"]);
    screen.wait("the divisions are told", |screen| {
        let head = |word: &str| screen.lines().any(|line| line.contains(word) && !line.contains(part));
        head("exited") && head("running")
    });
    screen.keys(&["v"]);

    // All that are listed: paused, let go on, and removed, which wants the number typed.
    screen.keys(&["*", "t"]);
    until("all run", || crowd.running() == 30);
    screen.wait("and are seen to", |screen| screen.lines().filter(|line| line.contains(part) && line.contains("running")).count() == 10);
    screen.keys(&["*", "p"]);
    until("ten are paused", || crowd.count(&["status=paused"]) == 10);
    screen.wait("and seen to be", |screen| screen.lines().filter(|line| line.contains(part) && line.contains("paused")).count() == 10);
    screen.keys(&["*", "p"]);
    until("none is", || crowd.count(&["status=paused"]) == 0);
    screen.wait("and none is seen to be", |screen| {
        screen.lines().filter(|line| line.contains(part) && line.contains("running")).count() == 10
    });
    screen.keys(&["*", "d"]);
    screen.shows("remove 10 sessions?");
    screen.line("10");
    until("twenty are left", || crowd.count(&[]) == 20);
    screen.wait("and none of the ten is listed", |screen| listed(screen, part).is_empty());

    // One that goes by itself needs no word.
    screen.filter(&format!("{part}e00"));
    screen.keys(&["d"]);
    screen.shows(&format!("remove {part}e00?"));
    screen.keys(&["y"]);
    until("it is gone", || crowd.count(&[]) == 19);
}

#[test]
fn tabs_help_palette_notices_and_themes_are_keys_away() {
    let crowd = Crowd::launch(2, 0);
    let screen = Screen::dashboard(120, 36, &crowd.part);
    let first = &crowd.persistent[0].name;
    screen.row_shows(first, "running");
    // Each tab shows what it is for.
    let tabs = [
        ("Hardening", "cap_drop"),
        ("Cache", "no way to the depot"),
        ("Logs", "following"),
        ("Processes", "palisade"),
        ("Events", ""),
        ("Files", "against the image"),
        ("Overview", "container"),
    ];
    for (tab, word) in tabs {
        screen.keys(&["]"]);
        screen.shows(&format!("[{tab}]"));
        screen.shows(word);
    }
    // The help is made from the keymap.
    screen.keys(&["?"]);
    screen.shows("Moving about");
    screen.keys(&["?"]);
    screen.shows_not("Moving about");
    // The palette has every action by name.
    screen.keys(&[":"]);
    screen.typed("mark all");
    screen.shows("mark all that are listed");
    screen.keys(&["enter", "S"]);
    until("both are stopped", || crowd.count(&["status=exited"]) == 2);
    screen.wait("and seen to be", |screen| screen.matches("exited").count() >= 2);
    // What happened is written down.
    screen.keys(&["N"]);
    screen.shows("stopped");
    screen.keys(&["N", "ctrl-t"]);
    screen.shows("theme:");
    // And all of it is on a small screen, too.
    screen.resize(80, 24);
    screen.shows(first);
    screen.resize(40, 12);
    screen.shows("NAME");
    screen.resize(300, 100);
    screen.wait("all columns are there", |screen| ["UPTIME", "PROFILE", "NETWORK", "SAVED"].iter().all(|head| screen.contains(head)));
}
