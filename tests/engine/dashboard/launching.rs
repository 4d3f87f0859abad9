//! The launch form by keys: what is typed is judged beside its field, shown as a plan and a command line, and launched.

use super::inspected;
use super::screen::Screen;
use crate::support::{Session, name, succeed, until};

/// Goes from one field down to another.
fn field(screen: &Screen, from: &str, to: &str) {
    let steps = |name: &str| FIELDS.iter().position(|field| *field == name).unwrap();
    for _ in steps(from)..steps(to) {
        screen.keys(&["down"]);
    }
}

/// The form's first fields, from the top down.
const FIELDS: [&str; 14] =
    ["name", "kind", "profile", "image", "command", "timeout", "workspace", "mode", "env", "secrets", "network", "memory", "cpus", "pids"];

#[test]
fn a_session_is_launched_by_the_form_as_it_was_typed() {
    let wanted = Session { name: format!("{}-formed", name()) };
    let screen = Screen::shell(140, 50);
    screen.start();
    screen.keys(&["n"]);
    screen.shows("Launch a sandbox");
    screen.typed("not a name");
    screen.shows("not a name");
    screen.keys(&["ctrl-u"]);
    screen.typed(&wanted.name);
    field(&screen, "name", "command");
    screen.typed("sleep 777");
    field(&screen, "command", "network");
    screen.typed("n");
    field(&screen, "network", "memory");
    screen.typed("512MiB");
    field(&screen, "memory", "pids");
    screen.typed("0");
    // A limit that is none is refused before anything is launched.
    screen.keys(&["ctrl-u"]);
    screen.typed("55");
    let shown = screen.wait("the command line says the same", |screen| {
        let joined: String = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        ["--network none", "--memory", "--pids-limit 55", "sleep 777"].iter().all(|part| joined.contains(part))
    });
    assert!(shown.contains("55"), "{shown}");
    screen.keys(&["ctrl-y"]);
    until("the command line is copied", || screen.clipboard().starts_with("palisade launch"));
    let line = screen.clipboard();
    assert!(line.contains(&wanted.name) && line.contains("--pids-limit 55"), "{line}");
    screen.keys(&["ctrl-s"]);
    screen.row_shows(&wanted.name, "running");
    screen.row_shows(&wanted.name, "21/21");
    assert_eq!(
        inspected(&wanted.name, "{{.HostConfig.PidsLimit}} {{.HostConfig.Memory}} {{.HostConfig.NetworkMode}}"),
        "55 536870912 none"
    );
    assert!(succeed(&["ls"]).lines().any(|line| line.contains(&wanted.name) && line.contains("sleep 777")));

    // The last values come back, and one that cannot be launched stays in the form with its reason.
    screen.keys(&["n"]);
    screen.wait("the last values are there", |screen| screen.contains("sleep 777") && screen.contains("55"));
    screen.keys(&["esc"]);
    screen.row_shows(&wanted.name, "running");
}

#[test]
fn an_ephemeral_session_is_launched_by_the_form_and_goes_when_it_is_removed() {
    let wanted = Session { name: format!("{}-brief", name()) };
    let screen = Screen::shell(140, 50);
    screen.start();
    screen.keys(&["n"]);
    screen.shows("Launch a sandbox");
    screen.keys(&["ctrl-u"]);
    screen.typed(&wanted.name);
    field(&screen, "name", "kind");
    screen.typed("e");
    screen.shows("palisade run");
    field(&screen, "kind", "command");
    screen.keys(&["ctrl-u"]);
    screen.typed("sleep 778");
    field(&screen, "command", "network");
    screen.typed("n");
    screen.keys(&["ctrl-s"]);
    screen.row_shows(&wanted.name, "ephemeral");
    screen.filter(&wanted.name);
    screen.row_shows(&wanted.name, "running");
    assert_eq!(inspected(&wanted.name, "{{.HostConfig.AutoRemove}}"), "true");
    screen.keys(&["d"]);
    screen.shows(&format!("remove {}?", wanted.name));
    screen.keys(&["y"]);
    until("it is gone", || crate::support::left_behind(&wanted.name).is_empty());
}
