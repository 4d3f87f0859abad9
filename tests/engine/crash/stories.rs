//! Killed at each request, before the engine hears of it and after it answered; then one next command.

use std::collections::BTreeSet;

use super::killer::{Moment, Point};
use super::scene::{BASE, Scene};
use super::{prune, sweeps, twice, updates};
use crate::support::{text, until_had};

/// Of all the points at which it can be killed, each so many from each other.
pub struct Stride(pub usize);

impl Stride {
    pub fn points(&self, calls: &[String]) -> impl Iterator<Item = Point> + use<> {
        let all = (0..calls.len()).flat_map(|call| [Moment::Unheard, Moment::Answered].map(|moment| Point { call, moment }));
        all.collect::<Vec<_>>().into_iter().skip(self.0 / 2).step_by(self.0)
    }
}

/// How often it was killed, and how often what was begun stood afterwards.
#[derive(Debug, Default)]
pub struct Tally {
    kills: usize,
    completed: usize,
}

impl Tally {
    pub fn count(&mut self, struck: Option<&String>, completed: bool) {
        self.kills += usize::from(struck.is_some());
        self.completed += usize::from(completed);
    }
}

pub const TINY: [&str; 4] = ["--image", "tiny:latest", "--network", "none"];
/// What there is to run in an image without a program.
const OURS: &str = "/palisade/0/0/0/0/0/0/palisade";

fn launches(scene: &Scene, stride: &Stride) -> Tally {
    let before = scene.everything();
    let launch = [&["launch", "api"], &TINY[..]].concat();
    let calls = scene.requests_of(&launch);
    scene.succeed(&["rm", "-f", "api"]);
    let mut tally = Tally::default();
    for point in stride.points(&calls) {
        let struck = scene.struck(point, &launch);
        let told = scene.next();
        let what = format!("a launch killed at {point:?} {struck:?}: {told}");
        let stands = scene.listed("api");
        if let Some(session) = &stands {
            assert_eq!(session["status"], "running", "{what}");
            scene.succeed(&["verify", "api"]);
            scene.succeed(&["rm", "-f", "api"]);
        }
        tally.count(struck.as_ref(), stands.is_some());
        scene.is_as_before(&before, &what);
    }
    tally
}

fn runs(scene: &Scene, stride: &Stride) -> Tally {
    let before = scene.everything();
    let run = [&["run", "--name", "job"], &TINY[..], &["--", OURS, "--version"]].concat();
    let calls = scene.requests_of(&run);
    let mut tally = Tally::default();
    for point in stride.points(&calls) {
        let struck = scene.struck(point, &run);
        let told = scene.next();
        tally.count(struck.as_ref(), false);
        scene.is_as_before(&before, &format!("a run killed at {point:?} {struck:?}: {told}"));
    }
    tally
}

fn removals(scene: &Scene, stride: &Stride) -> Tally {
    let before = scene.everything();
    scene.launch("api");
    let calls = scene.requests_of(&["rm", "-f", "api"]);
    let mut tally = Tally::default();
    for point in stride.points(&calls) {
        scene.launch("api");
        std::fs::write(scene.home_file("api"), "data").unwrap();
        let struck = scene.struck(point, &["rm", "-f", "api"]);
        let told = scene.next();
        let what = format!("a removal killed at {point:?} {struck:?}: {told}");
        let stands = scene.listed("api");
        if stands.is_some() {
            assert_eq!(std::fs::read_to_string(scene.home_file("api")).unwrap(), "data", "{what}");
            scene.succeed(&["rm", "-f", "api"]);
        }
        tally.count(struck.as_ref(), stands.is_none());
        scene.is_as_before(&before, &what);
    }
    tally
}

fn renamings(scene: &Scene, stride: &Stride) -> Tally {
    let before = scene.everything();
    scene.launch("api");
    std::fs::write(scene.home_file("api"), "data").unwrap();
    let calls = scene.requests_of(&["rename", "api", "app"]);
    scene.succeed(&["rename", "app", "api"]);
    let mut tally = Tally::default();
    for point in stride.points(&calls) {
        let struck = scene.struck(point, &["rename", "api", "app"]);
        let told = scene.next();
        let what = format!("a renaming killed at {point:?} {struck:?}: {told}");
        let (old, new) = (scene.listed("api"), scene.listed("app"));
        assert!(old.is_some() != new.is_some(), "{what}: {old:?} {new:?}");
        if new.is_some() {
            assert_eq!(std::fs::read_to_string(scene.home_file("app")).unwrap(), "data", "{what}");
            scene.succeed(&["rename", "app", "api"]);
        }
        assert_eq!(std::fs::read_to_string(scene.home_file("api")).unwrap(), "data", "{what}");
        tally.count(struck.as_ref(), new.is_some());
    }
    scene.succeed(&["rm", "-f", "api"]);
    scene.is_as_before(&before, "the renamings");
    tally
}

fn builds(scene: &Scene, points: impl FnOnce(&[String]) -> Vec<Point>) -> Tally {
    scene.with_base();
    let before = scene.everything();
    let build = ["image", "build", "--base", BASE, "--tag", "built:latest"];
    let calls = scene.requests_of(&build);
    let gone = |scene: &Scene| {
        let removed = scene.engine.docker(&["rmi", "built:latest"]);
        assert!(removed.status.success(), "{}", text(&removed.stderr));
    };
    gone(scene);
    scene.is_as_before(&before, "a build");
    let mut tally = Tally::default();
    for point in points(&calls) {
        let struck = scene.struck(point, &build);
        let told = scene.next();
        let stands = scene.engine.docker(&["image", "inspect", "built:latest"]).status.success();
        if stands {
            gone(scene);
        }
        tally.count(struck.as_ref(), stands);
        scene.is_as_before(&before, &format!("a build killed at {point:?} {struck:?}: {told}"));
    }
    tally
}

/// Of another base each time, so that the tag moves from one image to another.
fn rebuilds(scene: &Scene, stride: &Stride) -> Tally {
    const TAGGED: &str = "shell-too:latest";
    scene.with_base();
    let docker = |args: &[&str]| {
        let output = scene.engine.docker(args);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    };
    docker(&["tag", BASE, TAGGED]);
    let before = scene.everything();
    let build = |base| ["image", "build", "--base", base, "--tag", "built:latest"];
    let built_on = || docker(&["image", "inspect", "--format", "{{index .Config.Labels \"palisade.image.base\"}}", "built:latest"]);
    scene.succeed(&build(TAGGED));
    let calls = scene.requests_of(&build(BASE));
    let (images, mut tally) = (scene.everything().len(), Tally::default());
    for point in stride.points(&calls) {
        let (from, to) = if built_on() == BASE { (BASE, TAGGED) } else { (TAGGED, BASE) };
        let struck = scene.struck(point, &build(to));
        let told = scene.next();
        let what = format!("a tag that moves, killed at {point:?} {struck:?}: {told}");
        let moved = built_on();
        assert!([from, to].contains(&moved.as_str()), "{what}: {moved}");
        until_had(&format!("there is one image as before {what}"), || {
            let now = scene.everything();
            if now.len() == images { Ok(()) } else { Err(format!("{images} before, now {now:#?}")) }
        });
        tally.count(struck.as_ref(), moved == to);
    }
    docker(&["rmi", "built:latest"]);
    scene.is_as_before(&before, "images whose tag moved");
    docker(&["rmi", TAGGED]);
    tally
}

/// The image is built in pieces of an answer: between any two of them it may end.
fn midway(calls: &[String], pieces: impl IntoIterator<Item = usize>) -> Vec<Point> {
    let build = calls.iter().position(|line| line.contains("/build?")).unwrap();
    pieces.into_iter().map(|piece| Point { call: build, moment: Moment::Midway(piece) }).collect()
}

fn depots(scene: &Scene, stride: &Stride) -> Tally {
    let before = scene.everything();
    let calls = scene.requests_of(&["depot", "start"]);
    let clear = |scene: &Scene| {
        let id = |what: &str| {
            let new: BTreeSet<String> = scene.everything().difference(&before).filter(|line| line.starts_with(what)).cloned().collect();
            new.into_iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect::<Vec<_>>()
        };
        for (what, remove) in [("container", &["rm", "-fv"][..]), ("volume", &["volume", "rm"]), ("image", &["rmi", "-f"])] {
            for one in id(what) {
                let removed = scene.engine.docker(&[remove, &[one.as_str()]].concat());
                assert!(removed.status.success(), "{}", text(&removed.stderr));
            }
        }
    };
    clear(scene);
    let mut tally = Tally::default();
    for point in stride.points(&calls) {
        let struck = scene.struck(point, &["depot", "start"]);
        let told = scene.next();
        let what = format!("a depot's start killed at {point:?} {struck:?}: {told}");
        let status: serde_json::Value = serde_json::from_str(&scene.succeed(&["depot", "status", "--json"])).unwrap();
        let stands = status["depot"]["state"] == "running";
        if stands {
            // It is whole, and any manager's.
            scene.succeed(&["depot", "start"]);
            clear(scene);
        }
        tally.count(struck.as_ref(), stands);
        scene.is_as_before(&before, &what);
    }
    tally
}

#[test]
fn one_next_command_settles_what_a_killed_palisade_left_of_sessions() {
    let scene = Scene::new();
    println!("{:?}", launches(&scene, &Stride(5)));
    println!("{:?}", runs(&scene, &Stride(9)));
    println!("{:?}", removals(&scene, &Stride(5)));
    println!("{:?}", renamings(&scene, &Stride(3)));
}

#[test]
fn one_next_command_settles_what_a_killed_palisade_left_of_images_and_depots() {
    let scene = Scene::new();
    println!("{:?}", builds(&scene, |calls| midway(calls, [9])));
    println!("{:?}", depots(&scene, &Stride(13)));
}

#[test]
#[ignore = "takes many minutes: scripts/soak crash"]
fn soak_crash_two_hundred_kills() {
    let scene = Scene::new();
    let mut kills = 0;
    let mut round = 0;
    while kills < 200 {
        let every = Stride(1);
        round += 1;
        // Said as it comes: all of it takes half an hour.
        let mut tell = |what: &str, tally: Tally| {
            println!("round {round}: {what}: {} kills, {} stood completed", tally.kills, tally.completed);
            kills += tally.kills;
        };
        tell("launch", launches(&scene, &every));
        tell("run", runs(&scene, &every));
        tell("rm -f", removals(&scene, &every));
        tell("rename", renamings(&scene, &every));
        tell("update, live", updates::live(&scene, &every));
        tell("update, another container", updates::recreate(&scene, &every));
        tell("update, and the next command", twice::updates(&scene, &every));
        tell("update, stopped", updates::recreate_stopped(&scene, &every));
        tell("update, a restart", updates::restart(&scene, &every));
        tell("restart", updates::restarts(&scene, &every));
        tell("image build", builds(&scene, |calls| every.points(calls).chain(midway(calls, 0..40)).collect()));
        tell("image build, another before", rebuilds(&scene, &every));
        tell("depot start", depots(&scene, &every));
        tell("reap", sweeps::reaps(&scene, &every));
        tell("renew", sweeps::renewals(&scene, &every));
        tell("prune", prune::prunings(&scene, &every));
    }
    println!("{kills} kills; after one next command each: nothing left over, no data lost, no decoy touched");
}
