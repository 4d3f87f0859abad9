//! What is kept of a session that has ended: once, whoever sees the end, and nothing of it can be changed unseen.

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::support::{Session, docker, name, palisade, text, until, until_had};

/// An operator with a state of their own.
struct Operator(tempfile::TempDir);

impl Operator {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn state(&self) -> &Path {
        self.0.path()
    }

    fn call(&self, args: &[&str]) -> Output {
        palisade().env("XDG_STATE_HOME", self.state()).args(args).output().unwrap()
    }

    fn succeed(&self, args: &[&str]) -> String {
        let output = self.call(args);
        assert!(output.status.success(), "{args:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.call(&[&["--json"], args].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {output:?}"))
    }

    /// What is kept, the oldest first.
    fn kept(&self) -> Vec<Value> {
        let mut kept = self.json(&["evidence"])["evidence"].as_array().unwrap().clone();
        kept.sort_by_key(|kept| kept["evidence"]["started"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap());
        kept
    }

    /// The entries of one sort in the audit log.
    fn entries(&self, action: &str) -> Vec<Value> {
        let entries = self.json(&["audit"])["entries"].as_array().unwrap().clone();
        entries.into_iter().filter(|entry| entry["action"] == action).collect()
    }
}

#[test]
fn each_run_leaves_its_evidence_and_its_hash_in_the_log() {
    let operator = Operator::new();
    let session = Session { name: name() };
    operator.succeed(&["launch", &session.name, "--network", "none", "--", "sleep", "600"]);
    operator.succeed(&["stop", "--grace", "0", &session.name]);
    operator.succeed(&["start", &session.name]);
    // Measured again, and weaker than it was.
    docker(&["update", "--pids-limit", "999", &session.container()]);
    operator.call(&["verify", &session.name]);
    operator.succeed(&["rm", "-f", &session.name]);
    assert_eq!(operator.call(&["run", "--network", "none", "--", "sh", "-c", "exit 3"]).status.code(), Some(3));
    let killed = operator.call(&["run", "--network", "none", "--timeout", "1s", "--", "sleep", "60"]);
    assert_eq!(killed.status.code(), Some(124), "{killed:?}");

    let kept = operator.kept();
    let of = |field: &str| kept.iter().map(|kept| kept["evidence"][field].clone()).collect::<Vec<_>>();
    assert_eq!(of("seen_by"), ["stop", "rm", "run", "run"]);
    assert_eq!(of("exit_code")[1..], [Value::Null, 3.into(), 124.into()], "what rm -f ends, nobody sees end");
    assert!(of("exit_code")[0].is_i64());
    assert_eq!(of("limits")[3][0]["limit"], "timeout");
    for kept in &kept {
        let plan = &kept["evidence"]["plan"];
        assert_eq!(plan["create"]["cap_drop"], serde_json::json!(["ALL"]), "the whole plan, also of what was started again: {plan}");
        assert!(kept["evidence"]["image"]["digest"].as_str().unwrap().starts_with("sha256:"));
    }
    let verdict = |nth: usize| {
        let controls = kept[nth]["evidence"]["posture"]["controls"].as_array().unwrap();
        controls.iter().find(|control| control["control"] == "pids_limit").unwrap()["verdict"].clone()
    };
    assert_eq!((verdict(0), verdict(1)), ("enforced".into(), "weaker".into()), "as it was measured last");
    let ends = operator.entries("end");
    let hashes = |all: &[Value], of: fn(&Value) -> &Value| all.iter().map(|one| of(one).clone()).collect::<Vec<_>>();
    assert_eq!(hashes(&ends, |entry| &entry["detail"]["sha256"]), hashes(&kept, |kept| &kept["sha256"]));

    let shown = operator.succeed(&["evidence", &session.name]);
    assert!(shown.contains("weaker: pids_limit") && shown.contains("not seen"), "{shown}");
    assert_eq!(operator.succeed(&["evidence", "verify"]), "4 files are as they were written\n");
    let file = operator.state().join("palisade/evidence").join(kept[2]["file"].as_str().unwrap());
    let written = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, written.replacen("\"exit_code\":3", "\"exit_code\":0", 1)).unwrap();
    let found = operator.call(&["evidence", "verify"]);
    let said = text(&found.stderr);
    assert!(found.status.code() == Some(1) && said.contains("it is not as it was written"), "{said}");
}

#[test]
fn an_end_that_nobody_waited_for_is_told_once_by_the_first_of_many_who_look() {
    let operator = Operator::new();
    let (stays, goes) = (Session { name: name() }, name());
    operator.succeed(&["launch", &stays.name, "--network", "none", "--", "sleep", "600"]);
    let mut run = palisade();
    run.env("XDG_STATE_HOME", operator.state()).args(["run", "--name", &goes, "--network", "none", "--", "sleep", "600"]);
    let mut run = run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("both have begun", || {
        let open = std::fs::read_dir(operator.state().join("palisade/evidence/open")).unwrap();
        open.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "json")).count() == 2
    });
    // Whoever waits for it tells its end, and nobody else for as long as it lives.
    operator.call(&["reap"]);
    run.kill().unwrap();
    run.wait().unwrap();
    docker(&["kill", &stays.container()]);
    docker(&["rm", "-f", &format!("palisade-{goes}")]);
    std::thread::scope(|threads| {
        for _ in 0..4 {
            // What others left may be in the way of the rest of it.
            threads.spawn(|| operator.call(&["reap"]));
        }
    });
    let kept = until_had("both are told", || {
        operator.call(&["reap"]);
        let kept = operator.kept();
        if kept.len() == 2 { Ok(kept) } else { Err(format!("{kept:?}")) }
    });
    let of = |name: &str| kept.iter().find(|kept| kept["evidence"]["session"]["name"] == name).unwrap()["evidence"].clone();
    assert_eq!((of(&stays.name)["exit_code"].as_i64(), of(&goes)["exit_code"].as_i64()), (Some(137), None));
    assert_eq!(operator.entries("end").len(), 2);
    assert_eq!(operator.succeed(&["evidence", "verify"]), "2 files are as they were written\n");
    assert!(operator.succeed(&["audit", "verify"]).contains("hold together"));
}

#[test]
fn what_is_seen_by_the_way_is_in_the_log_once() {
    let operator = Operator::new();
    let config = tempfile::tempdir().unwrap();
    let profiles = config.path().join("palisade/profiles");
    std::fs::create_dir_all(&profiles).unwrap();
    let profile = |text: &str| std::fs::write(profiles.join("mine.toml"), format!("network = 'none'\npids_limit = 60\n{text}")).unwrap();
    let with = |args: &[&str]| {
        let mut command = palisade();
        let output = command.env("XDG_STATE_HOME", operator.state()).env("XDG_CONFIG_HOME", config.path()).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
    };
    profile("");
    let session = Session { name: name() };
    with(&["launch", &session.name, "--profile", "mine", "--", "sleep", "600"]);
    for _ in 0..2 {
        with(&["inspect", &session.name]);
    }
    assert_eq!((operator.entries("verify").len(), operator.entries("policy").len()), (0, 0), "all is as it was launched");

    docker(&["update", "--pids-limit", "80", &session.container()]);
    profile("memory = '300MiB'\n");
    for _ in 0..2 {
        with(&["inspect", &session.name]);
    }
    let (verified, changed) = (operator.entries("verify"), operator.entries("policy"));
    assert_eq!((verified.len(), changed.len()), (1, 1), "{verified:?} {changed:?}");
    assert_eq!(verified[0]["detail"]["changed"], true);
    assert_eq!(changed[0]["detail"]["profile"], "mine");
    assert_eq!(changed[0]["detail"]["differs"][0]["field"], "memory");
    assert_ne!(changed[0]["detail"]["then"], changed[0]["detail"]["now"]);

    docker(&["update", "--pids-limit", "60", &session.container()]);
    profile("");
    for _ in 0..2 {
        with(&["inspect", &session.name]);
    }
    let back = operator.entries("policy");
    assert_eq!((operator.entries("verify").len(), back.len()), (2, 2));
    assert_eq!(back[1]["detail"]["now"], changed[0]["detail"]["then"]);
}
