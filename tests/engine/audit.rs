//! The audit log: what an operator did is in it, and nothing can be taken out of it unseen.

use std::process::Output;

use serde_json::Value;

use crate::support::{Session, palisade};

fn with(state: &std::path::Path, arguments: &[&str]) -> Output {
    palisade().env("XDG_STATE_HOME", state).args(arguments).output().unwrap()
}

#[test]
fn what_was_done_is_written_down_and_a_line_that_is_changed_is_found() {
    let state = tempfile::tempdir().unwrap();
    let session = Session::launch(&[], &["sleep", "600"]);
    let name = session.name.as_str();
    let done = |arguments: &[&str]| {
        let output = with(state.path(), arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    done(&["exec", name, "--", "true"]);
    done(&["verify", name]);
    done(&["pause", name]);
    done(&["unpause", name]);
    done(&["stop", "--grace", "0", name]);
    done(&["start", name]);
    done(&["run", "--network", "none", "--", "true"]);
    let entries: Value = serde_json::from_str(&done(&["--json", "audit"])).unwrap();
    let entries = entries["entries"].as_array().unwrap();
    let actions: Vec<&str> = entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["exec", "verify", "pause", "unpause", "stop", "end", "start", "launch", "end"]);
    assert_eq!(entries[0]["detail"]["command"], serde_json::json!(["true"]));
    assert_eq!(entries[0]["session"]["name"], name);
    assert_eq!(entries[7]["detail"]["plan"]["create"]["cap_drop"], serde_json::json!(["ALL"]), "the whole plan");
    let shown = done(&["audit", "--session", name, "-n", "1"]);
    assert!(shown.contains("start") && shown.lines().count() == 2, "{shown}");
    assert!(done(&["audit", "verify"]).starts_with("9 entries hold together"));

    let log = state.path().join("palisade/audit.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replacen("\"pause\"", "\"paint\"", 1)).unwrap();
    let output = with(state.path(), &["audit", "verify"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains("line 3: the line is not as it was written"), "{said}");
    // What is done is done, and the operator learns that it is not written down.
    std::fs::write(&log, text.lines().next().unwrap()).unwrap();
    let output = with(state.path(), &["exec", name, "--", "true"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("'exec' is not in the audit log"), "{said}");
}
