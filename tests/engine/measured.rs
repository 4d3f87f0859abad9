//! Both kinds, seen in the kernel by the test itself and by `verify`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::support::{Session, call, docker, json, name, palisade, status_line, text, verdict};

/// An ephemeral session that waits for a line on its standard input.
struct Waiting {
    child: Child,
    name: String,
}

impl Waiting {
    fn run() -> Self {
        let name = name();
        let mut child = palisade()
            .args(["run", "--name", &name, "--", "sh", "-c", "echo ready; read line"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Self { child, name }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.child.stdin.take().unwrap().write_all(b"\n");
        let _ = self.child.wait();
    }
}

fn assert_hardened(name: &str) {
    let container = format!("palisade-{name}");
    let pid: u32 = docker(&["inspect", "--format", "{{.State.Pid}}", &container]).parse().unwrap();
    for set in ["CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"] {
        assert_eq!(status_line(pid, set), "0000000000000000", "{set}");
    }
    assert_eq!(status_line(pid, "NoNewPrivs"), "1");
    assert_eq!(status_line(pid, "Seccomp"), "2");
    assert!(status_line(pid, "Uid").split_whitespace().all(|uid| uid == "1000"));
    assert!(std::fs::read_link(format!("/proc/{pid}/exe")).unwrap().ends_with("docker-init"));
    let limit = std::fs::read_dir("/sys/fs/cgroup/pids/docker")
        .map_or_else(|_| format!("/sys/fs/cgroup{}/pids.max", cgroup(pid)), |_| format!("/sys/fs/cgroup/pids{}/pids.max", cgroup(pid)));
    assert_eq!(std::fs::read_to_string(limit).unwrap().trim(), "100");
    let mounts = std::fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap();
    let root = mounts.lines().find(|line| line.split(' ').nth(4) == Some("/")).unwrap();
    assert!(root.split(' ').nth(5).unwrap().split(',').any(|option| option == "ro"), "{root}");
    let devices = std::fs::read_to_string(format!("/proc/{pid}/net/dev")).unwrap();
    let interfaces: Vec<&str> = devices.lines().skip(2).filter_map(|line| line.split(':').next()).map(str::trim).collect();
    assert_eq!(interfaces, ["lo"]);
}

/// The container's path in the pids controller, or in the unified hierarchy.
fn cgroup(pid: u32) -> String {
    let all = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let line = all.lines().find(|line| line.contains(":pids:")).or_else(|| all.lines().find(|line| line.starts_with("0::"))).unwrap();
    line.rsplit(':').next().unwrap().to_owned()
}

fn assert_three_sources(name: &str) -> Value {
    let (code, document) = json(&["verify", name]);
    assert_eq!(code, 0, "{document:#}");
    let controls = document.pointer("/verified/0/posture/controls").and_then(Value::as_array).unwrap();
    assert!(controls.len() >= 19);
    for control in controls {
        for source in ["requested", "engine", "kernel"] {
            assert!(!control[source].as_str().unwrap().is_empty(), "{control}");
        }
        assert_eq!(control["verdict"], "enforced", "{control}");
    }
    document
}

#[test]
fn a_persistent_session_is_hardened_in_the_kernel() {
    let session = Session::asleep();
    assert_hardened(&session.name);
    assert_three_sources(&session.name);
}

#[test]
fn an_ephemeral_session_is_hardened_in_the_kernel_just_the_same() {
    let waiting = Waiting::run();
    assert_hardened(&waiting.name);
    assert_three_sources(&waiting.name);
}

#[test]
fn the_strict_profile_is_in_force_and_does_not_stop_ordinary_work() {
    let session = Session::launch(&["--profile", "strict"], &["sleep", "600"]);
    let document = assert_three_sources(&session.name);
    assert_eq!(verdict(&document, "seccomp"), "enforced");
    let (code, output, _) =
        session.sh("python3 -c 'import ssl, json, subprocess; print(1)' && node -e 'console.log(2)' && git init -q x && echo 3");
    assert_eq!((code, output.as_str()), (0, "1\n2\n3\n"));
}

#[test]
fn a_capability_that_was_given_back_shows_in_the_posture() {
    let session = Session::launch(&["--cap-add", "NET_BIND_SERVICE"], &["sleep", "600"]);
    let document = assert_three_sources(&session.name);
    let control = &document.pointer("/verified/0/posture/controls/0").unwrap();
    assert!(control["requested"].as_str().unwrap().contains("NET_BIND_SERVICE"), "{control}");
}

/// `verify` by somebody who may not look into this machine's `/proc`.
fn by_probe(session: &Session, engine: &str) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", "12345", "--regid", "12345", "--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all"])
        .args([env!("CARGO_BIN_EXE_palisade"), "--host", engine, "verify", &session.name, "--json"])
        .env("HOME", "/nonexistent");
    command
}

#[test]
fn a_probe_of_somebody_elses_is_no_intruder_and_keeps_no_session_from_its_start() {
    let session = Session::asleep();
    let engine = crate::proxy::tcp_to_engine();
    let is_over = AtomicBool::new(false);
    let probed = std::thread::scope(|scope| {
        let probing = scope.spawn(|| {
            let mut probed = 0;
            while !is_over.load(Ordering::Relaxed) {
                // The session may be away, or between two runs.
                let output = by_probe(&session, &engine).output().unwrap();
                probed += u32::from(output.status.success());
            }
            probed
        });
        let mut said = Vec::new();
        for _ in 0..4 {
            said.push(call(&["restart", "--grace", "0", &session.name]));
            said.extend((0..4).map(|_| call(&["verify", &session.name])));
        }
        is_over.store(true, Ordering::Relaxed);
        (said, probing.join().unwrap())
    });
    for output in probed.0 {
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    }
    assert!(probed.1 > 0);
}

#[test]
fn the_probe_sees_what_the_host_sees() {
    // A remote engine: the same one, by a way that is not its socket, and without this process's right to look.
    let session = Session::asleep();
    let own = json(&["verify", &session.name]).1;
    let output = by_probe(&session, &crate::proxy::tcp_to_engine()).output().unwrap();
    let probed: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(output.status.code(), Some(0), "{probed:#}");
    for control in own.pointer("/verified/0/posture/controls").and_then(Value::as_array).unwrap() {
        let name = control["control"].as_str().unwrap();
        assert!(["enforced", "unknown"].contains(&verdict(&probed, name).as_str()), "{name}");
        let must_be_seen = ["cap_drop", "no_new_privileges", "seccomp", "user", "init", "pids_limit", "network", "read_only_rootfs"];
        assert!(!must_be_seen.contains(&name) || verdict(&probed, name) == "enforced", "{name}");
    }
}
