//! The strict seccomp profile: as a document, and on a real engine with raw system calls and a day's work.
//!
//! The last two tests need an engine and the sandbox image; without them they fail and say so.
//! `scripts/test` sets both up. `PALISADE_TEST_IMAGE` names another image with the same programs.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

const PROFILE: &str = include_str!("../../assets/seccomp/strict.json");
const EPERM: i64 = 1;
const ENOSYS: i64 = 38;
/// How a child ends that the filter kills.
const SIGSYS: i64 = -31;

/// Calls that differ from a denied one in an argument, and work.
const NEIGHBOURS: [&str; 14] = [
    "chmod_plain",
    "clone_plain",
    "create_plain",
    "create_setgid",
    "entry_native",
    "mkfifo",
    "mknod_file",
    "open_with_leftover_mode",
    "personality_query",
    "socket_netlink_route",
    "socket_tcp",
    "socket_tcp6",
    "socket_udp",
    "socket_unix",
];

fn profile() -> Value {
    serde_json::from_str(PROFILE).expect("the profile is JSON")
}

fn rules(profile: &Value) -> &[Value] {
    profile["syscalls"].as_array().expect("rules")
}

fn names(rule: &Value) -> impl Iterator<Item = &str> {
    rule["names"].as_array().expect("names").iter().map(|name| name.as_str().expect("a name"))
}

#[test]
fn the_profile_is_an_allowlist_that_argues_each_rule() {
    let profile = profile();
    assert_eq!(profile["defaultAction"], "SCMP_ACT_ERRNO");
    assert_eq!(profile["defaultErrnoRet"], EPERM);
    let known: BTreeSet<&str> = ["comment", "names", "action", "errnoRet", "args", "includes"].into();
    for rule in rules(&profile) {
        let keys: BTreeSet<&str> = rule.as_object().expect("a rule").keys().map(String::as_str).collect();
        assert!(keys.is_subset(&known), "a key that engines may not know: {keys:?}");
        assert!(rule["comment"].as_str().is_some_and(|comment| comment.len() > 5), "no reason: {rule}");
        match rule["action"].as_str() {
            Some("SCMP_ACT_ALLOW") => assert_eq!(rule["errnoRet"], Value::Null),
            Some("SCMP_ACT_ERRNO") => assert_eq!(rule["errnoRet"], ENOSYS),
            other => unreachable!("no rule may log, trace or notify: {other:?}"),
        }
    }
}

#[test]
fn each_architecture_has_one_door() {
    for arch in profile()["archMap"].as_array().expect("architectures") {
        assert_eq!(arch["subArchitectures"], serde_json::json!([]), "32-bit entry points are a second kernel interface");
    }
}

#[test]
fn a_call_that_is_judged_by_its_arguments_is_allowed_nowhere_without_them() {
    // libseccomp lets a rule without arguments swallow the others of the same call.
    let judged = ["clone", "socket", "socketpair", "personality", "mknod", "mknodat", "open", "openat", "creat"];
    let judged = judged.into_iter().chain(["chmod", "fchmod", "fchmodat", "fchmodat2"]).collect::<BTreeSet<_>>();
    let profile = profile();
    let mut seen = BTreeMap::<&str, (bool, bool)>::new();
    for rule in rules(&profile) {
        for name in names(rule) {
            let (with, without) = seen.entry(name).or_default();
            *(if rule["args"].is_array() { with } else { without }) = true;
        }
    }
    for (name, (with, without)) in seen {
        assert_eq!(with, judged.contains(name), "{name}");
        assert_ne!(with, without, "{name} is judged by arguments in one rule and not in another");
    }
}

#[test]
fn clone_refuses_every_namespace_flag() {
    let profile = profile();
    let rule = rules(&profile).iter().find(|rule| names(rule).eq(["clone"])).expect("a rule for clone");
    let namespaces = [0x0002_0000_u64, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000];
    let mask: u64 = namespaces.iter().sum();
    assert_eq!(rule["args"], serde_json::json!([{ "index": 0, "value": mask, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ" }]));
}

#[test]
fn what_the_profile_exists_to_refuse_is_in_no_rule() {
    let profile = profile();
    let allowed: BTreeSet<&str> = rules(&profile).iter().filter(|rule| rule["action"] == "SCMP_ACT_ALLOW").flat_map(names).collect();
    for name in "io_uring_setup io_uring_enter io_uring_register userfaultfd keyctl add_key request_key ptrace process_vm_readv \
        process_vm_writev process_madvise pidfd_getfd kcmp perf_event_open bpf mount umount umount2 pivot_root chroot open_tree move_mount \
        fsopen fsconfig fsmount fspick mount_setattr setns unshare clone3 kexec_load kexec_file_load init_module finit_module delete_module \
        reboot swapon swapoff acct quotactl quotactl_fd open_by_handle_at name_to_handle_at fanotify_init syslog iopl ioperm modify_ldt \
        settimeofday clock_settime socketcall ipc"
        .split_whitespace()
    {
        assert!(!allowed.contains(name), "{name}");
    }
}

/// Runs a program of the sandbox image, hardened as a session is; `input` is its standard input.
fn sandboxed(purpose: &str, command: &[&str], input: &str) -> String {
    let image = std::env::var("PALISADE_TEST_IMAGE").unwrap_or_else(|_| "palisade-sandbox:latest".to_owned());
    let name = format!("palisade-test-seccomp-{purpose}-{}", std::process::id());
    let seccomp = format!("seccomp={}/assets/seccomp/strict.json", env!("CARGO_MANIFEST_DIR"));
    let mut child = Command::new("docker")
        .args(["run", "--rm", "--interactive", "--name", &name, "--init", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"])
        .args(["--security-opt", &seccomp, "--user", "1000:1000", "--read-only", "--tmpfs", "/tmp:exec,nosuid,nodev,size=256m"])
        .args(["--network", "none", "--pids-limit", "100", "--cpus", "2", "--memory", "2g", "--entrypoint", command[0], &image])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the docker command: scripts/test installs it");
    // A container that never came to be closes the pipe; its status tells more than the broken pipe would.
    let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("its end");
    let errors = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{purpose} in {image} (scripts/test makes it): {}\n{printed}\n{errors}", output.status);
    printed
}

#[test]
fn on_the_engine_each_denied_call_is_denied_and_its_harmless_neighbour_is_not() {
    let printed = sandboxed("calls", &["python3", "-"], include_str!("seccomp/calls.py"));
    let seen: Value = serde_json::from_str(&printed).expect("one JSON document");
    let calls = seen["calls"].as_object().expect("calls");
    assert!(calls.len() > 90, "{} calls", calls.len());
    for (name, errno) in calls {
        let expected = match name.as_str() {
            "clone3" | "openat2" => ENOSYS,
            // A runtime whose library does not know the call by name answers as a kernel that does not have it.
            "fchmodat2_suid" if errno.as_i64() == Some(ENOSYS) => ENOSYS,
            "entry_i386" | "entry_x32" => SIGSYS,
            name if NEIGHBOURS.contains(&name) => 0,
            _ => EPERM,
        };
        assert_eq!(errno.as_i64(), Some(expected), "{name}");
    }
    assert_eq!(seen["suid_files"], serde_json::json!([]));
}

#[test]
fn on_the_engine_a_days_work_goes_through() {
    let printed = sandboxed("work", &["sh", "-s"], include_str!("seccomp/work.sh"));
    assert!(printed.trim_end().ends_with("all done"), "{printed}");
}
