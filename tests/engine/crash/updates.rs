//! An update or a restart that is killed at each of its requests: whichever container a session has then, it is one, and what it kept is there.

use std::process::Command;

use super::killer::{Moment, Point};
use super::scene::Scene;
use super::stories::{Stride, Tally};
use super::twice;
use crate::support::text;

/// What there is to update, again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A limit is given back to the container that runs.
    Live,
    /// It takes another container.
    Recreate,
    /// Of a session that does not run.
    Stopped,
    /// The same container is stopped and started again.
    Restart,
}

pub const UPDATE: [&str; 3] = ["update", "--restart", "api"];
const KEPT: [&str; 2] = ["/home/sandbox", "/cache"];

impl Kind {
    /// Whether another container is made for it, and whether one is stopped.
    fn takes(self) -> (bool, bool) {
        match self {
            Self::Live => (false, false),
            Self::Recreate => (true, true),
            Self::Stopped => (true, false),
            Self::Restart => (false, true),
        }
    }

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
        let mut outdate = || match self {
            Self::Live => assert!(scene.engine.docker(&["update", "--pids-limit", "90", "palisade-api"]).status.success()),
            Self::Restart => put_in_an_interface(scene),
            Self::Recreate | Self::Stopped => profile(),
        };
        outdate();
        let calls = scene.requests_of(&UPDATE);
        let (makes, stops) = ["/containers/create?", "/stop"].map(|call| calls.iter().any(|line| line.contains(call))).into();
        assert_eq!((makes, stops), self.takes(), "{self:?}: {calls:#?}");
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
            assert_eq!(listed["status"] == "running", self != Self::Stopped, "{what}");
            let is_current = scene.succeed(&["update", "--dry-run", "api"]).starts_with("api: current");
            tally.count(struck.as_ref(), is_current);
            // Whichever it has, the way to today's is open.
            scene.succeed(&UPDATE);
            assert_eq!(scene.listed("api").unwrap()["drift"]["state"], serde_json::json!(["current"]), "{what}");
            if self != Self::Stopped {
                scene.succeed(&["verify", "api"]);
            }
        }
        if self == Self::Recreate {
            let mut again = || {
                scene.succeed(&UPDATE);
                outdate();
            };
            decided_by_the_next(scene, &calls, &UPDATE, &mut again);
        }
        scene.succeed(&["rm", "-f", "api"]);
        scene.is_as_before(&before, "the updates");
        tally
    }
}

/// With which a session is born that had none.
fn put_in_an_interface(scene: &Scene) {
    let pid = text(&scene.engine.docker(&["inspect", "--format", "{{.State.Pid}}", "palisade-api"]).stdout);
    let mut nsenter = Command::new("nsenter");
    nsenter.args(["-t", pid.trim(), "-n", "busybox", "ip", "link", "add", "extra", "type", "bridge"]);
    let output = nsenter.output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

pub fn sessions_of(scene: &Scene) -> Vec<String> {
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

pub fn restart(scene: &Scene, stride: &Stride) -> Tally {
    Kind::Restart.killed(scene, stride)
}

/// A session that is stopped and started again runs after the next command, unless that says otherwise.
pub fn restarts(scene: &Scene, stride: &Stride) -> Tally {
    const RESTART: [&str; 2] = ["restart", "api"];
    let before = scene.everything();
    scene.launch("api");
    std::fs::write(scene.home_file("api"), "data").unwrap();
    let calls = scene.requests_of(&RESTART);
    let mut tally = Tally::default();
    for point in stride.points(&calls) {
        let struck = scene.struck(point, &RESTART);
        let told = scene.next();
        let what = format!("a restart killed at {point:?} {struck:?}: {told}");
        assert_eq!(scene.listed("api").unwrap_or_else(|| panic!("{what}"))["status"], "running", "{what}");
        assert_eq!(std::fs::read_to_string(scene.home_file("api")).unwrap(), "data", "{what}");
        scene.succeed(&["verify", "api"]);
        tally.count(struck.as_ref(), told.contains("it runs again"));
    }
    decided_by_the_next(scene, &calls, &RESTART, &mut || ());
    scene.succeed(&["rm", "-f", "api"]);
    scene.is_as_before(&before, "the restarts");
    tally
}

/// Who asks for the session itself is answered as if nothing had been under way.
fn decided_by_the_next(scene: &Scene, calls: &[String], killed: &[&str], before: &mut impl FnMut()) {
    let call = calls.iter().position(|line| line.contains("/stop")).unwrap();
    for (next, status) in [("start", "running"), ("restart", "running"), ("stop", "exited")] {
        before();
        assert!(scene.struck(Point { call, moment: Moment::Answered }, killed).is_some());
        scene.succeed(&[next, "api"]);
        assert_eq!(scene.listed("api").unwrap()["status"], status, "{next} after {killed:?} was cut short");
        assert_eq!(sessions_of(scene), ["palisade-api"], "{next} after {killed:?} was cut short");
    }
}

#[test]
fn one_next_command_starts_what_a_killed_palisade_had_stopped_to_start_again() {
    let scene = Scene::new();
    println!("{:?}", restarts(&scene, &Stride(9)));
    println!("{:?}", restart(&scene, &Stride(11)));
}

#[test]
fn one_next_command_settles_what_a_killed_palisade_left_of_an_update() {
    let scene = Scene::new();
    println!("{:?}", recreate(&scene, &Stride(11)));
    println!("{:?}", twice::updates(&scene, &Stride(23)));
    println!("{:?}", live(&scene, &Stride(9)));
}
