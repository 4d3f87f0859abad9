//! Sessions that run into their limits: each is named to whoever watches and to whoever asks, while everybody else goes on.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::common::schema;
use crate::dashboard::screen::Screen;
use crate::support::{Session, call, docker, json, name, palisade, succeed, text, until, until_had};

/// `events --json`, and what it has told so far.
struct Watcher {
    child: Child,
    told: Arc<Mutex<Vec<Value>>>,
}

impl Watcher {
    /// Watches one session that is there.
    fn of(session: &Session) -> Self {
        Self::with(&[&session.name])
    }

    /// Watches all.
    fn of_all() -> Self {
        Self::with(&[])
    }

    /// From before this returns.
    fn with(names: &[&str]) -> Self {
        let mut command = palisade();
        command.args(["--json", "events"]).args(names);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut noted = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut noted).unwrap();
        assert!(noted.contains("watching"), "{noted}");
        let told = Arc::new(Mutex::new(Vec::new()));
        let (lines, into) = (BufReader::new(child.stdout.take().unwrap()), Arc::clone(&told));
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                into.lock().unwrap().push(schema::document("happening", format!("{line}\n").as_bytes()));
            }
        });
        Self { child, told }
    }

    /// Waits until this limit is told, and gives what was told of it.
    fn until_reached(&self, limit: &str) -> Value {
        until_had(&format!("'{limit}' is told"), || {
            let told = self.told.lock().unwrap();
            let found = told.iter().find(|event| event["what"]["event"] == "limit_reached" && event["what"]["limit"] == limit);
            found.cloned().ok_or_else(|| format!("{told:?}"))
        })
    }

    /// The same, of one among all.
    fn until_reached_by(&self, session: &Session, limit: &str) {
        until(&format!("'{limit}' is told of {}", session.name), || {
            let told = self.told.lock().unwrap();
            told.iter().any(|event| event["name"] == session.container().as_str() && event["what"]["limit"] == limit)
        });
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `logs -f`, which has shown the first line of the log, and what it has said beside it.
struct Follower {
    child: Child,
    output: Option<BufReader<ChildStdout>>,
    said: Arc<Mutex<String>>,
    /// Until nothing more can be said.
    hearing: Option<JoinHandle<()>>,
}

impl Follower {
    /// What is not taken from it waits.
    fn of(session: &Session) -> Self {
        let mut command = palisade();
        let mut child = command.args(["logs", "-f", &session.name]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut output, errors) = (BufReader::new(child.stdout.take().unwrap()), BufReader::new(child.stderr.take().unwrap()));
        let mut first = String::new();
        output.read_line(&mut first).unwrap();
        assert_eq!(first, "ready\n");
        let said = Arc::new(Mutex::new(String::new()));
        let into = Arc::clone(&said);
        let hear = move || errors.lines().map_while(Result::ok).for_each(|line| *into.lock().unwrap() += &(line + "\n"));
        Self { child, output: Some(output), said, hearing: Some(std::thread::spawn(hear)) }
    }

    fn until_said(&self, what: &str) {
        until_had(&format!("'{what}' is said of the log"), || {
            let said = self.said.lock().unwrap();
            if said.matches(what).count() == 1 { Ok(()) } else { Err(said.clone()) }
        });
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `inspect` says of one limit, once it says anything.
fn inspected(session: &Session, limit: &str) -> Value {
    until_had(&format!("'{limit}' is in the session's document"), || {
        let limits = json(&["inspect", &session.name]).1["limits"].clone();
        let hits = limits["hits"].as_array().cloned().unwrap_or_default();
        hits.into_iter().find(|hit| hit["limit"] == limit).ok_or_else(|| limits.to_string())
    })
}

/// A session with limits so low that they are soon reached, which waits for what it is told to do.
fn narrow(options: &[&str]) -> Session {
    Session::launch(&[&["--network", "none", "--pids-limit", "40", "--memory", "96MiB"], options].concat(), &["sleep", "600"])
}

/// What is started in a session and left to itself.
fn begin(session: &Session, line: &str) {
    let line = format!("{line} >/dev/null 2>&1 & true");
    assert_eq!(session.sh(&line).0, 0);
}

#[test]
fn a_fork_bomb_a_flood_of_files_and_a_full_tmpfs_are_named_while_another_session_answers() {
    let victim = narrow(&["--nofile", "64", "--tmp-size", "1MiB"]);
    let other = narrow(&[]);
    let watcher = Watcher::of(&victim);
    let full = victim.sh("head -c 2M /dev/zero > /tmp/big");
    assert_ne!(full.0, 0, "{}", full.2);
    let event = watcher.until_reached("tmpfs");
    assert_eq!((event["what"]["place"].as_str(), event["what"]["bound"].as_u64()), (Some("/tmp"), Some(1 << 20)), "{event}");
    begin(&victim, "python3 -c 'import os,time\ntry:\n while True: os.dup(0)\nexcept OSError: time.sleep(600)'");
    assert_eq!(watcher.until_reached("open_files")["what"]["bound"].as_u64(), Some(64));
    begin(&victim, "for i in $(seq 60); do sleep 600 & done");
    assert_eq!(watcher.until_reached("pids")["what"]["bound"].as_u64(), Some(40));

    assert_eq!(other.sh("echo here").1, "here\n");
    for limit in ["tmpfs", "open_files", "pids"] {
        let hit = inspected(&victim, limit);
        assert!(hit["count"].as_u64() >= Some(1), "{hit}");
    }
    let listed = json(&["ls"]).1;
    let of = |session: &Session| {
        let rows = listed["sessions"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == session.name.as_str()).unwrap()["limits"].clone()
    };
    assert_eq!(of(&victim)["hits"].as_array().unwrap().len(), 3, "{}", of(&victim));
    assert_eq!(of(&other), serde_json::json!({ "hits": [], "unknown": null }));
    let shown = text(&call(&["inspect", &victim.name]).stdout);
    assert!(shown.contains("ran into") && shown.contains("--tmp-size sets the limit"), "{shown}");
}

#[test]
fn memory_and_cpu_that_are_used_up_are_named() {
    let victim = narrow(&["--cpus", "0.05"]);
    let watcher = Watcher::of(&victim);
    begin(&victim, "while :; do :; done");
    assert_eq!(watcher.until_reached("cpu")["what"]["bound"].as_u64(), Some(50_000_000));
    inspected(&victim, "cpu");

    let victim = narrow(&[]);
    let watcher = Watcher::of(&victim);
    let (code, _, _) = victim.sh("python3 -c 'b\"x\" * (300 << 20)'");
    assert_eq!(code, 137);
    let event = watcher.until_reached("memory");
    assert_eq!(event["what"]["bound"].as_u64(), Some(96 << 20), "{event}");
    inspected(&victim, "memory");
}

#[test]
fn the_end_of_a_run_says_which_limit_it_ran_into_and_what_sets_it() {
    let run = |options: &[&str], line: &str| {
        let output = call(&[&["run", "--name", &name(), "--network", "none"], options, &["--", "sh", "-c", line]].concat());
        (output.status.code().unwrap(), text(&output.stderr))
    };
    let (code, said) = run(&["--tmp-size", "1MiB"], "head -c 2M /dev/zero > /tmp/big");
    assert!(code != 0 && said.contains("palisade: /tmp is full at the limit of 1 MiB; --tmp-size sets the limit"), "{said}");
    let (code, said) = run(&["--timeout", "1s"], "sleep 600");
    assert!(code == 124 && said.contains("--timeout sets the limit"), "{said}");
    let (code, said) = run(&["--disk-hard", "4MiB"], "head -c 4325376 /dev/zero > ~/big; sleep 600");
    assert!(code == 122 && said.contains("more than 4 MiB, and it is stopped; --disk-hard sets the limit"), "{said}");
    let (code, said) = run(&["--cpus", "1"], "true");
    assert_eq!((code, said.as_str()), (0, ""));
}

#[test]
fn a_flood_of_output_is_named_and_takes_no_more_room_than_its_log_may() {
    let line =
        "echo ready; until [ -e /tmp/go ]; do sleep 0.1; done; yes 0123456789012345678901234567890123456789 | head -c 200000000; sleep 600";
    let victim = Session::launch(&["--network", "none"], &["sh", "-c", line]);
    let (watcher, follower) = (Watcher::of(&victim), Follower::of(&victim));
    assert_eq!(victim.sh("touch /tmp/go").0, 0);
    watcher.until_reached("log");
    inspected(&victim, "log");
    follower.until_said("lines may be missing");
}

#[test]
fn of_a_log_that_has_room_nothing_is_said_to_be_missing() {
    let line = "echo ready; until [ -e /tmp/go ]; do sleep 0.1; done; seq 20000";
    let session = Session::launch(&["--network", "none"], &["sh", "-c", line]);
    let mut follower = Follower::of(&session);
    assert_eq!(session.sh("touch /tmp/go").0, 0);
    let mut rest = String::new();
    follower.output.take().unwrap().read_to_string(&mut rest).unwrap();
    assert!(follower.child.wait().unwrap().success());
    follower.hearing.take().unwrap().join().unwrap();
    assert_eq!(*follower.said.lock().unwrap(), "");
}

#[test]
fn a_full_volume_is_named_at_its_first_cap_and_stops_the_session_at_its_second() {
    let victim = Session::launch(&["--network", "none", "--disk-soft", "4MiB", "--disk-hard", "32MiB"], &["sleep", "600"]);
    let watcher = Watcher::of(&victim);
    assert_eq!(victim.sh("head -c 8388608 /dev/zero > ~/some").0, 0);
    assert_eq!(watcher.until_reached("disk_soft")["what"]["bound"], 4 << 20);
    assert_eq!(inspected(&victim, "disk_soft")["count"], 1);
    begin(&victim, "head -c 26738688 /dev/zero > ~/more; sleep 600");
    assert_eq!(watcher.until_reached("disk_hard")["what"]["bound"], 32 << 20);
    until("it is stopped", || json(&["inspect", &victim.name]).1["container"]["exit"]["code"] == 122);
    assert_eq!(inspected(&victim, "disk_hard")["bound"], 32 << 20);

    // Started again it may be cleared up.
    succeed(&["start", &victim.name]);
    assert_eq!(victim.sh("rm ~/more && ls ~").1, "some\n");
}

#[test]
fn the_dashboard_shows_what_a_session_takes_beside_its_caps() {
    let victim = Session::launch(&["--network", "none", "--disk-soft", "4MiB", "--disk-hard", "64MiB"], &["sleep", "600"]);
    assert_eq!(victim.sh("head -c 8388608 /dev/zero > ~/some").0, 0);
    let screen = Screen::dashboard(140, 50, &victim.name);
    screen.shows("of soft 4 MiB, hard 64 MiB");
    let shown = screen.shows("! above its soft cap: above the hard one it is stopped");
    assert!(shown.lines().any(|line| line.contains("8 MiB of soft") || line.contains("8.0 MiB of soft")), "{shown}");
}

#[test]
fn a_restart_that_the_engine_makes_by_itself_is_named() {
    let victim = Session::launch(&["--network", "none"], &["sh", "-c", "until [ -e /tmp/go ]; do sleep 0.1; done; exit 3"]);
    let watcher = Watcher::of(&victim);
    docker(&["update", "--restart", "on-failure:1", &victim.container()]);
    assert_eq!(victim.sh("touch /tmp/go").0, 0);
    assert_eq!(watcher.until_reached("restart")["what"]["count"], 1);
    assert_eq!(inspected(&victim, "restart")["count"], 1);
}

#[test]
fn what_a_session_ran_into_is_known_when_it_has_ended() {
    let victim = narrow(&["--tmp-size", "1MiB"]);
    let watcher = Watcher::of(&victim);
    victim.sh("head -c 2M /dev/zero > /tmp/big");
    watcher.until_reached("tmpfs");
    // It is written down before it is told.
    succeed(&["stop", &victim.name]);
    assert_eq!(inspected(&victim, "tmpfs")["place"], "/tmp");

    let watcher = Watcher::of_all();
    let late = Session::launch(&["--network", "none", "--timeout", "1s"], &["sleep", "600"]);
    watcher.until_reached_by(&late, "timeout");
    assert_eq!(inspected(&late, "timeout")["bound"], 1);
}

#[test]
fn a_session_that_begins_while_somebody_watches_is_watched_from_its_start() {
    let watcher = Watcher::of_all();
    let line = "head -c 2M /dev/zero > /tmp/big; sleep 600";
    let session = Session::launch(&["--network", "none", "--tmp-size", "1MiB"], &["sh", "-c", line]);
    watcher.until_reached_by(&session, "tmpfs");
}

#[test]
#[ignore = "two gigabytes of log"]
fn soak_two_gigabytes_of_log_take_what_the_log_may_and_the_engine_answers() {
    let line = "until [ -e /tmp/go ]; do sleep 0.1; done; yes 0123456789012345678901234567890123456789 | head -c 2000000000; sleep 600";
    let (victim, other) = (Session::launch(&["--network", "none"], &["sh", "-c", line]), Session::asleep());
    let watcher = Watcher::of(&victim);
    assert_eq!(victim.sh("touch /tmp/go").0, 0);
    watcher.until_reached("log");
    // They pass at the session's pace, which is of minutes.
    for _ in 0..200 {
        assert_eq!(other.sh("echo here").1, "here\n");
    }
    let folder = docker(&["inspect", "--format", "{{.LogPath}}", &victim.container()]);
    let kept: u64 = (0..10)
        .map(|at| if at == 0 { folder.clone() } else { format!("{folder}.{at}") })
        .filter_map(|path| Some(std::fs::metadata(path).ok()?.len()))
        .sum();
    assert!((1..=32 << 20).contains(&kept), "three files of ten mebibytes, {kept} bytes");
}
