//! The supervisor by itself, as a process: gate, exit codes, signals, deadline. No engine.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use palisade::supervisor::gate::{Frame, Stdin, WAITING_NAME};

fn supervise(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(["supervise", "--terminals", &socket()])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A name that no other supervisor's socket has: they all share a network namespace here.
fn socket() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test-supervisor-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Opens the gate, sends `input`, closes.
fn open(child: &mut Child, stdin: Stdin, input: &[u8]) {
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(&Frame::new(stdin, &BTreeMap::new(), None).encode().unwrap()).unwrap();
    // A command that does not read may be gone by now.
    let _ = pipe.write_all(input);
}

fn finish(args: &[&str], input: &[u8]) -> Output {
    let mut child = supervise(args);
    open(&mut child, Stdin::Pass, input);
    child.wait_with_output().unwrap()
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !condition() {
        assert!(began.elapsed().as_secs() < 20, "waited in vain for {what}");
        std::thread::yield_now();
    }
}

fn comm(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

#[test]
fn every_exit_code_is_passed_on() {
    for code in 0..=255 {
        let output = finish(&["--", "sh", "-c", &format!("exit {code}")], b"");
        assert_eq!(output.status.code(), Some(code));
    }
}

#[test]
fn a_command_that_a_signal_ended_exits_by_its_number() {
    for (signal, code) in [("KILL", 137), ("TERM", 143), ("SEGV", 139)] {
        assert_eq!(finish(&["--", "sh", "-c", &format!("kill -{signal} $$")], b"").status.code(), Some(code));
    }
}

#[test]
fn what_is_missing_and_what_cannot_be_run_are_told_apart() {
    let missing = finish(&["--", "no-such-command"], b"");
    assert_eq!(missing.status.code(), Some(127));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("no-such-command"));
    assert_eq!(finish(&["--", "/etc/passwd"], b"").status.code(), Some(126));
}

#[test]
fn an_exec_that_cannot_be_run_has_the_code_that_a_shell_gives_it() {
    // A process of its own: an exec that fails leaves signals as the command was to find them.
    let enter = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_palisade")).arg("enter").args(args).output().unwrap();
    for (args, code) in [(&["--", "/nonexistent/tool"][..], 127), (&["--", "/etc/passwd"], 126), (&["--"], 125), (&[], 125)] {
        assert_eq!(enter(args).status.code(), Some(code), "{args:?}");
    }
    assert_eq!(enter(&["--", "echo", "--", "x"]).stdout, b"-- x\n");
}

#[test]
fn nothing_runs_before_the_gate_opens_nor_if_it_never_does() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("ran");
    let touch = format!("touch {}", mark.display());
    let mut child = supervise(&["--", "sh", "-c", &touch]);
    until("the supervisor to wait", || comm(child.id()) == WAITING_NAME);
    assert!(!mark.exists());
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(125));
    assert!(!mark.exists());
    let mut forged = supervise(&["--", "sh", "-c", &touch]);
    forged.stdin.take().unwrap().write_all(b"PALISADE 1 5\nhello world\n").unwrap();
    assert_eq!(forged.wait().unwrap().code(), Some(125));
    assert!(!mark.exists());
}

#[test]
fn input_and_output_are_the_commands_byte_for_byte() {
    let input: Vec<u8> = (0..=255u8).cycle().take(3 << 20).collect();
    let mut child = supervise(&["--", "cat"]);
    let mut stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut all = Vec::new();
        stdout.read_to_end(&mut all).unwrap();
        all
    });
    open(&mut child, Stdin::Pass, &input);
    assert!(child.wait().unwrap().success());
    assert!(reader.join().unwrap() == input);
}

#[test]
fn a_session_without_input_finds_none() {
    let mut child = supervise(&["--", "sh", "-c", "cat; echo done"]);
    open(&mut child, Stdin::Null, b"not for the command");
    assert_eq!(child.wait_with_output().unwrap().stdout, b"done\n");
}

#[test]
fn signals_reach_the_command() {
    for (signal, name) in [(Signal::SIGTERM, "TERM"), (Signal::SIGINT, "INT"), (Signal::SIGHUP, "HUP"), (Signal::SIGUSR1, "USR1")] {
        let script = format!("trap 'echo {name}; exit 3' {name}; echo ready; while :; do sleep 0.05; done");
        let mut child = supervise(&["--", "bash", "-c", &script]);
        open(&mut child, Stdin::Pass, b"");
        let mut stdout = child.stdout.take().unwrap();
        let mut ready = [0; 6];
        stdout.read_exact(&mut ready).unwrap();
        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).unwrap();
        assert_eq!((rest.trim(), child.wait().unwrap().code()), (name, Some(3)));
    }
}

#[test]
fn the_deadline_ends_what_ignores_it() {
    let output = finish(&["--timeout", "1", "--grace", "1", "--", "bash", "-c", "trap '' TERM; while :; do :; done"], b"");
    assert_eq!(output.status.code(), Some(124));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--timeout"));
}

#[test]
fn the_deadline_holds_when_the_command_stops_the_supervisor() {
    use std::os::unix::process::ExitStatusExt;
    let mut child = supervise(&["--timeout", "1", "--grace", "0", "--", "sh", "-c", "kill -STOP $PPID; exec sleep 60"]);
    open(&mut child, Stdin::Pass, b"");
    assert_eq!(child.wait().unwrap().signal(), Some(9));
}

#[test]
fn a_session_whose_way_to_the_depot_is_taken_does_not_start() {
    let mut held = None;
    until("the port to be this test's", || TcpListener::bind(palisade::depot::RELAY).map(|listener| held = Some(listener)).is_ok());
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("ran");
    let mut child = supervise(&["--", "touch", mark.to_str().unwrap()]);
    let frame = Frame::new(Stdin::Null, &BTreeMap::new(), Some("token".to_owned()));
    child.stdin.take().unwrap().write_all(&frame.encode().unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(125));
    assert!(told.contains(palisade::depot::RELAY) && told.contains("depot") && !told.contains("token"), "{told}");
    assert!(!mark.exists());
}

#[test]
fn files_beyond_the_first_cap_are_told_and_beyond_the_second_end_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_str().unwrap();
    let line = "head -c 2097152 /dev/zero > \"$0/a\"; until [ -e \"$0/go\" ]; do sleep 0.1; done; head -c 16777216 /dev/zero > \"$0/b\"; sleep 600";
    let caps = ["--grace", "1", "--disk-soft", "1048576", "--disk-hard", "8388608", "--disk-at", at];
    let mut child = supervise(&[&caps[..], &["--", "sh", "-c", line, at]].concat());
    open(&mut child, Stdin::Null, b"");
    until("the supervisor's name tells of it", || comm(child.id()) == "palisade:s1M");
    std::fs::write(folder.path().join("go"), "").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(122), "{said}");
    assert!(said.contains("more than 1 MiB; --disk-soft sets the limit"), "{said}");
    assert!(said.contains("more than 8 MiB, and it is stopped; --disk-hard sets the limit"), "{said}");
    assert!(folder.path().join("b").exists(), "what is there stays");
}

#[test]
fn what_begins_above_its_cap_is_told_so_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), vec![1; 4 << 20]).unwrap();
    let at = folder.path().to_str().unwrap();
    let line = "rm \"$0/a\"; until [ -e \"$0/go\" ]; do sleep 0.1; done; exit 7";
    let mut child = supervise(&["--disk-hard", "1048576", "--disk-at", at, "--", "sh", "-c", line, at]);
    open(&mut child, Stdin::Null, b"");
    until("the supervisor's name tells of it", || comm(child.id()).starts_with("palisade:h"));
    std::fs::write(folder.path().join("go"), "").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(7), "{said}");
    assert!(said.contains("more than --disk-hard allows; it is stopped above") && said.contains("make room"), "{said}");
}
