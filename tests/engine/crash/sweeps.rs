//! Those that clear up and those that look after a session, killed as they do; and many that clear up at once.

use super::killer::{Moment, Point};
use super::scene::Scene;
use super::stories::{Stride, TINY, Tally};
use crate::support::text;

/// Kills a launch whose container and volumes are there, and forgets its journal: labels alone tell of it.
fn abandon(scene: &Scene, name: &str) {
    let launch = [&["launch", name], &TINY[..]].concat();
    // The request after the one that makes the container.
    let call = scene.requests_of(&launch).iter().position(|line| line.contains("/containers/create?")).unwrap() + 1;
    scene.succeed(&["rm", "-f", name]);
    assert!(scene.struck(Point { call, moment: Moment::Unheard }, &launch).is_some());
    scene.anew();
}

/// Killed as it removes what another one left.
pub fn reaps(scene: &Scene, stride: &Stride) -> Tally {
    let before = scene.everything();
    abandon(scene, "api");
    assert_ne!(scene.everything(), before);
    let calls = scene.requests_of(&["reap"]);
    scene.is_as_before(&before, "a sweep");
    let mut tally = Tally::default();
    for point in stride.points(&calls) {
        abandon(scene, "api");
        let struck = scene.struck(point, &["reap"]);
        let told = scene.succeed(&["reap"]);
        tally.count(struck.as_ref(), told.is_empty());
        scene.is_as_before(&before, &format!("a sweep killed at {point:?} {struck:?}: {told}"));
    }
    tally
}

/// Killed as it moves a deadline, which is one or the other then.
pub fn renewals(scene: &Scene, stride: &Stride) -> Tally {
    let before = scene.everything();
    scene.anew();
    scene.succeed(&[&["launch", "api", "--ttl", "1h"], &TINY[..]].concat());
    let renew = ["renew", "--ttl", "2h", "api"];
    scene.killer.aim(None);
    scene.succeed(&renew);
    let calls = scene.killer.calls();
    let mut tally = Tally::default();
    for point in stride.points(&calls) {
        let struck = scene.struck_here(point, &renew);
        let told = scene.next();
        let what = format!("a renewal killed at {point:?} {struck:?}: {told}");
        assert_eq!(scene.listed("api").unwrap_or_else(|| panic!("{what}"))["status"], "running", "{what}");
        scene.succeed(&["verify", "api"]);
        scene.succeed(&renew);
        tally.count(struck.as_ref(), false);
    }
    scene.succeed(&["rm", "-f", "api"]);
    scene.is_as_before(&before, "the renewals");
    tally
}

#[test]
fn those_that_clear_up_at_once_or_are_killed_as_they_do_leave_nothing() {
    let scene = Scene::new();
    let before = scene.everything();
    for name in ["one", "two"] {
        abandon(&scene, name);
    }
    let sweepers: Vec<_> = (0..4)
        .map(|_| {
            let state = tempfile::tempdir().unwrap();
            let mut sweeper = scene.palisade_of(state.path());
            sweeper.arg("reap").stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            (sweeper.spawn().unwrap(), state)
        })
        .collect();
    for (sweeper, _state) in sweepers {
        let output = sweeper.wait_with_output().unwrap();
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    }
    scene.is_as_before(&before, "four that cleared up at once");
    println!("{:?}", reaps(&scene, &Stride(7)));
}
