//! `df` and `prune`, before an engine of the test's own with what looks like ours and is not; and a `prune` that is killed as it goes.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::killer::{Moment, Point};
use super::scene::Scene;
use super::stories::{Stride, Tally};
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

const PRUNE: [&str; 2] = ["prune", "--force"];
/// No session has it.
const NOBODY: &str = "01bx5zzkbkactav9wevgemmvrz";

/// Everything that `prune` takes, again and again.
struct Litter {
    /// The request of a launch that comes after the one which makes its container.
    call: usize,
    /// A palisade's that has ended.
    maker: String,
}

impl Litter {
    fn new(scene: &Scene) -> Self {
        let launch = [&["launch", "api"], &LAUNCH[..]].concat();
        let call = scene.requests_of(&launch).iter().position(|line| line.contains("/containers/create?")).unwrap() + 1;
        let maker = scene.docker(&["inspect", "--format", "{{index .Config.Labels \"palisade.maker\"}}", "palisade-api"]);
        scene.succeed(&["rm", "-f", "api"]);
        Self { call, maker }
    }

    /// Volumes of a session without a container and of another build, an image that no tag leads to, a launch that was cut short.
    fn strew(&self, scene: &Scene) {
        let (maker, id) = (format!("palisade.maker={}", self.maker), format!("palisade.session.id={NOBODY}"));
        let volumes = [
            (format!("palisade-home-{NOBODY}"), ["palisade.role=session", &id]),
            (format!("palisade-cache-{NOBODY}"), ["palisade.role=session", &id]),
            ("palisade-supervisor-of-another-build".to_owned(), ["palisade.role=supervisor", "x=y"]),
        ];
        for (name, labels) in &volumes {
            let labels = ["palisade.schema=1", &maker].into_iter().chain(*labels).flat_map(|label| ["--label", label]);
            scene.docker(&["volume", "create"].into_iter().chain(labels).chain([name.as_str()]).collect::<Vec<_>>());
        }
        nameless_image(scene);
        let launch = [&["launch", "api"], &LAUNCH[..]].concat();
        assert!(scene.struck(Point { call: self.call, moment: Moment::Unheard }, &launch).is_some());
    }
}

/// A step of a build, of long ago.
fn nameless_image(scene: &Scene) {
    let labels = json!({ "palisade.schema": "1", "palisade.role": "image", "palisade.image.state": "building" });
    let image = json!({
        "architecture": "amd64", "os": "linux", "created": "2020-01-01T00:00:00Z", "config": { "Labels": labels },
        "rootfs": { "type": "layers", "diff_ids": [] },
    });
    let manifest = json!([{ "Config": "image.json", "RepoTags": null, "Layers": [] }]);
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in [("image.json", image), ("manifest.json", manifest)] {
        let content = content.to_string();
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, content.as_bytes()).unwrap();
    }
    let mut load = Command::new("docker");
    load.args(["--host", &scene.engine.address(), "load"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut load = load.spawn().unwrap();
    load.stdin.take().unwrap().write_all(&archive.into_inner().unwrap()).unwrap();
    assert!(load.wait().unwrap().success());
}

/// Killed as it removes what nobody needs, beside sessions that somebody does.
pub fn prunings(scene: &Scene, stride: &Stride) -> Tally {
    let bare = scene.everything();
    for name in ["kept", "stopped"] {
        scene.launch(name);
        std::fs::write(scene.home_file(name), name).unwrap();
    }
    scene.succeed(&["stop", "stopped"]);
    let before = scene.everything();
    let litter = Litter::new(scene);
    litter.strew(scene);
    let strewn = scene.everything().difference(&before).count();
    assert_eq!(strewn, 7, "three volumes, an image, a container and its two: {:#?}", scene.everything());
    let calls = scene.requests_of(&PRUNE);
    scene.is_as_before(&before, "what nobody needs was removed");
    let mut tally = Tally::default();
    for point in stride.points(&calls) {
        litter.strew(scene);
        let struck = scene.struck(point, &PRUNE);
        let midway = scene.everything();
        let told = scene.succeed(&PRUNE);
        let what = format!("a prune killed at {point:?} {struck:?}: {told}");
        assert!(midway.is_superset(&before), "{what}: gone is {:#?}", before.difference(&midway));
        scene.is_as_before(&before, &what);
        for name in ["kept", "stopped"] {
            assert_eq!(std::fs::read_to_string(scene.home_file(name)).unwrap(), name, "{what}");
        }
        scene.succeed(&["verify", "kept"]);
        scene.succeed(&["audit", "verify"]);
        tally.count(struck.as_ref(), midway == before);
    }
    scene.succeed(&["rm", "-f", "kept", "stopped"]);
    scene.is_as_before(&bare, "the prunings");
    tally
}

#[test]
fn one_prune_finishes_what_a_killed_one_began() {
    println!("{:?}", prunings(&Scene::new(), &Stride(11)));
}
