//! Clients on one side, real programs in real PTYs on the other, the holder on a thread of its own between them.
#![expect(clippy::disallowed_methods, reason = "the tests' own folders, and the processes that they started")]

mod ways;

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::super::duties::Duties;
use super::peer::Peer;
use super::*;
use crate::supervisor::life::Life;
use crate::terminal::Screen;
use crate::terminal::wire::{Frames, GREETING, Held, Refusal, Say, Told, WELCOME, Want, Why};

/// A holder that works until the test ends.
struct Running {
    name: String,
    life: Life,
    stop: Option<std::io::PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn new() -> Self {
        Self::with(bounds())
    }

    fn with(bounds: Bounds) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test-terminals-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let (watched, stop) = std::io::pipe().unwrap();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let socket = name.clone();
        let life = Life::new(None, None, None);
        let its_life = life.clone();
        let thread = thread::spawn(move || {
            let duties = Duties::new().unwrap();
            let terminals = {
                let _among_them = duties.enter();
                Terminals::listen(&socket, bounds, false, its_life).unwrap()
            };
            ready.send(()).unwrap();
            let mut watched = watched;
            loop {
                // There is no SIGCHLD here: the supervisor's is its own.
                duties.wait(watched.as_fd(), Some(Duration::from_millis(2))).unwrap();
                terminals.reap();
                let mut fds = [nix::poll::PollFd::new(watched.as_fd(), nix::poll::PollFlags::POLLIN)];
                if nix::poll::poll(&mut fds, 0u8).unwrap() > 0 && watched.read(&mut [0]).unwrap() == 0 {
                    return;
                }
            }
        });
        is_ready.recv().unwrap();
        Self { name, life, stop: Some(stop), thread: Some(thread) }
    }

    fn connect(&self) -> Client {
        let stream = UnixStream::connect_addr(&SocketAddr::from_abstract_name(&self.name).unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Client { stream, frames: Frames::default(), screen: Screen::new(Size::USUAL, 1000), seen: String::new() }
    }

    fn wants(&self, want: Want) -> Client {
        let mut client = self.connect();
        // Whoever is one too many is told so at once: what it wants finds nobody then.
        if let Err(error) = client.stream.write_all(&Say::Want(want).encode()) {
            assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
        }
        client
    }

    fn open(&self, line: &str) -> (Client, Held) {
        let command = ["sh", "-c", line].map(str::to_owned).to_vec();
        self.attached(Want::Open { command, env: vec!["PS1=> ".to_owned()], working_dir: String::new(), size: Size::USUAL })
    }

    fn attach(&self, id: u32) -> (Client, Held) {
        self.attached(Want::Attach { id, size: None })
    }

    fn attached(&self, want: Want) -> (Client, Held) {
        let mut client = self.wants(want);
        match client.told() {
            Told::Attached(held) => (client, held),
            other => panic!("{other:?}"),
        }
    }

    fn refused(&self, want: Want) -> Refusal {
        match self.wants(want).told() {
            Told::Refused(refusal) => refusal,
            other => panic!("{other:?}"),
        }
    }

    fn list(&self) -> Vec<Held> {
        match self.wants(Want::List).told() {
            Told::List(held) => held,
            other => panic!("{other:?}"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || thread::panicking());
    }
}

/// Who is attached, and what they see.
struct Client {
    stream: UnixStream,
    frames: Frames,
    screen: Screen,
    /// All output since it came or the screen began anew.
    seen: String,
}

impl Client {
    fn say(&mut self, say: &Say) {
        self.stream.write_all(&say.encode()).unwrap();
    }

    fn keys(&mut self, keys: &str) {
        self.say(&Say::Input(keys.as_bytes().to_vec()));
    }

    fn try_told(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.frames.told().unwrap() {
                match &told {
                    Told::Attached(held) => self.screen = Screen::new(held.size, 1000),
                    Told::Anew(bytes) => {
                        self.screen = Screen::new(self.screen.size(), 1000);
                        self.screen.feed(bytes);
                        self.seen = String::from_utf8_lossy(bytes).into_owned();
                    }
                    Told::Output(bytes) => {
                        self.screen.feed(bytes);
                        self.seen.push_str(&String::from_utf8_lossy(bytes));
                    }
                    Told::Ended(_) | Told::List(_) | Told::Life(_) | Told::Refused(_) => {}
                }
                return Some(told);
            }
            let mut buffer = [0; 1 << 13];
            match self.stream.read(&mut buffer).unwrap_or_else(|error| panic!("{error} after {:?}", self.seen)) {
                0 => return None,
                read => self.frames.push(&buffer[..read]),
            }
        }
    }

    fn told(&mut self) -> Told {
        self.try_told().unwrap_or_else(|| panic!("the connection ended after {:?}", self.seen))
    }

    fn until(&mut self, what: &str) {
        // What was searched once is not searched again.
        let mut from = 0;
        while !self.seen[self.seen.floor_char_boundary(from)..].contains(what) {
            from = self.seen.len().saturating_sub(what.len());
            let told = self.told();
            if matches!(told, Told::Anew(_)) {
                from = 0;
            }
            assert!(!matches!(told, Told::Ended(_)), "{told:?} after {:?}", self.seen);
        }
    }

    fn ended(&mut self) -> i32 {
        loop {
            if let Told::Ended(code) = self.told() {
                return code;
            }
        }
    }

    fn lines(&self) -> Vec<String> {
        let line = |line| self.screen.line(line).map(|cell| cell.c).collect::<String>().trim_end().to_owned();
        let past = i32::try_from(self.screen.past()).unwrap();
        (-past..i32::from(self.screen.size().rows())).map(line).filter(|line| !line.is_empty()).collect()
    }
}

fn bounds() -> Bounds {
    Bounds { who: |_| Peer::Engine, ..Bounds::under(96, Duration::from_secs(10), None) }
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

fn is_there(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[test]
fn a_shell_is_left_and_taken_up_again_as_it_was() {
    let running = Running::new();
    let (mut client, held) = running.open("exec sh -i");
    assert_eq!((held.id, held.command.len(), held.size, held.clients), (1, 3, Size::USUAL, 1));
    // What is typed may stand before the prompt, and is not what is waited for.
    client.keys("mine=$$ keys=; echo be''gan\r");
    client.until("began\r\n");
    let keys = "abcdefghijklmnopqrst";
    for round in 0..20 {
        client.keys(&format!("keys={keys}{round}"));
        // Gone without a word: what was typed last arrives all the same.
        drop(client);
        let again;
        (client, again) = running.attach(1);
        assert_eq!(again.pid, held.pid);
        client.keys("; echo $mine-$keys\r");
        client.until(&format!("{}-{keys}{round}\r\n", held.pid));
        assert!(client.lines().iter().any(|line| line.ends_with("began")), "{:?}", client.lines());
    }
    until("nobody but this client is attached", || running.list()[0].clients == 1);
    client.keys("exit 7\r");
    assert_eq!(client.ended(), 7);
    assert_eq!(client.try_told(), None);
    until("the terminal is gone", || running.list().is_empty());
    assert!(!is_there(held.pid), "it was reaped");
}

#[test]
fn what_is_typed_at_once_with_what_is_wanted_arrives() {
    let running = Running::new();
    let mut client = running.connect();
    let open = Want::Open { command: vec!["cat".to_owned()], env: Vec::new(), working_dir: String::new(), size: Size::USUAL };
    let words = [Say::Want(open), Say::Resize(Size::new(70, 20)), Say::Input(b"typed\r".to_vec())];
    client.stream.write_all(&words.iter().flat_map(Say::encode).collect::<Vec<_>>()).unwrap();
    client.until("typed\r\ntyped\r\n");
    assert_eq!(running.list()[0].size, Size::new(70, 20));
}

#[test]
fn everything_that_was_written_is_told_before_the_end() {
    let running = Running::new();
    for _ in 0..30 {
        let (mut client, _) = running.open("seq 300; exit 3");
        assert_eq!(client.ended(), 3);
        assert_eq!(client.lines(), (1..=300).map(|n| n.to_string()).collect::<Vec<_>>());
        assert!(client.seen.ends_with("299\r\n300\r\n"));
    }
    let (mut client, _) = running.open("kill -9 $$");
    assert_eq!(client.ended(), 137);
}

#[test]
fn nothing_is_lost_on_a_client_that_reads() {
    let running = Running::new();
    let (mut client, _) = running.open("stty -opost; seq 300000; echo over");
    client.until("over\n");
    let numbers: Vec<_> = client
        .seen
        .lines()
        .map(|line| line.rsplit('m').next().unwrap())
        .filter(|line| !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    assert!(numbers.iter().copied().eq((1..=300_000).map(|n| n.to_string())), "{} lines", numbers.len());
}

#[test]
fn a_client_that_takes_nothing_holds_nobody_back_and_sees_the_screen_when_it_does() {
    let running = Running::with(Bounds { patience: Duration::from_millis(50), ..bounds() });
    let (mut stuck, _) = running.open("stty -echo; read x; seq 1000000; echo over; read x; echo more; read x");
    let (mut client, _) = running.attach(1);
    client.keys("\r");
    client.until("over\r\n");
    client.keys("\r");
    client.until("more\r\n");
    stuck.until("more\r\n");
    assert_eq!(stuck.lines(), client.lines());
    // It is held back no more, and misses nothing from now on.
    client.keys("\r");
    assert_eq!((client.ended(), stuck.ended()), (0, 0));
}

#[test]
fn the_size_is_that_of_who_came_or_changed_last_and_everybody_learns_it() {
    let running = Running::new();
    let (mut one, held) = running.attached(Want::Open {
        command: ["sh", "-c", "trap 'stty size' WINCH; stty size; echo ready; while :; do read x; done"].map(str::to_owned).to_vec(),
        env: Vec::new(),
        working_dir: String::new(),
        size: Size::new(65_535, 65_535),
    });
    assert_eq!(held.size, Size::MOST);
    one.until("500 1000\r\nready\r\n");
    let (mut two, held) = running.attached(Want::Attach { id: 1, size: Some(Size::new(100, 30)) });
    assert_eq!(held.size, Size::new(100, 30));
    two.until("30 100\r\n");
    while one.screen.size() != Size::new(100, 30) {
        one.told();
    }
    one.until("30 100\r\n");
    one.say(&Say::Resize(Size::new(90, 20)));
    one.until("20 90\r\n");
    while two.screen.size() != Size::new(90, 20) {
        two.told();
    }
    assert_eq!(running.list()[0].size, Size::new(90, 20));
}

#[test]
fn what_is_typed_waits_for_a_program_that_does_not_read_and_holds_nobody() {
    let running = Running::new();
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let line = format!("stty raw -echo; echo ready; until test -e {}; do sleep 0.01; done; head -c 400000 | cksum", go.display());
    let (mut client, _) = running.open(&line);
    client.until("ready");
    let typed: Vec<u8> = (0..400_000_u32).map(|n| b'a' + u8::try_from(n % 23).unwrap()).collect();
    for piece in typed.chunks(10_000) {
        client.say(&Say::Input(piece.to_vec()));
    }
    let (mut other, _) = running.open("echo here");
    assert_eq!(other.ended(), 0);
    // It leaves before anything of it was read.
    drop(client);
    let (mut client, _) = running.attach(1);
    std::fs::write(&go, "").unwrap();
    let mut counter =
        std::process::Command::new("cksum").stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    counter.stdin.take().unwrap().write_all(&typed).unwrap();
    let sum = String::from_utf8(counter.wait_with_output().unwrap().stdout).unwrap();
    client.until(sum.trim());
}

#[test]
fn a_program_that_asks_without_end_and_never_reads_costs_a_bounded_amount() {
    let running = Running::new();
    let ask = "printf '\\033[c\\033[6n%.0s' $(seq 20000)";
    let (mut client, _) = running.open(&format!("stty raw -echo; {ask}; {ask}; echo asked; read x; echo read"));
    client.until("asked");
    assert_eq!(running.list().len(), 1);
    client.keys("\r\n");
    client.until("read");
}

#[test]
fn a_terminal_is_ended_as_when_one_is_closed_and_by_force_after_its_grace() {
    let running = Running::with(Bounds { grace: Duration::from_millis(50), ..bounds() });
    let (mut client, _) = running.open("echo ready; sleep 600");
    client.until("ready");
    let told = running.wants(Want::End { id: 1 }).told();
    assert!(matches!(told, Told::Ended(128..)), "{told:?}");
    assert!(client.ended() >= 128);
    let (mut client, held) = running.open("trap '' HUP; echo ready; while :; do sleep 1; done");
    client.until("ready");
    assert_eq!(running.wants(Want::End { id: 2 }).told(), Told::Ended(137));
    assert_eq!(client.ended(), 137);
    assert!(!is_there(held.pid));
    assert_eq!(running.list(), []);
    assert_eq!(running.refused(Want::End { id: 2 }).why, Why::NotFound);
}

#[test]
fn a_shell_that_nobody_uses_ends_and_one_that_somebody_looks_at_does_not() {
    let running = Running::with(Bounds { idle: Some(Duration::from_millis(200)), ..bounds() });
    let (mut looked_at, _) = running.open("exec sh -i");
    let (left, held) = running.open("exec sh -i");
    drop(left);
    until("it has ended", || !is_there(held.pid));
    looked_at.keys("echo still $((1+1))\r");
    looked_at.until("still 2");
    assert_eq!(running.list().iter().map(|held| held.id).collect::<Vec<_>>(), [1]);
}

#[test]
fn what_cannot_be_done_is_refused_in_words() {
    let running = Running::with(Bounds { terminals: 2, ..bounds() });
    let open = |command: &str, env: &[&str]| Want::Open {
        command: vec![command.to_owned()],
        env: env.iter().map(|line| (*line).to_owned()).collect(),
        working_dir: String::new(),
        size: Size::USUAL,
    };
    let refused = running.refused(open("no-such-command", &[]));
    assert_eq!((refused.why, refused.message.as_str()), (Why::Failed, "cannot run no-such-command: No such file or directory"));
    assert_eq!(running.refused(open("/etc/passwd", &[])).message, "cannot run /etc/passwd: Permission denied");
    assert_eq!(running.refused(open("nul\0", &[])).why, Why::Failed);
    assert_eq!(running.refused(open("true", &["novalue"])).why, Why::Failed);
    assert_eq!(running.refused(Want::Attach { id: 0, size: None }).why, Why::NotFound);
    assert_eq!(running.refused(Want::Attach { id: 9, size: None }).message, "there is no terminal 9");
    assert_eq!(running.refused(Want::End { id: 0 }).why, Why::Failed);
    let _kept = (running.open("read x"), running.open("read x"));
    assert_eq!(running.refused(open("true", &[])).why, Why::Full);
    let mut garbled = running.connect();
    garbled.stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert!(matches!(garbled.told(), Told::Refused(Refusal { why: Why::Unclear, .. })));
    let mut early = running.connect();
    early.keys("x");
    assert!(matches!(early.told(), Told::Refused(Refusal { why: Why::Unclear, .. })));
}

#[test]
fn who_says_nothing_or_comes_too_often_is_turned_away_and_the_rest_are_served() {
    let running = Running::with(Bounds { connections: 3, first_word: Duration::from_millis(100), ..bounds() });
    let (mut client, _) = running.open("exec cat");
    let (mut silent, mut too) = (running.connect(), running.connect());
    assert!(matches!(running.connect().told(), Told::Refused(Refusal { why: Why::Full, .. })));
    assert_eq!((silent.try_told(), too.try_told()), (None, None));
    until("there is room again", || matches!(running.wants(Want::List).told(), Told::List(_)));
    client.keys("still\r");
    client.until("still\r\nstill\r\n");
    // What is no frame ends the connection, not the terminal.
    client.stream.write_all(b"\xff\xff\xff\xff\xff\xff").unwrap();
    until("it is gone", || running.list()[0].clients == 0);
    assert_eq!(running.attach(1).1.id, 1);
}

#[test]
fn no_program_has_anothers_terminal_open() {
    let running = Running::new();
    let (_one, _) = running.open("read x");
    let (mut two, _) = running.open("ls -l /proc/self/fd; echo over");
    two.until("over");
    assert!(!two.seen.contains("ptmx"), "{}", two.seen);
}
