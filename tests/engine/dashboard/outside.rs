//! What others do to a session is on the screen a moment later, without a key.

use std::time::Instant;

use super::screen::{Screen, latency};
use super::{inspected, session};
use crate::support::{Session, docker, name, palisade, succeed, text, until};

#[test]
fn what_others_do_is_on_the_screen() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(140, 50, &session.name);
    let container = session.container();
    screen.keys(&["]"]);
    screen.shows("pids_limit");
    screen.row_shows(&session.name, "21/21");

    docker(&["update", "--pids-limit", "4000", &container]);
    let began = Instant::now();
    screen.wait("its posture is called weaker", |screen| screen.lines().any(|line| line.contains(&session.name) && line.contains('✘')));
    latency("docker update --pids-limit", began);
    screen.shows("4000");
    docker(&["update", "--pids-limit", "100", &container]);
    screen.row_shows(&session.name, "21/21");

    docker(&["exec", "-d", "-u", "0", &container, "sleep", "300"]);
    let began = Instant::now();
    screen.wait("a process of root's is told", |screen| screen.lines().any(|line| line.contains(&session.name) && line.contains('✘')));
    latency("docker exec -u 0", began);

    docker(&["kill", &container]);
    let began = Instant::now();
    screen.row_shows(&session.name, "exited");
    latency("docker kill", began);
    assert_eq!(inspected(&session.name, "{{.State.Status}}"), "exited");

    docker(&["rm", "-f", &container]);
    let began = Instant::now();
    screen.wait("its line is gone", |screen| !screen.lines().any(|line| line.contains(&session.name) && line.contains("exited")));
    latency("docker rm", began);
}

#[test]
fn a_session_that_another_manager_launches_is_listed_when_it_is_there() {
    let part = format!("{}-", name());
    let screen = Screen::shell(120, 36);
    screen.start();
    let fresh = Session { name: format!("{part}fresh") };
    succeed(&["launch", &fresh.name, "--network", "none"]);
    let began = Instant::now();
    // Others' sessions may stand before it.
    screen.filter(&fresh.name);
    screen.row_shows(&fresh.name, "running");
    latency("palisade launch", began);
}

#[test]
fn what_was_done_behind_our_back_shows_with_both_values_and_a_key_takes_it_back() {
    let session = session(&["sleep", "600"]);
    let screen = Screen::dashboard(120, 36, &session.name);
    screen.row_shows(&session.name, "21/21");
    docker(&["update", "--restart", "always", "--cpus", "0.5", &session.container()]);
    screen.shows("cpus: 2 -> 0.5");
    screen.shows("restart_policy: no -> always");
    docker(&["update", "--restart", "no", &session.container()]);
    screen.row_shows(&session.name, "drifted");
    screen.keys(&["u"]);
    screen.shows(&format!("update {}?", session.name));
    screen.keys(&["y"]);
    screen.row_shows(&session.name, "21/21");
    assert_eq!(inspected(&session.name, "{{.HostConfig.NanoCpus}}"), "2000000000");
}

#[test]
fn a_network_that_is_connected_shows_and_what_ends_by_itself_leaves_its_evidence() {
    let screen = Screen::shell(120, 36);
    screen.start();
    let ours = |args: &[&str]| {
        let output = palisade().env("XDG_STATE_HOME", screen.state_home()).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    let session = Session { name: name() };
    ours(&["launch", &session.name, "--network", "open", "--ttl", "8h", "--", "sleep", "600"]);
    screen.filter(&session.name);
    screen.row_shows(&session.name, "running");
    screen.shows("stopped in");

    let network = format!("palisade-{}", name());
    docker(&["network", "create", "--internal", &network]);
    docker(&["network", "connect", &network, &session.container()]);
    let shown = screen.wait("the network is named", |screen| screen.contains("networks: bridge -> bridge"));
    docker(&["network", "disconnect", "-f", &network, &session.container()]);
    docker(&["network", "rm", &network]);
    assert!(shown.contains("drifted"), "{shown}");

    docker(&["kill", &session.container()]);
    until("its end is told by the dashboard", || {
        let kept: serde_json::Value = serde_json::from_str(&ours(&["evidence", "--json"])).unwrap();
        let kept = kept["evidence"].as_array().unwrap();
        kept.iter().any(|kept| kept["evidence"]["seen_by"] == "dashboard" && kept["evidence"]["exit_code"] == 137)
    });
}
