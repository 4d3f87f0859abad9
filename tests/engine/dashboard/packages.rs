//! Packages and the image: fetched ahead of time, pruned, built, by keys.

use super::screen::Screen;
use crate::depot::lab::Lab;
use crate::depot::registry::Registry;
use crate::support::until;

#[test]
fn packages_are_fetched_ahead_and_pruned() {
    let registry = Registry::counting();
    let lab = Lab::new(&registry);
    let config = lab.palisade().get_envs().find_map(|(key, value)| (key == "XDG_CONFIG_HOME").then_some(value?.to_owned())).unwrap();
    let screen = Screen::with(120, 36, &[("XDG_CONFIG_HOME", config.to_str().unwrap())]);
    screen.start();
    screen.keys(&["C"]);
    screen.line("six npm:left-pad");
    until("both were fetched", || registry.artifacts().len() >= 2 && !lab.files("blobs").is_empty());
    screen.wait("its end is told", |screen| screen.contains("2 files") || screen.contains("fetched"));
    let status = lab.json(&["cache", "status"]);
    assert!(status.to_string().contains("misses"), "{status}");
    screen.keys(&["P"]);
    screen.line("0B");
    until("the store is empty", || lab.files("blobs").is_empty());
}

#[test]
fn building_the_image_shows_its_progress_and_can_be_given_up() {
    let screen = Screen::shell(120, 36);
    screen.start();
    screen.keys(&["B"]);
    screen.shows("building the sandbox image");
    screen.keys(&["ctrl-x"]);
    screen.shows_not("building the sandbox image");
    screen.keys(&["N"]);
    screen.shows("was interrupted");
}
