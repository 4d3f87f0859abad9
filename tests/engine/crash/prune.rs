//! `df` and `prune`, before an engine of the test's own with what looks like ours and is not.

use std::collections::BTreeSet;

use serde_json::Value;

use super::scene::Scene;
use crate::common::schema;
use crate::support::text;

const LAUNCH: [&str; 4] = ["--image", "tiny:latest", "--network", "none"];

impl Scene {
    fn document(&self, kind: &str, args: &[&str]) -> Value {
        let output = self.call(&[&["--json"], args].concat());
        assert!(output.status.success(), "palisade {args:?}: {}", text(&output.stdout));
        schema::document(kind, &output.stdout)
    }

    fn docker(&self, args: &[&str]) -> String {
        let output = self.engine.docker(args);
        assert!(output.status.success(), "docker {args:?}: {}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }
}

#[test]
fn what_nobody_needs_is_pruned_and_nothing_else() {
    let scene = Scene::new();
    for name in ["kept", "stopped", "gone"] {
        scene.succeed(&[&["launch", name], &LAUNCH[..]].concat());
    }
    scene.succeed(&["stop", "stopped"]);
    let id = scene.docker(&["inspect", "--format", "{{index .Config.Labels \"palisade.session.id\"}}", "palisade-gone"]);
    let (home, cache) = (format!("palisade-home-{id}"), format!("palisade-cache-{id}"));
    let maker = scene.docker(&["volume", "inspect", "--format", "{{index .Labels \"palisade.maker\"}}", &home]);
    scene.docker(&["rm", "-f", "palisade-gone"]);
    let old = "palisade-supervisor-of-another-build";
    let labels = ["palisade.schema=1", "palisade.role=supervisor", &format!("palisade.maker={maker}")];
    let labels = labels.iter().flat_map(|label| ["--label", label]);
    scene.docker(&["volume", "create"].into_iter().chain(labels).chain([old]).collect::<Vec<_>>());
    let before = scene.everything();

    let taken = scene.document("taken", &["df"]);
    let sessions: Vec<&str> = taken["sessions"].as_array().unwrap().iter().filter_map(|session| session["name"].as_str()).collect();
    assert!(sessions.contains(&"kept") && sessions.contains(&"stopped") && !sessions.contains(&"gone"), "{taken}");
    assert!(taken["sessions"][0]["soft"].is_u64() && taken["images"].is_u64() && taken["unknown"].is_null(), "{taken}");

    let expected: BTreeSet<&str> = [home.as_str(), &cache, old].into();
    let names = |document: &Value| -> BTreeSet<String> {
        let all = document["pruned"].as_array().unwrap();
        all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    let dry = scene.document("pruned", &["prune", "--dry-run"]);
    assert_eq!(names(&dry).iter().map(String::as_str).collect::<BTreeSet<_>>(), expected, "{dry}");
    let unasked = scene.call(&["prune"]);
    assert_eq!(unasked.status.code(), Some(2), "{}", text(&unasked.stderr));
    assert!(text(&unasked.stderr).contains("palisade prune --force"), "{}", text(&unasked.stderr));
    assert_eq!(scene.everything(), before, "nothing was done yet");

    let done = scene.document("pruned", &["prune", "--force"]);
    assert_eq!(names(&done), names(&dry));
    let gone: BTreeSet<String> = expected.iter().map(|name| format!("volume {name}")).collect();
    assert_eq!(scene.everything(), before.difference(&gone).cloned().collect::<BTreeSet<_>>(), "all else is as it was");
    let log = scene.succeed(&["--json", "audit"]);
    assert_eq!(log.matches("\"prune\"").count(), 3, "{log}");
    assert_eq!(names(&scene.document("pruned", &["prune", "--force"])), BTreeSet::new());
}
