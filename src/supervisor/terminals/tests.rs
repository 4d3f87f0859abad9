//! Clients on one side, real programs in real PTYs on the other, the holder on a thread of its own between them.
#![expect(clippy::disallowed_methods, reason = "the tests' own folders, and the processes that they started")]

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
fn processes_of_the_sandbox_leave_room_for_the_operator() {
    // What connects from this very process is no engine's exec.
    let running = Running::with(Bounds { who: Peer::of, inside: 2, ..bounds() });
    let kept = [running.open("read x"), running.open("read x")];
    assert!(matches!(running.connect().told(), Told::Refused(Refusal { why: Why::Full, .. })));
    let (one, _) = kept.into_iter().next().unwrap();
    drop(one);
    until("a connection is free again", || matches!(running.wants(Want::List).told(), Told::List(_)));
    let open = Want::Open { command: vec!["true".to_owned()], env: Vec::new(), working_dir: String::new(), size: Size::USUAL };
    assert_eq!(running.refused(open).why, Why::Full, "their terminals are counted too");
}

#[test]
fn who_comes_from_outside_greets_is_welcome_and_is_somebody_who_uses_the_session() {
    let running = Running::with(Bounds { who: |_| Peer::Outside, inside: 0, ..bounds() });
    let mut client = running.connect();
    client.stream.write_all(&GREETING).unwrap();
    let mut answer = [0];
    client.stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [WELCOME]);
    // Raw: of what is typed without a line's end into a full terminal that is not, the kernel lets go.
    let command = ["sh", "-c", "stty raw -echo; echo ready; exec sleep 600"].map(str::to_owned).to_vec();
    client.say(&Say::Want(Want::Open { command, env: Vec::new(), working_dir: String::new(), size: Size::USUAL }));
    assert!(matches!(client.told(), Told::Attached(_)));
    client.until("ready");
    assert!(running.life.is_visited());
    // What it types and nobody takes does not hide that it is gone.
    let _ = client.stream.set_write_timeout(Some(Duration::from_millis(200)));
    let typed = Say::Input(vec![b'x'; 32 << 10]).encode();
    while client.stream.write_all(&typed).is_ok() {}
    drop(client);
    until("nobody is there", || !running.life.is_visited());
    // It needs no greeting, and nobody else is greeted.
    assert!(matches!(running.wants(Want::List).told(), Told::List(held) if held[0].clients == 0));
    for inside in [Peer::Inside, Peer::Engine] {
        let running = Running::with(Bounds { who: if inside == Peer::Inside { |_| Peer::Inside } else { |_| Peer::Engine }, ..bounds() });
        let mut client = running.connect();
        client.stream.write_all(&GREETING).unwrap();
        client.stream.read_exact(&mut answer).unwrap();
        assert_ne!(answer, [WELCOME]);
        assert!(!running.life.is_visited());
    }
}

#[test]
fn no_program_has_anothers_terminal_open() {
    let running = Running::new();
    let (_one, _) = running.open("read x");
    let (mut two, _) = running.open("ls -l /proc/self/fd; echo over");
    two.until("over");
    assert!(!two.seen.contains("ptmx"), "{}", two.seen);
}

/// One who comes by a bridge, with pipes as an engine gives them to an exec.
struct Bridged {
    keys: Option<std::io::PipeWriter>,
    shown: std::io::PipeReader,
    frames: Frames,
    /// Shut down, it is as if the bridge were killed.
    socket: UnixStream,
    bridge: JoinHandle<std::io::Result<()>>,
}

impl Bridged {
    fn new(running: &Running, want: Want) -> Self {
        let (input, mut keys) = std::io::pipe().unwrap();
        let (shown, output) = std::io::pipe().unwrap();
        let socket = running.connect().stream;
        socket.set_read_timeout(None).unwrap();
        let its_own = socket.try_clone().unwrap();
        let bridge = thread::spawn(move || bridge::serve(&its_own, input.as_fd(), output.as_fd()));
        keys.write_all(&Say::Want(want).encode()).unwrap();
        Self { keys: Some(keys), shown, frames: Frames::default(), socket, bridge }
    }

    /// Reads until this was shown; the exit code where it ended first.
    fn until(&mut self, what: &str) -> Option<i32> {
        let mut seen = String::new();
        while !seen.contains(what) {
            match self.frames.told().unwrap() {
                Some(Told::Anew(bytes) | Told::Output(bytes)) => seen.push_str(&String::from_utf8_lossy(&bytes)),
                Some(Told::Ended(code)) => return Some(code),
                Some(_) => {}
                None => {
                    let mut buffer = [0; 1 << 13];
                    let read = self.shown.read(&mut buffer).unwrap();
                    assert!(read > 0, "it ended after {seen:?}");
                    self.frames.push(&buffer[..read]);
                }
            }
        }
        None
    }

    fn types(&mut self, keys: &str) {
        self.keys.as_mut().unwrap().write_all(&Say::Input(keys.as_bytes().to_vec()).encode()).unwrap();
    }
}

fn cat() -> Want {
    Want::Open { command: vec!["cat".to_owned()], env: Vec::new(), working_dir: String::new(), size: Size::USUAL }
}

#[test]
fn what_a_bridge_hands_over_is_used_and_either_end_ends_the_other() {
    let running = Running::new();
    let mut client = Bridged::new(&running, cat());
    client.types("there\r");
    client.until("there\r\nthere\r\n");
    // The manager is gone.
    drop(client.keys.take());
    client.bridge.join().unwrap().unwrap();
    until("nobody looks on", || running.list()[0].clients == 0);
    let mut rest = Vec::new();
    client.shown.read_to_end(&mut rest).unwrap();

    // The bridge is killed: the pipes are let go of, though they are open at their other ends.
    let mut client = Bridged::new(&running, Want::Attach { id: 1, size: None });
    client.until("there");
    client.socket.shutdown(std::net::Shutdown::Both).unwrap();
    client.bridge.join().unwrap().unwrap();
    until("nobody looks on", || running.list()[0].clients == 0);
    client.shown.read_to_end(&mut rest).unwrap();
    assert_eq!(client.keys.as_mut().unwrap().write(b"x").unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);

    // The program ends: all of it is told, and the bridge has nothing left to do.
    let mut client = Bridged::new(&running, Want::Attach { id: 1, size: None });
    client.types("last\r\u{4}");
    assert_eq!(client.until("never"), Some(0));
    client.bridge.join().unwrap().unwrap();
}

#[test]
fn what_is_no_pipe_or_comes_from_inside_is_passed_on_by_the_bridge() {
    for (bounds, with_pipes) in
        [(bounds(), false), (Bounds { who: |_| Peer::Inside, ..bounds() }, true), (Bounds { pipes: 0, ..bounds() }, true)]
    {
        let running = Running::with(bounds);
        let mut client = if with_pipes {
            Bridged::new(&running, cat())
        } else {
            // Streams that are sockets.
            let (input, keys) = UnixStream::pair().unwrap();
            let (shown, output) = UnixStream::pair().unwrap();
            let socket = running.connect().stream;
            socket.set_read_timeout(None).unwrap();
            let bridge = thread::spawn(move || bridge::serve(&socket, input.as_fd(), output.as_fd()));
            let mut client = running.connect();
            client.stream = shown;
            (&keys).write_all(&Say::Want(cat()).encode()).unwrap();
            (&keys).write_all(&Say::Input(b"there\r".to_vec()).encode()).unwrap();
            client.until("there\r\nthere\r\n");
            drop(keys);
            bridge.join().unwrap().unwrap();
            until("nobody looks on", || running.list()[0].clients == 0);
            continue;
        };
        client.types("there\r");
        client.until("there\r\nthere\r\n");
        let Bridged { keys, socket, bridge, .. } = client;
        drop((keys, socket));
        bridge.join().unwrap().unwrap();
        until("nobody looks on", || running.list()[0].clients == 0);
    }
}
