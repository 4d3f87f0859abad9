//! What somebody else does to a session is named, with the process that it gave too much.

use std::process::{Child, Command, Stdio};

use crate::support::{Image, Session, docker, escapes, json, name, text, until, verdict};

fn verify(name: &str) -> serde_json::Value {
    let (code, document) = json(&["verify", name]);
    assert_eq!(code, 5, "{document:#}");
    document
}

#[test]
fn a_raised_pids_limit_is_named() {
    let session = Session::asleep();
    docker(&["update", "--pids-limit", "500", &session.container()]);
    assert_eq!(verdict(&verify(&session.name), "pids_limit"), "weaker");
}

/// PIDs on this host of processes whose command line ends in `marker`.
fn processes(marker: &str) -> Vec<u32> {
    let output = Command::new("pgrep").args(["-f", &format!("{marker}$")]).output().unwrap();
    text(&output.stdout).lines().filter_map(|pid| pid.parse().ok()).collect()
}

#[test]
fn a_root_exec_is_named() {
    let session = Session::asleep();
    docker(&["exec", "-d", "-u", "0", &session.container(), "sleep", "61234"]);
    until("it runs", || processes("sleep 61234").len() == 1);
    let document = verify(&session.name);
    assert!(verdict(&document, "user") != "enforced");
    assert!(escapes(&document, processes("sleep 61234")[0]).contains(&"user".to_owned()), "{document:#}");
}

/// A process of the host's put into the session's namespaces with every capability.
struct Intruder(Child);

impl Intruder {
    fn enter(pid: u32, namespaces: &[&str], seconds: &str) -> Self {
        let child = Command::new("nsenter")
            .args(["-t", &pid.to_string()])
            .args(namespaces)
            .args(["sleep", seconds])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until("it is in", || !processes(&format!("^sleep {seconds}")).is_empty());
        Self(child)
    }
}

impl Drop for Intruder {
    fn drop(&mut self) {
        // nsenter waits for what it forked into the PID namespace, which goes with the session.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_process_with_every_capability_is_named_whichever_namespaces_it_entered() {
    for (namespaces, seconds) in [(&["-a"][..], "61235"), (&["-p", "-m"][..], "61236"), (&["-m"][..], "61237"), (&["-n"][..], "61238")] {
        let session = Session::asleep();
        let intruder = Intruder::enter(session.pid(), namespaces, seconds);
        let document = verify(&session.name);
        let pid = processes(&format!("^sleep {seconds}"))[0];
        let escaped = escapes(&document, pid);
        for control in ["cap_drop", "no_new_privileges", "user"] {
            assert!(escaped.contains(&control.to_owned()), "{namespaces:?} {control}: {document:#}");
        }
        Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        drop(intruder);
    }
}

#[test]
fn a_container_made_by_hand_with_our_labels_is_held_to_the_floor() {
    let session = Session { name: name() };
    let labels = ["palisade.schema=1", "palisade.role=session", &format!("palisade.session.name={}", session.name)];
    let mut args = vec!["run", "-d", "--name"];
    let container = session.container();
    args.push(&container);
    for label in &labels {
        args.extend(["--label", label]);
    }
    args.extend(["--network", "none", "--user", "1000:1000", "--cap-drop", "ALL"]);
    args.extend(["--entrypoint", "/bin/bash", "palisade-sandbox:latest", "-c", "exec -a docker-init sleep 600"]);
    docker(&args);
    let document = verify(&session.name);
    for control in ["no_new_privileges", "init", "pids_limit", "memory", "read_only_rootfs", "log_cap"] {
        assert!(["weaker", "missing"].contains(&verdict(&document, control).as_str()), "{control}: {document:#}");
    }
    assert_eq!(verdict(&document, "cap_drop"), "enforced");
    // It has no id of ours; among all sessions it is found and judged all the same.
    let (code, all) = json(&["verify", "--all"]);
    let found = all["verified"].as_array().unwrap().iter().find(|row| row["name"] == session.name.as_str());
    assert_eq!((code, found.map(|row| row["weaker"] == true)), (5, Some(true)), "{all:#}");
    let (_, listed) = json(&["ls", "--posture"]);
    let row = listed["sessions"].as_array().unwrap().iter().find(|row| row["name"] == session.name.as_str()).unwrap().clone();
    assert_eq!(row["posture"]["verdict"], "missing", "{row:#}");
}

#[test]
fn an_init_that_only_has_the_name_is_not_one() {
    // An image of its own with a shell where the engine would put its init, and a process that calls itself that.
    let image = Image::planted("cp /bin/sleep /sbin/docker-init");
    let session = Session { name: name() };
    let container = session.container();
    docker(&[
        "run",
        "-d",
        "--name",
        &container,
        "--label",
        "palisade.schema=1",
        "--label",
        "palisade.role=session",
        "--user",
        "1000:1000",
        "--network",
        "none",
        "--entrypoint",
        "/sbin/docker-init",
        &image.tag,
        "600",
    ]);
    let document = verify(&session.name);
    assert_eq!(verdict(&document, "init"), "missing", "{document:#}");
}
