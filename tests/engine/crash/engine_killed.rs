//! An engine that is killed and started again under launches, a foreground session, a build, an attached terminal and an install: each
//! ends, and one next command later everything is accounted for.

use std::collections::BTreeSet;
use std::process::{Child, Stdio};

use serde_json::Value;

use super::scene::{BASE, Scene};
use super::slow_registry;
use crate::dashboard::screen::{Screen, sessions};
use crate::engine::{Engine, Sessions};
use crate::support::{text, until, until_had};

/// Waits at its own gate for as long as its input is open: what there is to run in an image without a program.
const WAITS: [&str; 7] = ["/palisade/0/0/0/0/0/0/palisade", "supervise", "--grace", "1", "--shell-idle", "60", "--idle"];
const TINY: [&str; 4] = ["--image", "tiny:latest", "--network", "none"];

/// What is under way when the engine is killed, beside launches, a foreground session and a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Also {
    Attached,
    AttachedAndInstalling,
}

/// How it went.
#[derive(Debug)]
#[expect(dead_code, reason = "shown as a whole")]
struct Went {
    launched: usize,
    is_built: bool,
    is_installed: bool,
    /// What those said that failed.
    errors: BTreeSet<String>,
}

fn begin(scene: &Scene, args: &[&str]) -> Child {
    let mut command = scene.palisade_of(scene.state().path());
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Whether it succeeded; what fails says so, on what, and to whom.
fn ended(what: &str, child: Child, errors: &mut BTreeSet<String>) -> bool {
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        return true;
    }
    let said = text(&output.stderr);
    assert!(said.contains("error: ") && !said.contains("panicked"), "{what}: {:?} {said}", output.status);
    errors.extend(said.lines().find(|line| line.contains("error: ")).map(str::to_owned));
    false
}

/// A shell in a terminal, of the scene's operator.
fn terminal(scene: &Scene, columns: u16, lines: u16) -> Screen {
    let (state, config) = (scene.state().path().display().to_string(), scene.config().display().to_string());
    let env = [("DOCKER_HOST", scene.host.as_str()), ("XDG_STATE_HOME", state.as_str()), ("XDG_CONFIG_HOME", config.as_str())];
    Screen::with(columns, lines, &env)
}

/// How the shell's terminal is set.
fn settings(screen: &Screen) -> String {
    screen.line("clear; echo set-$(stty -g)-end");
    let shown = screen.wait("the settings are told", |screen| screen.contains("-end") && screen.trim_end().ends_with("ready>"));
    shown.split_once("set-").and_then(|(_, rest)| rest.split_once("-end")).map(|(settings, _)| settings.replace('\n', "")).unwrap()
}

/// `(name, status)` of each session, as the engine has it.
fn of_the_engine(scene: &Scene) -> BTreeSet<(String, String)> {
    let ours = ["--filter", "label=palisade.schema=1", "--filter", "label=palisade.role=session"];
    let listed = scene.engine.docker(&[&["ps", "-a", "--format", "{{.Names}} {{.State}}"], &ours[..]].concat());
    let rows = text(&listed.stdout);
    rows.lines()
        .map(|line| line.trim_start_matches("palisade-").split_once(' ').unwrap())
        .map(|(n, s)| (n.to_owned(), s.to_owned()))
        .collect()
}

fn of_the_list(scene: &Scene) -> BTreeSet<(String, String)> {
    let document: Value = serde_json::from_str(&scene.succeed(&["ls", "--json"])).unwrap();
    let field = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    document["sessions"].as_array().unwrap().iter().map(|row| (field(row, "name"), field(row, "status"))).collect()
}

/// The list and the dashboard say what the engine says, once it is at rest.
fn all_agree(scene: &Scene, dashboard: &Screen) -> BTreeSet<(String, String)> {
    until_had("the engine, the list and the dashboard agree", || {
        let (engine, list, shown) = (of_the_engine(scene), of_the_list(scene), dashboard.text());
        let rows: Vec<&str> = sessions(&shown).collect();
        let has = |(name, status): &(String, String)| {
            rows.iter().any(|row| row.split_whitespace().any(|word| word == name) && row.contains(status.as_str()))
        };
        let agree = engine == list && rows.len() == engine.len() && engine.iter().all(has) && !shown.contains("STALE");
        if agree && of_the_engine(scene) == engine { Ok(engine) } else { Err(format!("{engine:#?} {list:#?} {shown}")) }
    })
}

/// `running`: so many of the launches have come so far that their session runs when the engine is killed.
fn killed_under(launches: usize, running: usize, fate: Sessions, also: Also) -> Went {
    let scene = Scene::at(Engine::whose(fate));
    scene.with_base();
    if also == Also::AttachedAndInstalling {
        slow_registry::start(&scene);
    }
    let before = scene.everything();
    scene.launch("kept");
    std::fs::write(scene.home_file("kept"), "data").unwrap();
    scene.succeed(&[&["launch", "-t", "held"], &TINY[..], &["--"], &WAITS].concat());
    let operator = terminal(&scene, 100, 30);
    let (set, palisade) = (settings(&operator), env!("CARGO_BIN_EXE_palisade"));
    operator.line(&format!("clear; {palisade} attach held; echo code-$?"));
    operator.wait("it is drawn", |screen| !screen.contains("attach held"));
    operator.typed("typed-there");
    operator.shows("typed-there");
    let dashboard = terminal(&scene, 160, 60);
    dashboard.line(palisade);
    dashboard.wait("it lists what is there", |screen| sessions(screen).any(|row| row.contains("kept")));

    let foreground = begin(&scene, &[&["run", "--name", "job"], &TINY[..], &["--"], &WAITS].concat());
    until("a session runs in the foreground", || scene.listed("job").is_some_and(|row| row["status"] == "running"));
    let installing = (also == Also::AttachedAndInstalling).then(|| {
        let install = ["pip", "install", "-q", "--target", "/tmp/there", slow_registry::PACKAGE];
        let install = begin(&scene, &[&["run", "--name", "install", "--network", "packages", "--"], &install[..]].concat());
        slow_registry::asked(&scene);
        install
    });
    let build = begin(&scene, &["image", "build", "--base", BASE, "--tag", "built:latest"]);
    let names: Vec<String> = (0..launches).map(|number| format!("many{number}")).collect();
    let begun: Vec<(&String, Child)> =
        names.iter().map(|name| (name, begin(&scene, &[&["launch", name.as_str()], &TINY[..]].concat()))).collect();
    let listed = |all: &str| text(&scene.engine.docker(&["ps", all, "--filter", "name=palisade-many"]).stdout).lines().count();
    until("some of them are there", || listed("-aq") > launches / 4 && listed("-q") >= running);
    scene.engine.kill();
    scene.engine.start();

    let mut errors = BTreeSet::new();
    let up: Vec<&String> = begun.into_iter().filter_map(|(name, child)| ended(name, child, &mut errors).then_some(name)).collect();
    let is_built = ended("build", build, &mut errors);
    ended("run", foreground, &mut errors);
    let is_installed = installing.is_some_and(|install| ended("install", install, &mut errors));
    let shown = operator.wait("attaching ends", |screen| screen.contains("code-"));
    assert!(shown.contains("error: ") && !shown.contains("code-0"), "{shown}");
    assert_eq!(settings(&operator), set);
    assert_eq!(operator.modes(), "0 0 0 1 0");

    let told = scene.succeed(&["reap"]);
    for name in &names {
        let listed = scene.listed(name);
        assert_eq!(listed.is_some(), up.contains(&name), "{name}: {listed:?} {told}");
    }
    let engine = all_agree(&scene, &dashboard);
    for (name, status) in &engine {
        // What runs is measured, and what the next engine ended is not said to run.
        if status == "running" {
            scene.succeed(&["verify", name]);
        } else {
            assert!(fate == Sessions::EndWithIt || name == "listed", "{name} is {status}");
        }
    }
    assert_eq!(std::fs::read_to_string(scene.home_file("kept")).unwrap(), "data");
    drop(dashboard);
    for name in up.iter().map(|name| name.as_str()).chain(["kept", "held"]) {
        scene.succeed(&["rm", "-f", name]);
    }
    for name in ["job", "install"] {
        // Unless it went with its command's end.
        let removed = scene.call(&["rm", "-f", name]);
        assert!(removed.status.success() || text(&removed.stderr).contains("no session"), "{}", text(&removed.stderr));
    }
    if is_built {
        assert!(scene.engine.docker(&["rmi", "built:latest"]).status.success());
    }
    if also == Also::AttachedAndInstalling {
        // It ended with its engine, unless sessions outlive that, and the next launch would start it.
        scene.succeed(&["depot", "start"]);
    }
    scene.is_as_before(&before, &format!("the engine was killed: {told}"));
    errors.extend(shown.lines().find(|line| line.contains("error: ")).map(str::to_owned));
    Went { launched: up.len(), is_built, is_installed, errors }
}

#[test]
#[ignore = "an engine that is killed takes its time: scripts/soak engine-kill"]
fn soak_engine_kill_under_a_few_launches() {
    println!("{:?}", killed_under(5, 0, Sessions::OutliveIt, Also::Attached));
}

#[test]
#[ignore = "takes minutes: scripts/soak engine-kill"]
fn soak_engine_kill_under_twenty_launches_an_attach_a_build_and_an_install() {
    for (round, running) in [(1, 0), (2, 4), (3, 12)] {
        for fate in [Sessions::OutliveIt, Sessions::EndWithIt] {
            println!(
                "round {round}, sessions {fate:?}, of 20 launches: {:?}",
                killed_under(20, running, fate, Also::AttachedAndInstalling)
            );
        }
    }
}
