//! Documents about runs that have ended.

use jiff::Timestamp;
use palisade::audit_log::{AuditLog, Subject};
use palisade::evidence::{End, Evidence, Image, Run, Shelf};
use palisade::policy::Timeout;

use super::samples::{limits, plan, posture};
use crate::cli::palisade;
use crate::common::schema;

#[test]
fn evidence() {
    let at = Timestamp::UNIX_EPOCH;
    let subject = || Subject { id: "01k2m3n4p5q6r7s8t9v0w1x2y3".to_owned(), name: "web".to_owned() };
    let run = Run {
        schema: 1,
        session: subject(),
        kind: "persistent".to_owned(),
        profile: "default".to_owned(),
        engine: "unix:///run/docker.sock".to_owned(),
        container: "c0ffee".to_owned(),
        image: Image { name: "debian".to_owned(), digest: "sha256:00".to_owned() },
        started: at,
        plan: serde_json::to_value(plan(None, Timeout::Never)).unwrap(),
        posture: serde_json::to_value(posture()).unwrap(),
        measured: Some(at),
    };
    let end = |exit_code, packages_unlisted| End {
        ended: at,
        exit_code,
        out_of_memory: false,
        seen_by: "run".to_owned(),
        by: "1000@here".to_owned(),
        limits: serde_json::to_value(limits().hits).unwrap(),
        packages: serde_json::json!([]),
        packages_unlisted,
    };
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().join("palisade");
    let shelf = Shelf::new(&folder, AuditLog::new(&folder, "1000@here"));
    for (nth, end) in [end(Some(0), Some(0)), end(None, None)].into_iter().enumerate() {
        let started = Timestamp::from_second(i64::try_from(nth).unwrap()).unwrap();
        shelf.end(&Evidence { run: Run { started, ..run.clone() }, end }, at).unwrap();
    }
    let print = |args: &[&str]| palisade(&[&["--json"], args].concat()).env("XDG_STATE_HOME", state.path()).output().unwrap().stdout;
    assert_eq!(schema::document("evidence", &print(&["evidence"]))["evidence"].as_array().unwrap().len(), 2);
    assert_eq!(schema::document("evidence_verified", &print(&["evidence", "verify"]))["proof"]["sound"], 2);
    std::fs::write(shelf.folder().join("x.json"), "{}").unwrap();
    schema::document("evidence_verified", &print(&["evidence", "verify"]));
    schema::document("audit", &print(&["audit"]));
    schema::document("error", &print(&["evidence", "api"]));
}
