//! Managers and their one depot: who makes it when several want it, and what becomes of sessions when it goes.

use std::process::Command;

use super::lab::Lab;
use super::registry::{Registry, content, pypi_page, reply};
use crate::support::{docker, left_behind, name, text};

const PAGE: &str = "/pypi/simple/foo/";

fn honest() -> Registry {
    Registry::new(|asked| match asked.path.as_str() {
        PAGE => pypi_page("http://x", "foo", &[("1.0", &content(1, 9_000))]),
        _ => reply(404, "text/plain", b"no"),
    })
}

/// Certificates with which the depot's image is one that no engine has, removed when the test ends.
struct Fresh(tempfile::NamedTempFile);

impl Fresh {
    fn new() -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        let usual = std::fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").unwrap();
        std::fs::write(file.path(), format!("{usual}# {}\n", name())).unwrap();
        Self(file)
    }

    fn lab(&self) -> Lab {
        Lab::with(&format!("ca_bundle = \"{}\"\n", self.0.path().display()))
    }
}

/// Starts them all at one moment, and gives each one's exit code and errors.
fn start_at_once(labs: &[&Lab]) -> Vec<(Option<i32>, String)> {
    std::thread::scope(|scope| {
        let calls: Vec<_> = labs.iter().map(|lab| scope.spawn(|| lab.call(&["depot", "start"]))).collect();
        let outputs = calls.into_iter().map(|call| call.join().unwrap());
        outputs.map(|output| (output.status.code(), text(&output.stderr))).collect()
    })
}

fn image_of(lab: &Lab) -> String {
    docker(&["inspect", "--format", "{{.Image}}", &lab.depot])
}

fn images(reference: &str) -> Vec<String> {
    docker(&["images", "-q", "--no-trunc", "--filter", &format!("reference={reference}")]).lines().map(str::to_owned).collect()
}

#[test]
fn depots_that_are_made_at_one_moment_have_one_image_and_do_not_take_it_from_each_other() {
    let fresh = Fresh::new();
    let labs: Vec<Lab> = (0..4).map(|_| fresh.lab()).collect();
    let reference = labs[0].json(&["depot", "status"])["depot"]["image"].as_str().unwrap().to_owned();
    assert_eq!(images(&reference), [""; 0], "no engine has it yet");
    for (code, errors) in start_at_once(&labs.iter().collect::<Vec<_>>()) {
        assert_eq!(code, Some(0), "{errors}");
    }
    let image = image_of(&labs[0]);
    assert!(labs.iter().all(|lab| image_of(lab) == image));
    assert_eq!(images(&reference), [image.as_str()]);
    drop(labs);
    let _ = Command::new("docker").args(["rmi", &image]).output();
}

#[test]
fn managers_that_want_one_depot_at_one_moment_all_get_it() {
    let fresh = Fresh::new();
    let lab = fresh.lab();
    for (code, errors) in start_at_once(&[&lab; 4]) {
        assert_eq!(code, Some(0), "{errors}");
    }
    let image = image_of(&lab);
    assert_eq!(lab.json(&["depot", "status"])["depot"]["state"], "running");
    drop(lab);
    let _ = Command::new("docker").args(["rmi", &image]).output();
}

#[test]
fn sessions_go_on_with_a_depot_that_was_removed_and_made_anew() {
    let registry = honest();
    let lab = Lab::new(&registry);
    let (running, stopped) = (lab.session(&[]), lab.session(&[]));
    assert_eq!(running.get(PAGE).0, 200);
    lab.succeed(&["stop", &stopped.name]);
    docker(&["rm", "-f", &lab.depot]);
    // Starting a session makes it, with the key that its store has kept.
    lab.succeed(&["start", &stopped.name]);
    assert_eq!((running.get(PAGE).0, stopped.get(PAGE).0), (200, 200));
    let status = lab.json(&["depot", "status"]);
    assert_eq!(status["depot"]["stranded"].as_array().unwrap().len(), 0, "{status}");
}

#[test]
fn sessions_whose_depot_lost_its_store_are_named_and_told_and_helped_by_a_restart() {
    let registry = honest();
    let lab = Lab::new(&registry);
    let (running, stopped) = (lab.session(&[]), lab.session(&[]));
    lab.succeed(&["stop", &stopped.name]);
    docker(&["rm", "-f", &lab.depot]);
    docker(&["volume", "rm", &format!("{}-store", lab.depot)]);
    // Whoever makes it anew hears whom that leaves behind.
    let later = lab.call(&["launch", &name(), "--", "sleep", "600"]);
    let (launched, told) = (text(&later.stdout), text(&later.stderr));
    let _guard = Launched(&lab, launched.trim());
    assert!(later.status.success() && told.contains(&format!("palisade restart {}", running.name)), "{told}");
    let stranded = |lab: &Lab| lab.json(&["depot", "status"])["depot"]["stranded"].clone();
    assert_eq!(stranded(&lab), serde_json::json!([running.name]));
    // As its clients show it.
    assert_eq!(running.get(PAGE).0, 403);
    let (code, _, errors) = running.sh("npm view foo");
    assert!(code != 0 && errors.contains("palisade restart"), "{errors}");
    // pip keeps to itself why an index was refused, unless it is asked.
    let (code, output, errors) = running.sh("pip download -vv --no-deps -d /tmp/x foo");
    assert!(code != 0 && format!("{output}{errors}").contains("palisade restart"), "{output}{errors}");
    // A session that is started now gets a token of the new depot.
    lab.succeed(&["start", &stopped.name]);
    assert_eq!(stopped.get(PAGE).0, 200);
    lab.succeed(&["restart", &running.name]);
    assert_eq!((running.get(PAGE).0, stranded(&lab)), (200, serde_json::json!([])));
}

/// A session that was launched by hand.
struct Launched<'a>(&'a Lab, &'a str);

impl Drop for Launched<'_> {
    fn drop(&mut self) {
        let _ = self.0.call(&["rm", "-f", self.1]);
        assert_eq!(left_behind(self.1), [""; 0]);
    }
}
