//! Many palisades at once over the same few names: what happens to each is one of the things that such a race can end in.

use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::scene::Scene;
use crate::support::text;

const NAMES: usize = 10;

/// What it may say of a session that another one removes, renames or launches at that moment.
const EXPLAINED: [&str; 2] = ["not_found", "conflict"];

struct Racer<'a> {
    engine: &'a str,
    state: &'a std::path::Path,
    seed: u32,
    done: &'a AtomicUsize,
    sessions: &'a Sessions,
}

/// The ids of those that a palisade said it launched, and that one said it removed.
#[derive(Default)]
struct Sessions {
    launched: Mutex<BTreeSet<String>>,
    removed: Mutex<BTreeSet<String>>,
}

impl Sessions {
    fn count(&self, args: &[&str], output: &Output) {
        let (ids, session) = match args[0] {
            "launch" => (&self.launched, "/session/id"),
            "rm" => (&self.removed, "/results/0/session/id"),
            _ => return,
        };
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        // There may have been none to remove.
        if let Some(id) = document.pointer(session).and_then(Value::as_str) {
            ids.lock().unwrap().insert(id.to_owned());
        }
    }
}

impl Racer<'_> {
    fn next(&mut self, below: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        self.seed as usize % below
    }

    fn palisade(&self) -> Command {
        let mut command = crate::support::palisade();
        command.env("XDG_STATE_HOME", self.state).args(["--host", self.engine, "--json"]);
        command
    }

    /// One command. Whatever it ends in has a reason that the race explains.
    fn act(&mut self) {
        let first = self.next(NAMES);
        // Never its own name, which the engine refuses for a reason of its own.
        let second = (first + 1 + self.next(NAMES - 1)) % NAMES;
        let (name, other) = (format!("race{first}"), format!("race{second}"));
        let args: Vec<&str> = match self.next(8) {
            0..=2 => vec!["launch", &name, "--image", "tiny:latest", "--network", "none"],
            3 | 4 => vec!["rename", &name, &other],
            5 => vec!["rm", "-f", &name],
            6 => vec!["verify", &name],
            _ => vec!["ls"],
        };
        let output = self.palisade().args(&args).output().unwrap();
        explained(&args, &output);
        if output.status.success() {
            self.sessions.count(&args, &output);
        }
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

fn explained(args: &[&str], output: &Output) {
    let said = || format!("{args:?}: {}{}", text(&output.stdout), text(&output.stderr));
    assert!(!said().contains("is locked"), "{}", said());
    if output.status.success() {
        return;
    }
    let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said()));
    let code = document["error"]["code"].as_str().unwrap_or_default();
    assert!(EXPLAINED.contains(&code), "{}", said());
}

fn race(processes: u32, lasts: Duration) -> usize {
    let scene = Scene::new();
    let before = scene.everything();
    let state = tempfile::tempdir().unwrap();
    let (done, engine, sessions) = (AtomicUsize::new(0), scene.engine.address(), Sessions::default());
    let until = Instant::now() + lasts;
    std::thread::scope(|scope| {
        for racer in 1..=processes {
            let seed = racer.wrapping_mul(2_654_435_761) | 1;
            let mut racer = Racer { engine: &engine, state: state.path(), seed, done: &done, sessions: &sessions };
            scope.spawn(move || {
                while Instant::now() < until {
                    racer.act();
                }
            });
        }
    });
    // No name twice, no session that is only half there, and no more of anything than the sessions account for.
    let listed = scene.palisade_of(state.path()).args(["ls", "--json"]).output().unwrap();
    let document: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let rows = document["sessions"].as_array().unwrap().iter().filter(|row| row["name"].as_str().unwrap().starts_with("race"));
    let (mut names, mut ids) = (Vec::<&str>::new(), BTreeSet::new());
    for row in rows {
        assert_eq!(row["status"], "running", "{row}");
        names.push(row["name"].as_str().unwrap());
        ids.insert(row["id"].as_str().unwrap().to_owned());
    }
    let (launched, removed) = (sessions.launched.into_inner().unwrap(), sessions.removed.into_inner().unwrap());
    assert_eq!(ids, launched.difference(&removed).cloned().collect(), "what was launched and not removed is there, and nothing else");
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "{names:?}");
    for name in names {
        for args in [["verify", name].as_slice(), &["rm", "-f", name]] {
            let output = scene.palisade_of(state.path()).args(args).output().unwrap();
            assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        }
    }
    scene.is_as_before(&before, "the race");
    done.into_inner()
}

#[test]
fn palisades_that_race_for_the_same_names_lose_nothing_and_make_none_twice() {
    race(6, Duration::from_secs(5));
}

#[test]
#[ignore = "takes minutes: scripts/soak race"]
fn soak_race_thirty_two_palisades_for_a_minute() {
    println!("{} commands of 32 palisades over {NAMES} names in a minute", race(32, Duration::from_mins(1)));
}
