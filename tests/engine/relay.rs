//! The supervisor's relay in a real container, whose only interface is its loopback, to a depot of the test's own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use palisade::depot::wire;
use palisade::supervisor::gate::{Frame, Stdin};
use tempfile::TempDir;

use crate::support::{docker, name, text, until};

const TOKEN: &str = "the-sessions-own-token";

/// A container as a session's, run by the engine directly: what is tried is the supervisor and nothing above it.
struct Sandbox {
    name: String,
    child: Option<Child>,
    _folder: TempDir,
}

impl Sandbox {
    /// Runs `supervise ARGS`, with a depot that hands each greeted connection to `serve`.
    fn run(options: &[&str], args: &[&str], serve: fn(UnixStream)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("depot.sock");
        let depot = UnixListener::bind(&socket).unwrap();
        for (path, mode) in [(folder.path(), 0o755), (&socket, 0o666)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        thread::spawn(move || {
            while let Ok((mut stream, _)) = depot.accept() {
                thread::spawn(move || {
                    let mut greeting = vec![0; wire::greeting(TOKEN).len()];
                    stream.read_exact(&mut greeting).unwrap();
                    assert_eq!(greeting, wire::greeting(TOKEN));
                    serve(stream);
                });
            }
        });
        let name = name();
        let mounts = [
            format!("--volume={}:/palisade:ro", env!("CARGO_BIN_EXE_palisade")),
            format!("--volume={}:/run/palisade:ro", folder.path().display()),
        ];
        let mut child = Command::new("docker")
            .args(["run", "--interactive", "--name", &name, "--init", "--network", "none", "--user", "1000:1000"])
            .args(["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pids-limit", "100", "--entrypoint", "/palisade"])
            .args(mounts)
            .args(options)
            .args(["palisade-sandbox:latest", "supervise"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let frame = Frame::new(Stdin::Null, &BTreeMap::new(), Some(TOKEN.to_owned()));
        child.stdin.take().unwrap().write_all(&frame.encode().unwrap()).unwrap();
        Self { name, child: Some(child), _folder: folder }
    }

    fn python(options: &[&str], script: &str, serve: fn(UnixStream)) -> Output {
        Self::run(options, &["--", "python3", "-c", script], serve).wait()
    }

    fn wait(mut self) -> Output {
        self.child.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", "--volumes", &self.name]).output();
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }
}

/// Answers as a server would that has `hello` under every name.
fn hello(mut stream: UnixStream) {
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    if lines.any(|line| line.is_empty()) {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n");
    }
}

/// Sends for as long as anyone takes it.
fn flood(mut stream: UnixStream) {
    while stream.write_all(&[0; 1 << 14]).is_ok() {}
}

/// What it printed, where it succeeded.
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{:?}: {}{}", output.status, text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn a_command_finds_the_depot_and_nothing_of_how_it_is_reached() {
    let script = r#"
import os, urllib.request
print(urllib.request.urlopen("http://127.0.0.1:7878/pypi/simple/").read().decode().strip())
supervisor = f"/proc/{os.getppid()}"
status = dict(line.split(":\t", 1) for line in open(f"{supervisor}/status").read().splitlines() if ":\t" in line)
print("threads", status["Threads"])
for secret in ("mem", "environ", "maps", "fd"):
    try:
        os.listdir(f"{supervisor}/fd") if secret == "fd" else open(f"{supervisor}/{secret}").read(1)
        print("open:", secret)
    except PermissionError:
        pass
for fd in os.listdir("/proc/self/fd"):
    if int(fd) > 2 and os.path.exists(f"/proc/self/fd/{fd}"):
        print("inherited:", os.readlink(f"/proc/self/fd/{fd}"))
"#;
    assert_eq!(printed(&Sandbox::python(&[], script, hello)), "hello\nthreads 1\n");
}

#[test]
fn a_session_ends_with_its_command_whatever_is_relayed() {
    let script = r#"
import os, socket
open_ones = [socket.create_connection(("127.0.0.1", 7878)) for _ in range(8)]
for one in open_ones:
    one.recv(1)
os._exit(3)
"#;
    assert_eq!(Sandbox::python(&[], script, flood).status.code(), Some(3));
}

#[test]
fn the_deadline_and_a_stop_come_through_a_flood() {
    let script = r#"
import signal, socket, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def swallow():
    one = socket.create_connection(("127.0.0.1", 7878))
    while one.recv(1 << 16): pass
for _ in range(8):
    threading.Thread(target=swallow).start()
"#;
    let output = Sandbox::run(&[], &["--timeout", "2", "--grace", "0", "--", "python3", "-c", script], flood).wait();
    assert_eq!(output.status.code(), Some(124));
}

#[test]
fn an_idle_session_relays_for_what_is_executed_in_it() {
    let mut sandbox = Sandbox::run(&[], &["--idle"], hello);
    let curl = ["exec", &sandbox.name, "curl", "--silent", "--retry-connrefused", "--retry", "20", "http://127.0.0.1:7878/npm/express"];
    until("the session runs", || {
        let state = Command::new("docker").args(["inspect", "--format", "{{.State.Running}}", &sandbox.name]).output().unwrap();
        text(&state.stdout).trim() == "true"
    });
    assert_eq!(docker(&curl), "hello");
    docker(&["stop", "--time", "20", &sandbox.name]);
    assert_eq!(sandbox.child.take().unwrap().wait().unwrap().code(), Some(143));
}

#[test]
fn few_descriptors_mean_waiting_and_no_connection_is_lost() {
    // Three processes, because the same limit holds for each of them.
    let many = r#"
import os, socket, sys
def client():
    open_ones = [socket.create_connection(("127.0.0.1", 7878)) for _ in range(40)]
    for one in open_ones:
        one.sendall(b"GET / HTTP/1.1\r\n\r\n")
    for one in open_ones:
        assert one.makefile("rb").read().endswith(b"hello\n")
        one.close()
    os._exit(0)
children = [pid for pid in (os.fork() for _ in range(3)) if pid or client()]
sys.exit(any(os.waitpid(pid, 0)[1] for pid in children))
"#;
    printed(&Sandbox::python(&["--ulimit", "nofile=64:64"], many, hello));
    // A command may lower its supervisor's limit: its connections then wait until it is raised again.
    let taken = r#"
import os, resource, socket
usual = resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)
resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (3, usual[1]))
one = socket.create_connection(("127.0.0.1", 7878))
one.sendall(b"GET / HTTP/1.1\r\n\r\n")
one.settimeout(0.5)
try:
    one.recv(1)
    print("served without a descriptor")
except TimeoutError:
    pass
resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, usual)
one.settimeout(None)
print(one.makefile("rb").read().splitlines()[-1].decode())
"#;
    assert_eq!(printed(&Sandbox::python(&[], taken, hello)), "hello\n");
}
