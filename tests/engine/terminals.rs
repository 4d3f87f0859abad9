//! Terminals that a session's supervisor holds, on a real engine: left in every way there is, taken up again, ended, and attacked
//! from inside.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use nix::poll::{PollFd, PollFlags, poll};
use palisade::backend::{Backend, Machine, Terminal};
use palisade::config::Settings;
use palisade::failure::{Code, Failure};
use palisade::policy::plan::SUPERVISOR;
use palisade::terminal::wire::{Frames, Say, Told, Want};
use palisade::terminal::{Grants, Size};

use crate::corpus::with_a_terminal;
use crate::support::{Session, docker, palisade_under, succeed, text, until};

const OFFLINE: [&str; 2] = ["--network", "none"];

/// A client as a process of its own, that can be killed.
struct Client {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    frames: Frames,
    seen: String,
}

impl Client {
    fn new(session: &Session, want: Want) -> Self {
        let mut command = Command::new("docker");
        command.args(["exec", "-i", &session.container(), SUPERVISOR, "terminal"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut client = Self { child, input, output, frames: Frames::default(), seen: String::new() };
        client.say(&Say::Want(want));
        client
    }

    fn say(&mut self, say: &Say) {
        self.input.write_all(&say.encode()).unwrap();
    }

    fn keys(&mut self, keys: &str) {
        self.say(&Say::Input(keys.as_bytes().to_vec()));
    }

    fn told(&mut self) -> Told {
        loop {
            if let Some(told) = self.frames.told().unwrap() {
                if let Told::Anew(bytes) | Told::Output(bytes) = &told {
                    self.seen.push_str(&text(bytes));
                }
                return told;
            }
            let mut fds = [PollFd::new(self.output.as_fd(), PollFlags::POLLIN)];
            assert!(poll(&mut fds, 60_000_u16).unwrap() > 0, "nothing comes after {:?}", self.seen);
            let mut buffer = [0; 4096];
            let read = self.output.read(&mut buffer).unwrap();
            assert!(read > 0, "the connection ended after {:?}", self.seen);
            self.frames.push(&buffer[..read]);
        }
    }

    fn until(&mut self, what: &str) {
        while !self.seen.contains(what) {
            self.told();
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn open(command: &[&str]) -> Want {
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    Want::Open { command, env: vec!["PS1=".to_owned()], working_dir: String::new(), size: Size::new(90, 30) }
}

fn attach(id: u32) -> Want {
    Want::Attach { id, size: None }
}

/// What a terminal of the backend's shows.
struct Shown {
    terminal: Terminal,
    seen: String,
}

impl Shown {
    async fn new(backend: &Backend, session: &Session, want: Want) -> Self {
        Self { terminal: backend.terminal(&session.name, want).await.unwrap(), seen: String::new() }
    }

    async fn keys(&mut self, keys: &str) {
        self.terminal.input.keys(keys.as_bytes()).await.unwrap();
    }

    /// The exit code, once it has ended.
    async fn next(&mut self) -> Option<i32> {
        let told = tokio::time::timeout(Duration::from_mins(1), self.terminal.output.next()).await;
        match told.unwrap_or_else(|_| panic!("nothing comes after {:?}", self.seen)) {
            Some(Ok(Told::Anew(bytes) | Told::Output(bytes))) => self.seen.push_str(&text(&bytes)),
            Some(Ok(Told::Ended(code))) => return Some(code),
            Some(Ok(Told::Attached(_))) => {}
            other => panic!("{other:?} after {:?}", self.seen),
        }
        None
    }

    async fn until(&mut self, what: &str) {
        while !self.seen.contains(what) {
            assert_eq!(self.next().await, None, "it ended after {:?}", self.seen);
        }
    }

    async fn ended(&mut self) -> i32 {
        loop {
            if let Some(code) = self.next().await {
                return code;
            }
        }
    }
}

fn on_the_engine<F: Future<Output = ()>>(test: impl FnOnce(Backend) -> F) {
    tokio::runtime::Runtime::new().unwrap().block_on(async { test(Backend::connect(None).await.unwrap()).await });
}

/// The same for an operator who has set that nothing goes past the engine.
fn by_the_engine<F: Future<Output = ()>>(test: impl FnOnce(Backend) -> F) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let machine = Machine::read().unwrap();
        let engine = Arc::new(machine.engine(None).await.unwrap());
        let settings = Settings { direct_terminals: false, ..machine.settings };
        test(Backend::new(engine, machine.environment, machine.paths, settings)).await;
    });
}

fn execs_left(session: &Session) -> String {
    docker(&["inspect", "--format", "{{len .ExecIDs}}", &session.container()])
}

#[test]
fn a_shell_that_is_left_by_a_kill_a_hundred_times_is_the_same_shell_and_leaves_nothing() {
    let session = Session::launch(&OFFLINE, &["sleep", "600"]);
    let mut client = Client::new(&session, open(&["sh"]));
    client.keys("sleep 500 & echo shell $$-$!\r");
    // Whole lines alone: a number may come in two pieces.
    let said =
        |seen: &str| seen.split_inclusive('\n').find_map(|line| line.strip_prefix("shell ")?.strip_suffix("\r\n").map(str::to_owned));
    let pids = loop {
        if let Some(pids) = said(&client.seen) {
            break pids;
        }
        client.told();
    };
    client.kill();
    for round in 0..100 {
        let mut client = Client::new(&session, attach(1));
        client.until(&format!("shell {pids}"));
        for key in "echo abcdefghijklmno".chars() {
            client.keys(&key.to_string());
        }
        client.keys(&format!("-{round}-$$-$!\r"));
        client.until(&format!("\nabcdefghijklmno-{round}-{pids}\r\n"));
        client.kill();
    }
    until("no exec is left", || execs_left(&session) == "0");
    let (_, processes, _) = session.sh("for pid in /proc/[0-9]*; do cat $pid/stat 2> /dev/null; done; ls /dev/pts");
    assert!(!processes.contains(" Z "), "{processes}");
    assert!(!processes.contains("(palisade) S 0 "), "{processes}");
    assert!(processes.ends_with("\n0\nptmx\n"), "one terminal, and no more: {processes}");
    on_the_engine(|backend| async move {
        let held = backend.terminals(&session.name).await.unwrap();
        assert_eq!((held.len(), held[0].id, held[0].clients), (1, 1, 0));
        let mut shell = Shown::new(&backend, &session, attach(1)).await;
        shell.keys("exit 7\r").await;
        assert_eq!(shell.ended().await, 7);
        assert_eq!(backend.terminals(&session.name).await.unwrap(), []);
        assert_eq!(session.sh("ls /dev/pts").1, "ptmx\n");
    });
}

#[test]
fn a_terminal_is_reached_without_the_engine_where_that_can_be_and_with_it_where_that_is_set() {
    let session = Session::launch(&["--network", "none", "--pids-limit", "64"], &["sleep", "600"]);
    let looked_at = &session;
    by_the_engine(|backend| async move {
        let mut shell = Shown::new(&backend, looked_at, open(&["sh"])).await;
        shell.keys("echo one-$((1+1))\r").await;
        shell.until("one-2").await;
        assert_eq!(execs_left(looked_at), "1");
    });
    until("no exec is left", || execs_left(looked_at) == "0");
    on_the_engine(|backend| async move {
        fill(&backend, looked_at).await;
        for round in 0..100 {
            let mut shell = Shown::new(&backend, looked_at, attach(1)).await;
            shell.until("one-2").await;
            shell.keys(&format!("echo {round}-$((1+1))\r")).await;
            shell.until(&format!("\n{round}-2\r\n")).await;
            assert_eq!(shell.terminal.held.clients, 1);
        }
        until_held(&backend, looked_at, 0).await;
    });
    assert_eq!(execs_left(&session), "0");
    // What this process does is in the log of whoever runs it.
    let mut audit = Command::new(env!("CARGO_BIN_EXE_palisade"));
    let output = audit.args(["--json", "audit", "--session", &session.name]).output().unwrap();
    let audit: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let ways: Vec<_> = audit["entries"].as_array().unwrap().iter().filter_map(|entry| entry["detail"]["way"].as_str()).collect();
    assert_eq!((ways[0], &ways[ways.len() - 100..]), ("engine", &["direct"; 100][..]));
}

/// Has as many processes run in a session of 64 as can, and sees that no more can.
async fn fill(backend: &Backend, session: &Session) {
    // What a shell leaves when it cannot fork and ends, terminals take.
    session.sh("while sleep 500 & do :; done");
    for _ in 0..10 {
        if let Err(failure) = backend.terminal(&session.name, open(&["sleep", "600"])).await {
            assert!(failure.code == Code::Refused && failure.message.contains("pids_limit"), "{failure}");
            return;
        }
    }
    panic!("there is always room for one more");
}

/// Waits until so many look on at the first terminal.
async fn until_held(backend: &Backend, session: &Session, clients: u32) {
    let began = std::time::Instant::now();
    while backend.terminals(&session.name).await.unwrap()[0].clients != clients {
        assert!(began.elapsed() < Duration::from_mins(1), "waited in vain until {clients} look on");
    }
}

#[test]
fn a_terminal_has_the_size_of_who_looks_and_ends_when_it_is_told_to() {
    let session = Session::launch(&OFFLINE, &[]);
    on_the_engine(|backend| async move {
        let mut shell = Shown::new(&backend, &session, open(&[])).await;
        assert_eq!((shell.terminal.held.command.as_slice(), shell.terminal.held.size), (&["bash".to_owned()][..], Size::new(90, 30)));
        shell.keys("stty size; echo $TERM $COLORTERM $PWD; tty\r").await;
        shell.until("30 90\r\nxterm-256color truecolor /home/sandbox\r\n/dev/pts/0\r\n").await;
        shell.terminal.input.resize(Size::new(65_535, 65_535)).await.unwrap();
        shell.keys("stty size\r").await;
        shell.until("500 1000\r\n").await;
        let want = Want::Attach { id: 1, size: Some(Size::new(70, 20)) };
        let mut beside = Shown::new(&backend, &session, want).await;
        beside.keys("stty size; sleep 300\r").await;
        shell.until("20 70\r\n").await;
        beside.until("20 70\r\n").await;
        backend.end_terminal(&session.name, 1).await.unwrap();
        assert_eq!((shell.ended().await, beside.ended().await), (129, 129));
        let failure = backend.end_terminal(&session.name, 1).await.unwrap_err();
        // Soon after, it has ended; later there is none.
        let words = ["there is no terminal 1", "terminal 1 has ended"].map(|words| format!("'{}': {words}", session.name));
        assert!(failure.code == Code::NotFound && words.contains(&failure.message), "{failure}");
        let (_, processes, _) = session.sh("ps -eo stat,args");
        assert!(!processes.contains("sleep 300") && !processes.contains('Z'), "{processes}");
    });
}

#[test]
fn a_command_launched_in_a_terminal_is_looked_at_left_and_taken_up_again() {
    let script = "stty size; echo $$; read a; echo got $a; read b; echo and $b; exit 4";
    let session = Session::launch(&["--network", "none", "-t"], &["sh", "-c", script]);
    let looked_at = &session;
    on_the_engine(|backend| async move {
        let session = looked_at;
        let want = |id, columns| Want::Attach { id, size: Some(Size::new(columns, 25)) };
        let mut first = Shown::new(&backend, session, want(0, 81)).await;
        assert_eq!((first.terminal.held.id, first.terminal.held.command[0].as_str()), (0, "sh"));
        first.keys("one\r").await;
        first.until("got one\r\n").await;
        drop(first);
        let mut again = Shown::new(&backend, session, want(0, 82)).await;
        again.until("got one\r\n").await;
        let refused = backend.end_terminal(&session.name, 0).await.unwrap_err();
        assert_eq!(refused.code, Code::Refused);
        again.keys("two\r").await;
        assert_eq!(again.ended().await, 4);
        assert!(again.seen.contains("and two\r\n"));
    });
    until("it has exited", || {
        docker(&["inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", &session.container()]) == "exited 4"
    });
    let log = succeed(&["logs", &session.name]);
    assert!(log.starts_with("24 80") && log.contains("got one") && log.contains("and two"), "{log:?}");
    succeed(&["start", &session.name]);
    on_the_engine(|backend| async move {
        let session = looked_at;
        let mut anew = Shown::new(&backend, session, attach(0)).await;
        anew.keys("three\rfour\r").await;
        assert_eq!(anew.ended().await, 4);
    });
}

#[test]
fn an_ephemeral_command_begins_when_it_is_looked_at_and_shows_everything_before_it_goes() {
    for _ in 0..5 {
        let session = Session { name: crate::support::name() };
        let mut run = palisade_under("setsid", &["--ctty", "--wait"]);
        run.args(["run", "-n", &session.name, "--network", "none", "-t", "--", "sh", "-c", "stty size; seq 2000; exit 9"]);
        let (code, raw) = with_a_terminal(run, true);
        let seen = text(&raw);
        assert_eq!(code, 9, "{seen}");
        assert!(seen.contains("24 200"), "born in the size of who looks on: {:?}", &seen[..seen.len().min(300)]);
        for line in ["1", "1000", "1999", "2000"] {
            assert!(seen.contains(&format!("{line}\u{1b}[")) || seen.contains(&format!("{line}\n")), "{line}");
        }
    }
}

#[test]
fn what_cannot_be_opened_is_refused_in_words() {
    let session = Session::launch(&["--network", "none", "--pids-limit", "64"], &["sleep", "600"]);
    on_the_engine(|backend| async move {
        let refused = async |want| -> Failure { backend.terminal(&session.name, want).await.err().unwrap() };
        let none = refused(attach(0)).await;
        assert!(none.code == Code::NotFound && none.message.contains("it was not launched with -t"), "{none}");
        assert!(refused(open(&["no-such-command"])).await.message.contains("cannot run no-such-command: No such file or directory"));
        let mut held = Vec::new();
        for _ in 0..16 {
            held.push(backend.terminal(&session.name, open(&["sleep", "600"])).await.unwrap());
        }
        let full = refused(open(&["sleep", "600"])).await;
        assert!(full.code == Code::Refused && full.message.contains("it holds 16 terminals"), "{full}");
        drop(held);
        for id in 1..=16 {
            backend.end_terminal(&session.name, id).await.unwrap();
        }
        fill(&backend, &session).await;
    });
}

#[test]
fn a_hostile_process_inside_keeps_nobody_from_the_terminals() {
    let session = Session::launch(&OFFLINE, &["sleep", "600"]);
    let attack = r"
import json, socket, struct, os, time
def connect():
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(5)
    s.connect('\0palisade-terminals')
    return s
def want(s, what):
    b = json.dumps(what).encode()
    s.sendall(b'W' + struct.pack('>I', len(b)) + b)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        kept = []
        def keep(what=None, raw=b''):
            try:
                s = connect(); kept.append(s)
                if what: want(s, what)
                s.sendall(raw)
            except OSError: pass
        keep({'attach': {'id': 1, 'size': [65535, 65535]}})
        keep({'open': {'command': ['yes'], 'env': [], 'working_dir': '', 'size': [65535, 65535]}})
        keep({'open': {'command': ['sh', '-c', 'yes $(printf \'\\033[6n\\033[c\')'], 'env': [], 'working_dir': '', 'size': [1, 1]}})
        for n in range(200):
            keep(None, os.urandom(1000) if n % 2 else b'O\xff\xff\xff\xff')
        for n in range(200):
            keep()
        print('ready', flush=True)
        time.sleep(600)
    os._exit(0)
time.sleep(3)
";
    on_the_engine(|backend| async move {
        let mut shell = Shown::new(&backend, &session, open(&["sh"])).await;
        shell.keys("echo one-$$\r").await;
        shell.until("one-").await;
        let (code, said, _) = session.sh(&format!("cat > /tmp/attack.py <<'END'\n{attack}\nEND\nsetsid python3 /tmp/attack.py"));
        assert_eq!((code, said.as_str()), (0, "ready\n"));
        let mut other = Shown::new(&backend, &session, open(&["sh"])).await;
        other.keys("echo two-$((1+1))\r").await;
        other.until("two-2").await;
        assert!(backend.terminals(&session.name).await.unwrap().len() >= 2);
        shell.keys("echo still-$((1+1))\r").await;
        shell.until("still-2").await;
        other.keys("exit 3\r").await;
        assert_eq!(other.ended().await, 3);
        // Which number the supervisor has is the runtime's affair.
        let (_, held, _) = session.sh("grep -lx palisade /proc/[0-9]*/comm | sed s/comm$/status/ | xargs grep -h VmRSS:");
        let resident = held.lines().map(|line| line.trim_start_matches("VmRSS:").trim().trim_end_matches(" kB"));
        let resident: u64 = resident.map(|amount| amount.parse::<u64>().unwrap()).max().unwrap();
        assert!(resident < 600 << 10, "{resident} KiB");
    });
}

#[test]
fn a_session_that_stops_its_supervisor_is_told_and_holds_nobody_up() {
    let session = Session::launch(&OFFLINE, &["sleep", "600"]);
    let (code, _, said) = session.sh("kill -STOP $(grep -lx palisade /proc/[0-9]*/comm | cut -d/ -f3)");
    assert_eq!(code, 0, "{said}");
    let is_told = async |backend: Backend| {
        let failure = backend.terminals(&session.name).await.unwrap_err();
        assert_eq!(failure.message, format!("the supervisor of '{}' does not answer", session.name));
        assert!(failure.hint.is_some_and(|hint| hint.contains("palisade restart")));
    };
    std::thread::scope(|scope| {
        scope.spawn(|| on_the_engine(is_told));
        scope.spawn(|| by_the_engine(is_told));
    });
    succeed(&["restart", "--grace", "0", &session.name]);
    on_the_engine(|backend| async move { assert_eq!(backend.terminals(&session.name).await.unwrap(), []) });
}

#[test]
fn a_shell_that_nobody_uses_ends_after_the_time_that_the_profile_gives() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("short.toml");
    std::fs::write(&profile, "[terminal]\nidle = \"1s\"\n").unwrap();
    let session = Session::launch(&["--network", "none", "-p", profile.to_str().unwrap()], &["sleep", "600"]);
    on_the_engine(|backend| async move {
        drop(backend.terminal(&session.name, open(&[])).await.unwrap());
        until("it has ended", || session.sh("ls /dev/pts").1 == "ptmx\n");
        let grants = backend.grants(&session.name).await.unwrap();
        assert_eq!(grants, Grants::default());
    });
}
