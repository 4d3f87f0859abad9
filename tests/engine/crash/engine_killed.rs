//! An engine that is killed and started again under launches, a foreground session and a build: each ends, and one next command later
//! everything is accounted for.

use std::process::{Child, Stdio};

use serde_json::Value;

use super::scene::{BASE, Scene};
use crate::support::{text, until};

/// Waits at its own gate for as long as its input is open: what there is to run in an image without a program.
const WAITS: [&str; 7] = ["/palisade/0/0/0/0/0/0/palisade", "supervise", "--grace", "1", "--shell-idle", "60", "--idle"];

fn begin(scene: &Scene, args: &[&str]) -> Child {
    let mut command = scene.palisade_of(scene.state().path());
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Whether it succeeded; what fails says so, on what, and to whom.
fn ended(what: &str, child: Child) -> bool {
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        return true;
    }
    let said = text(&output.stderr);
    assert!(said.contains("error: ") && !said.contains("panicked"), "{what}: {:?} {said}", output.status);
    false
}

fn killed_under(launches: usize) -> (usize, bool) {
    let scene = Scene::new();
    scene.with_base();
    let before = scene.everything();
    scene.launch("kept");
    std::fs::write(scene.home_file("kept"), "data").unwrap();
    let tiny = ["--image", "tiny:latest", "--network", "none"];
    let foreground = begin(&scene, &[&["run", "--name", "job"], &tiny[..], &["--"], &WAITS].concat());
    until("a session runs in the foreground", || scene.listed("job").is_some_and(|row| row["status"] == "running"));
    let build = begin(&scene, &["image", "build", "--base", BASE, "--tag", "built:latest"]);
    let names: Vec<String> = (0..launches).map(|number| format!("many{number}")).collect();
    let begun: Vec<(&String, Child)> =
        names.iter().map(|name| (name, begin(&scene, &[&["launch", name.as_str()], &tiny[..]].concat()))).collect();
    until("some of them are there", || {
        text(&scene.engine.docker(&["ps", "-aq", "--filter", "name=palisade-many"]).stdout).lines().count() > launches / 4
    });
    scene.engine.kill();
    scene.engine.start();
    let up: Vec<&String> = begun.into_iter().filter_map(|(name, child)| ended(name, child).then_some(name)).collect();
    let is_built = ended("build", build);
    ended("run", foreground);
    let told = scene.next();
    for name in &names {
        let listed = scene.listed(name);
        assert_eq!(listed.is_some(), up.contains(&name), "{name}: {listed:?} {told}");
    }
    for name in up.iter().map(|name| name.as_str()).chain(["kept"]) {
        assert_eq!(scene.listed(name).unwrap()["status"], "running");
        scene.succeed(&["verify", name]);
    }
    let document: Value = serde_json::from_str(&scene.succeed(&["ls", "--json"])).unwrap();
    let listed = document["sessions"].as_array().unwrap().len();
    let sessions = scene.engine.docker(&["ps", "-aq", "--filter", "label=palisade.schema=1", "--filter", "label=palisade.role=session"]);
    assert_eq!(text(&sessions.stdout).lines().count(), listed, "the list and the engine agree");
    assert_eq!(std::fs::read_to_string(scene.home_file("kept")).unwrap(), "data");
    for name in up.iter().map(|name| name.as_str()).chain(["kept", "job"]) {
        scene.succeed(&["rm", "-f", name]);
    }
    if is_built {
        assert!(scene.engine.docker(&["rmi", "built:latest"]).status.success());
    }
    scene.is_as_before(&before, &format!("the engine was killed: {told}"));
    (up.len(), is_built)
}

#[test]
#[ignore = "an engine that is killed takes its time: scripts/soak engine-kill"]
fn soak_engine_kill_under_a_few_launches() {
    killed_under(5);
}

#[test]
#[ignore = "takes minutes: scripts/soak engine-kill"]
fn soak_engine_kill_under_twenty_launches_a_foreground_session_and_a_build() {
    for round in 1..=3 {
        let (up, built) = killed_under(20);
        println!("round {round}: {up} of 20 launches came up, the build {}", if built { "was finished" } else { "failed, and said so" });
    }
}
