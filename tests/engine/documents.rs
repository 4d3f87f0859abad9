//! Every JSON document of a real run is what `docs/json.md` says, and nothing else.

use crate::common::schema;
use crate::support::{Session, call, name, palisade, succeed};

#[test]
fn every_command_prints_one_document_that_its_schema_describes() {
    let session = Session::launch(&[], &["sh", "-c", "echo out; echo err >&2; sleep 600"]);
    let stdout = |args: &[&str]| call(&[&["--json"], args].concat()).stdout;
    schema::document("sessions", &stdout(&["ls"]));
    schema::document("inspected", &stdout(&["inspect", &session.name]));
    schema::document("verified", &stdout(&["verify", &session.name]));
    schema::document("plan", &stdout(&["plan", "--profile", "strict", "--", "true"]));
    schema::document("checks", &stdout(&["doctor"]));
    schema::document("profiles", &stdout(&["profiles"]));
    schema::document("images", &stdout(&["image", "ls"]));
    schema::document("cache", &stdout(&["cache", "status", "--all"]));
    schema::document("cache_log", &stdout(&["cache", "log", &session.name]));
    schema::document("depot", &stdout(&["depot", "status"]));
    schema::document("processes", &stdout(&["top", &session.name]));
    schema::document("terminals", &stdout(&["terminals", &session.name]));
    schema::document("stats", &stdout(&["stats", &session.name]));
    schema::document("stats", &stdout(&["stats", &session.name, &name()]));
    schema::document("changes", &stdout(&["diff", &session.name]));
    schema::document("audit", &stdout(&["audit", "--session", &session.name]));
    for verb in ["pause", "unpause"] {
        schema::document("actions", &stdout(&[verb, &session.name]));
    }
    let launched = name();
    schema::document("launched", &stdout(&["launch", &launched, "--", "sleep", "600"]));
    schema::document("error", &stdout(&["launch", &launched, "--", "true"]));
    schema::document("actions", &stdout(&["rm", "-f", &launched]));
    schema::document("actions", &stdout(&["stop", &session.name]));
    schema::document("actions", &stdout(&["start", &session.name]));
    schema::document("evidence", &stdout(&["evidence", &session.name]));
    let file = tempfile::NamedTempFile::new().unwrap();
    schema::document("copied", &stdout(&["cp", file.path().to_str().unwrap(), &format!("{}:/home/sandbox/x", session.name)]));
}

#[test]
fn streams_are_lines_that_their_schema_describes() {
    let mut kinds = Vec::new();
    let output = palisade().args(["run", "--json", "--", "sh", "-c", "echo out; echo err >&2; printf '\\377'; exit 3"]).output().unwrap();
    for line in output.stdout.split_inclusive(|byte| *byte == b'\n') {
        let event = schema::document("event", line);
        kinds.push(event["type"].as_str().unwrap().to_owned());
    }
    assert_eq!((kinds.first().map(String::as_str), kinds.last().map(String::as_str)), (Some("started"), Some("exit")));
    assert_eq!(output.status.code(), Some(3));
    let session = Session::launch(&[], &["sh", "-c", "echo one; echo two"]);
    let lines = succeed(&["logs", "-f", "--json", &session.name]);
    assert!(!lines.is_empty());
    for line in lines.split_inclusive('\n') {
        schema::document("event", line.as_bytes());
    }
}
