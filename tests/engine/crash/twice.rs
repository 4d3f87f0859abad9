//! The next command is killed too: at each of the requests by which it would have settled an update that was cut short.

use super::killer::{Moment, Point};
use super::scene::Scene;
use super::stories::{Stride, Tally};
use super::updates::{UPDATE, sessions_of};

/// A session runs after the command after that, in one container.
pub fn updates(scene: &Scene, stride: &Stride) -> Tally {
    let before = scene.everything();
    let mut size = 16;
    let mut outdate = || {
        size += 1;
        scene.profile(&format!("image = 'tiny:latest'\nnetwork = 'none'\ntmp_size = '{size}MiB'\n"));
    };
    outdate();
    scene.succeed(&["launch", "api", "--profile", "mine"]);
    std::fs::write(scene.home_file("api"), "data").unwrap();
    outdate();
    let calls = scene.requests_of(&UPDATE);
    // The new one has the name, waits at its gate, and is to go again.
    let call = calls.iter().rposition(|line| line.contains("/start ")).unwrap();
    let mut cut_short = || {
        outdate();
        assert!(scene.struck(Point { call, moment: Moment::Answered }, &UPDATE).is_some());
    };
    cut_short();
    scene.killer.aim(None);
    let told = scene.next();
    assert!(told.contains("the container that it had is back: it runs again"), "{told}");
    let settling = scene.killer.calls();
    let mut tally = Tally::default();
    for point in stride.points(&settling) {
        cut_short();
        let struck = scene.struck_here(point, &["stop", "nobody"]);
        let told = scene.next();
        let what = format!("the next command killed at {point:?} {struck:?}: {told}");
        assert_eq!(sessions_of(scene), ["palisade-api"], "{what}");
        assert_eq!(scene.listed("api").unwrap_or_else(|| panic!("{what}"))["status"], "running", "{what}");
        assert_eq!(std::fs::read_to_string(scene.home_file("api")).unwrap(), "data", "{what}");
        scene.succeed(&["verify", "api"]);
        tally.count(struck.as_ref(), told.contains("it runs again"));
    }
    scene.succeed(&["rm", "-f", "api"]);
    scene.is_as_before(&before, "what was cut short twice");
    tally
}
