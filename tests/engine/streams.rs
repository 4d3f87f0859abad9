//! `run`: byte for byte, stream for stream, code for code, signal for signal.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sha2::{Digest, Sha256};

use crate::proxy::{Fault, Proxy};
use crate::support::{call, docker, left_behind, name, palisade, palisade_under, succeed, text, until, with_depot};

/// As much as the issue of trust asks for; the same stream in both directions at once.
const MEGABYTES: usize = 200;

#[test]
fn two_hundred_megabytes_pass_through_unchanged() {
    let mut child = palisade().args(["run", "--", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let (mut random, mut digest) = (std::fs::File::open("/dev/urandom").unwrap(), Sha256::new());
        let mut buffer = vec![0; 1 << 20];
        for _ in 0..MEGABYTES {
            random.read_exact(&mut buffer).unwrap();
            digest.update(&buffer);
            input.write_all(&buffer).unwrap();
        }
        digest.finalize()
    });
    let (mut digest, mut buffer, mut length) = (Sha256::new(), vec![0; 1 << 20], 0);
    let mut output = child.stdout.take().unwrap();
    loop {
        let read = output.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        length += read;
        digest.update(&buffer[..read]);
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(length, MEGABYTES << 20);
    assert!(digest.finalize() == writer.join().unwrap());
}

#[test]
fn output_and_errors_stay_apart() {
    let output = call(&["run", "--", "sh", "-c", "for i in 1 2 3; do echo out $i; echo err $i >&2; done"]);
    assert_eq!(text(&output.stdout), "out 1\nout 2\nout 3\n");
    assert_eq!(text(&output.stderr), "err 1\nerr 2\nerr 3\n");
}

#[test]
fn exit_codes_are_the_commands() {
    // Every one of 0 to 255 passes the supervisor in tests/offline; here the ones with a meaning of ours pass everything.
    for code in [0, 1, 2, 3, 4, 5, 42, 124, 125, 126, 127, 128, 130, 137, 141, 255] {
        assert_eq!(call(&["run", "--", "sh", "-c", &format!("exit {code}")]).status.code(), Some(code));
    }
    assert_eq!(call(&["run", "--", "no-such-command"]).status.code(), Some(127));
    assert_eq!(call(&["run", "--", "/etc/passwd"]).status.code(), Some(126));
    assert_eq!(call(&["run", "--", "sh", "-c", "kill -9 $$"]).status.code(), Some(137));
}

#[test]
fn input_that_ends_at_once_is_an_end_of_file() {
    assert_eq!(succeed(&["run", "--", "cat"]), "");
}

/// The binary with no signal ignored: one that whoever started these tests ignores, as nohup and a shell's background
/// do, is one that the binary would leave ignored.
fn heeding_signals(args: &[&str]) -> Command {
    let mut command = palisade_under("env", &["--default-signal"]);
    command.args(args);
    command
}

/// A session in the foreground whose command says `ready` and then what signal it got.
fn trapping(name: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    let script = "for s in INT TERM HUP; do trap \"echo got $s; exit 7\" $s; done; echo ready; while :; do sleep 0.1; done";
    let mut started = heeding_signals(&["run", "--name", name, "--", "bash", "-c", script]);
    let mut child = started.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    (child, output)
}

#[test]
fn signals_are_the_commands() {
    for (signal, said) in [(Signal::SIGINT, "got INT\n"), (Signal::SIGTERM, "got TERM\n"), (Signal::SIGHUP, "got HUP\n")] {
        let name = name();
        let (mut child, mut output) = trapping(&name);
        kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        assert_eq!((rest.as_str(), child.wait().unwrap().code()), (said, Some(7)));
        until("nothing is left", || left_behind(&name).is_empty());
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_session() {
    let name = name();
    let mut child = palisade().args(["run", "--name", &name, "--", "yes"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    output.read_exact(&mut [0; 1024]).unwrap();
    drop(output);
    assert_eq!(child.wait().unwrap().code(), Some(141));
    until("nothing is left", || left_behind(&name).is_empty());
}

#[test]
fn a_killed_manager_leaves_nothing_that_is_not_listed() {
    let name = name();
    let (mut child, _output) = trapping(&name);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(succeed(&["ls", "-q"]).lines().any(|listed| listed == name));
    succeed(&["rm", "-f", &name]);
    until("nothing is left", || left_behind(&name).is_empty());
}

#[test]
fn a_manager_killed_anywhere_in_a_launch_leaves_nothing_that_is_not_listed() {
    with_depot();
    for milliseconds in [5, 20, 40, 80, 160, 240, 320, 400] {
        let name = name();
        // A wall-clock moment is the point here: the kill lands wherever the launch happens to be.
        let limit = format!("{}.{milliseconds:03}", 0);
        let mut killed = palisade_under("timeout", &["-s", "KILL", &limit]);
        killed.args(["launch", &name, "--", "sleep", "600"]).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        // A request that the engine had taken may still be carried out.
        until("the engine is at rest", || {
            let listed = succeed(&["ls", "-q"]).lines().any(|listed| listed == name);
            listed != left_behind(&name).is_empty()
        });
        let _ = call(&["rm", "-f", &name]);
        until("nothing is left", || {
            let _ = call(&["rm", "-f", &name]);
            left_behind(&name).is_empty()
        });
    }
    assert_eq!(docker(&["ps", "-aq", "--filter", "label=palisade.role=probe"]), "");
}

/// The manager that is interrupted while the engine starts its container.
static INTERRUPTED: AtomicI32 = AtomicI32::new(0);

#[test]
fn an_interrupt_during_a_launch_undoes_it() {
    let name = name();
    let proxy = Proxy::new(Fault::BeforeStart(|| {
        until("the manager is known", || INTERRUPTED.load(Ordering::SeqCst) != 0);
        kill(Pid::from_raw(INTERRUPTED.load(Ordering::SeqCst)), Signal::SIGINT).unwrap();
    }));
    let child = heeding_signals(&["--host", &proxy.address, "launch", &name, "--", "sleep", "600"]).spawn().unwrap();
    INTERRUPTED.store(child.id().try_into().unwrap(), Ordering::SeqCst);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    until("nothing is left", || left_behind(&name).is_empty());
}

#[test]
fn a_manager_killed_while_it_prepared_the_engine_does_not_hold_the_next_one_up() {
    // The lock of a manager that is gone, on a volume that this operator has not seen filled.
    let (_, plan) = crate::support::json(&["plan", "--", "true"]);
    let mounts = plan["create"]["mounts"].as_array().unwrap();
    let volume = mounts.iter().find_map(|mount| mount["source"].as_str().filter(|name| name.starts_with("palisade-supervisor-"))).unwrap();
    let lock = format!("{volume}-fill");
    // One that a killed manager really left does as well.
    let made = Command::new("docker")
        .args(["create", "--name", &lock, "--label", "palisade.schema=1", "--label", "palisade.role=supervisor"])
        .args(["palisade-sandbox:latest", "true"])
        .output()
        .unwrap();
    assert!(made.status.success() || text(&made.stderr).contains("already in use"), "{}", text(&made.stderr));
    let id = if made.status.success() {
        text(&made.stdout)
    } else {
        docker(&["ps", "-aq", "--no-trunc", "--filter", &format!("name=^/{lock}$")])
    };
    let cache = tempfile::tempdir().unwrap();
    let output = palisade().env("XDG_CACHE_HOME", cache.path()).args(["run", "--", "echo", "through"]).output().unwrap();
    assert_eq!(text(&output.stdout), "through\n", "{}", text(&output.stderr));
    // That one: another manager's may be there by now, under the same name.
    assert!(!docker(&["ps", "-aq", "--no-trunc"]).lines().any(|left| left == id.trim()), "{id}");
}
