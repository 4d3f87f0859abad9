//! Sessions that end by themselves: when their time is over, when nobody uses them. And who moves that.

use std::path::Path;
use std::process::Output;

use palisade::backend::Backend;
use palisade::terminal::Size;
use palisade::terminal::wire::Want;

use crate::support::{Session, call, docker, json, name, palisade, succeed, text, until};

fn has_ended(session: &Session) -> bool {
    docker(&["inspect", "--format", "{{.State.Status}}", &session.container()]) == "exited"
}

fn inspected(session: &Session) -> serde_json::Value {
    json(&["inspect", &session.name]).1
}

/// Seconds from its start until it is stopped.
fn span(session: &Session) -> i64 {
    let document = inspected(session);
    let time = |value: &serde_json::Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
    time(&document["life"]["deadline"]) - time(&document["container"]["started"])
}

#[test]
fn a_session_whose_time_is_over_is_stopped_and_start_gives_it_as_much_again() {
    let session = Session::launch(&["--ttl", "2s"], &["sh", "-c", "echo here; sleep 600"]);
    until("its time is over", || has_ended(&session));
    let document = inspected(&session);
    assert_eq!((document["container"]["exit"]["code"].as_i64(), document["life"]["ttl"].as_i64()), (Some(124), Some(2)));
    assert!(document["life"]["deadline"].is_null(), "what has ended is not to be stopped");
    let log = text(&call(&["logs", &session.name]).stderr) + &text(&call(&["logs", &session.name]).stdout);
    assert!(log.contains("ttl: the 2s of this session are over and it is stopped; palisade start begins it anew"), "{log}");
    assert!(log.contains("palisade renew moves its deadline"), "it was warned: {log}");
    succeed(&["start", &session.name]);
    until("its time is over again", || has_ended(&session));
}

/// Asks the supervisor as any process of the sandbox can, and claims to have the key.
const CLAIM: &str = r#"
import json, socket, struct
def say(s, kind, word):
    word = json.dumps(word).encode()
    s.sendall(kind + struct.pack(">I", len(word)) + word)
def told(s):
    head = s.recv(5, socket.MSG_WAITALL)
    return head[:1], json.loads(s.recv(struct.unpack(">I", head[1:])[0], socket.MSG_WAITALL))
for proof in ["", "00" * 32, None]:
    s = socket.socket(socket.AF_UNIX)
    s.connect("\0palisade-terminals")
    say(s, b"W", "life")
    kind, life = told(s)
    assert kind == b"T" and life["challenge"], life
    say(s, b"W", {"renew": {"ttl_s": 864000, "proof": life["challenge"] if proof is None else proof}})
    kind, why = told(s)
    assert kind == b"X" and why["why"] == "denied", why
s = socket.socket(socket.AF_UNIX)
s.connect("\0palisade-terminals")
say(s, b"W", "life")
print(told(s)[1]["left_s"] <= 7200)
"#;

#[test]
fn only_who_launched_it_moves_the_deadline_and_no_process_of_the_sandbox_can() {
    let session = Session::launch(&["--ttl", "1h"], &["sleep", "600"]);
    assert!((3600..3700).contains(&span(&session)), "{}", span(&session));
    succeed(&["renew", &session.name, "--ttl", "2h"]);
    assert!(span(&session) >= 7200, "{}", span(&session));
    let (code, output, errors) = {
        let output = call(&["exec", &session.name, "--", "python3", "-c", CLAIM]);
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    assert_eq!((code, output.as_str()), (Some(0), "True\n"), "{errors}");

    // Another operator, who has another state.
    let elsewhere = tempfile::tempdir().unwrap();
    let refused = under(elsewhere.path(), &["renew", &session.name]);
    assert_eq!(refused.status.code(), Some(4));
    assert!(text(&refused.stderr).contains(&format!("palisade restart {}", session.name)), "{}", text(&refused.stderr));

    succeed(&["renew", &session.name, "--ttl", "1s"]);
    until("the moved deadline has come", || has_ended(&session));
}

#[test]
fn what_nobody_uses_is_stopped_and_what_works_is_not() {
    let busy = Session::launch(&["--idle", "2s"], &["sh", "-c", "while :; do :; done"]);
    let looked_at = Session::launch(&["--idle", "2s"], &["sleep", "600"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let open = Want::Open { command: vec!["cat".to_owned()], env: Vec::new(), working_dir: String::new(), size: Size::USUAL };
    let terminal = runtime.block_on(async { Backend::connect(None).await.unwrap().terminal(&looked_at.name, open).await.unwrap() });
    let idle = Session { name: name() };
    succeed(&["launch", &idle.name, "--idle", "2s"]);
    until("nobody has used it for too long", || has_ended(&idle));
    let log = call(&["logs", &idle.name]);
    let log = text(&log.stdout) + &text(&log.stderr);
    assert!(log.contains("it is stopped in") && log.contains("idle: nobody has used this session for 2s and it is stopped"), "{log}");
    assert!(!has_ended(&busy));
    assert!(!has_ended(&looked_at), "somebody looks at a terminal of it");
    drop(terminal);
    until("nobody looks at it any more", || has_ended(&looked_at));
    succeed(&["start", &idle.name]);
}

fn under(state: &Path, args: &[&str]) -> Output {
    palisade().env("XDG_STATE_HOME", state).args(args).output().unwrap()
}

#[test]
fn a_state_that_is_damaged_or_lost_costs_a_warning_and_no_session() {
    let state = tempfile::tempdir().unwrap();
    let session = Session { name: name() };
    let good = |args: &[&str]| {
        let output = under(state.path(), args);
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        (text(&output.stdout), text(&output.stderr))
    };
    good(&["launch", &session.name, "--ttl", "1h"]);
    let database = state.path().join("palisade/palisade.db");
    std::fs::write(&database, [0x5a; 8192]).unwrap();
    std::fs::remove_file(database.with_extension("db-wal")).unwrap();

    let (shown, warned) = good(&["inspect", &session.name]);
    assert!(warned.contains("palisade.db.corrupt-") && shown.contains("1h, stopped in"), "{warned}{shown}");
    assert!(good(&["ls"]).0.contains(&session.name));
    assert_eq!(under(state.path(), &["renew", &session.name]).status.code(), Some(4), "the key is lost");
    good(&["restart", &session.name]);
    let (_, warned) = good(&["renew", &session.name]);
    assert_eq!(warned, "", "told once");
    std::fs::remove_file(&database).unwrap();
    let (_, warned) = good(&["exec", &session.name, "--", "true"]);
    assert_eq!(warned, "", "what is taken away is made again");
    assert!(good(&["inspect", &session.name]).0.contains("by exec"));
}

#[test]
fn what_was_paused_past_its_deadline_is_reaped_and_nothing_else() {
    let state = tempfile::tempdir().unwrap();
    let (frozen, other) = (Session { name: name() }, Session { name: name() });
    for (session, ttl) in [(&frozen, "20s"), (&other, "1h")] {
        let launched = under(state.path(), &["launch", &session.name, "--ttl", ttl]);
        assert!(launched.status.success(), "{}", text(&launched.stderr));
        assert!(under(state.path(), &["pause", &session.name]).status.success());
    }
    let names = || {
        let output = under(state.path(), &["--json", "reap", "--dry-run"]);
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let reaped = document["reaped"].as_array().unwrap().clone();
        reaped.into_iter().map(|reaped| reaped["name"].as_str().unwrap().to_owned()).collect::<Vec<String>>()
    };
    // Whoever else sweeps this engine may be quicker.
    until("its deadline has passed", || names().contains(&frozen.name) || has_ended(&frozen));
    assert!(!names().contains(&other.name));
    until("it is reaped", || {
        under(state.path(), &["reap"]);
        has_ended(&frozen)
    });
    assert!(!has_ended(&other));
}
