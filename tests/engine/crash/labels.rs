//! Managers that share an engine and no journal, and managers that live.

use std::process::Stdio;

use super::killer::{Moment, Point};
use super::scene::Scene;
use crate::support::{text, until};

const LAUNCH: [&str; 6] = ["launch", "api", "--image", "tiny:latest", "--network", "none"];

#[test]
fn what_a_living_palisade_makes_is_left_to_it_and_what_a_dead_one_left_goes_by_its_label() {
    let scene = Scene::new();
    let before = scene.everything();
    let calls = scene.requests_of(&LAUNCH);
    let create = calls.iter().position(|line| line.contains("/containers/create?") && line.contains("palisade-api")).unwrap();
    scene.succeed(&["rm", "-f", "api"]);
    let elsewhere = tempfile::tempdir().unwrap();
    let other = |args: &[&str]| {
        let output = scene.palisade_of(elsewhere.path()).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?} {}", text(&output.stderr));
    };
    // Its container is there and was never started.
    scene.anew();
    scene.killer.aim(Some(Point { call: create + 1, moment: Moment::Held }));
    let mut living = scene.palisade();
    let living = living.args(LAUNCH).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("it is held", || scene.killer.struck().is_some());
    let held = scene.everything();
    assert_ne!(held, before);
    other(&["rm", "-f", "nobody"]);
    scene.next();
    assert_eq!(scene.everything(), held, "another palisade, and another of the same operator's, leave it alone");
    scene.killer.rest();
    let output = living.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    scene.succeed(&["verify", "api"]);
    scene.succeed(&["rm", "-f", "api"]);
    scene.is_as_before(&before, "the launch that was held");

    for call in [create, create + 1, create + 2] {
        let struck = scene.struck(Point { call, moment: Moment::Answered }, &LAUNCH);
        other(&["rm", "-f", "nobody"]);
        scene.is_as_before(&before, &format!("another operator's command after {struck:?}"));
    }
    // Nothing is left for its own journal to find.
    scene.next();
    scene.is_as_before(&before, "its own operator's command");
}
