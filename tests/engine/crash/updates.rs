//! An update that is killed at each of its requests: whichever container a session has then, it is one, and what it kept is there.

use super::scene::Scene;
use super::stories::{Stride, Tally};
use crate::support::text;

/// What there is to update, again and again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A limit is given back to the container that runs.
    Live,
    /// It takes another container.
    Recreate,
    /// Of a session that does not run.
    Stopped,
}

const UPDATE: [&str; 3] = ["update", "--restart", "api"];
const KEPT: [&str; 2] = ["/home/sandbox", "/cache"];

impl Kind {
    fn killed(self, scene: &Scene, stride: &Stride) -> Tally {
        let before = scene.everything();
        let mut turn = [32, 48].iter().cycle();
        let mut profile = || {
            let text = format!("image = 'tiny:latest'\nnetwork = 'none'\npids_limit = 60\ntmp_size = '{}MiB'\n", turn.next().unwrap());
            scene.profile(&text);
        };
        profile();
        scene.succeed(&["launch", "api", "--profile", "mine"]);
        if self == Self::Stopped {
            scene.succeed(&["stop", "api"]);
        }
        for folder in KEPT {
            std::fs::write(scene.file_in("api", folder), folder).unwrap();
        }
        let id = scene.listed("api").unwrap()["id"].clone();
        let mut outdate = || {
            if self == Self::Live {
                assert!(scene.engine.docker(&["update", "--pids-limit", "90", "palisade-api"]).status.success());
            } else {
                profile();
            }
        };
        outdate();
        let calls = scene.requests_of(&UPDATE);
        let mut tally = Tally::default();
        for point in stride.points(&calls) {
            outdate();
            let struck = scene.struck(point, &UPDATE);
            let told = scene.next();
            let what = format!("an update killed at {point:?} {struck:?}: {told}");
            assert_eq!(sessions_of(scene), ["palisade-api"], "{what}");
            let listed = scene.listed("api").unwrap_or_else(|| panic!("{what}"));
            assert_eq!(listed["id"], id, "{what}");
            for folder in KEPT {
                assert_eq!(std::fs::read_to_string(scene.file_in("api", folder)).unwrap(), folder, "{what}");
            }
            match (self != Self::Stopped, listed["status"] == "running") {
                (true, false) => {
                    assert!(told.contains("palisade start api"), "{what}");
                    scene.succeed(&["start", "api"]);
                }
                (runs, is_running) => assert_eq!(is_running, runs, "{what}"),
            }
            let is_current = listed["drift"]["state"] == serde_json::json!(["current"]);
            tally.count(struck.as_ref(), is_current);
            // Whichever it has, the way to today's is open.
            scene.succeed(&UPDATE);
            assert_eq!(scene.listed("api").unwrap()["drift"]["state"], serde_json::json!(["current"]), "{what}");
            if self != Self::Stopped {
                scene.succeed(&["verify", "api"]);
            }
        }
        scene.succeed(&["rm", "-f", "api"]);
        scene.is_as_before(&before, "the updates");
        tally
    }
}

fn sessions_of(scene: &Scene) -> Vec<String> {
    let listed = scene.engine.docker(&["ps", "-a", "--filter", "label=palisade.session.name=api", "--format", "{{.Names}}"]);
    text(&listed.stdout).lines().map(str::to_owned).collect()
}

pub fn live(scene: &Scene, stride: &Stride) -> Tally {
    Kind::Live.killed(scene, stride)
}

pub fn recreate(scene: &Scene, stride: &Stride) -> Tally {
    Kind::Recreate.killed(scene, stride)
}

pub fn recreate_stopped(scene: &Scene, stride: &Stride) -> Tally {
    Kind::Stopped.killed(scene, stride)
}

#[test]
fn one_next_command_settles_what_a_killed_palisade_left_of_an_update() {
    let scene = Scene::new();
    println!("{:?}", recreate(&scene, &Stride(11)));
    println!("{:?}", live(&scene, &Stride(9)));
}
