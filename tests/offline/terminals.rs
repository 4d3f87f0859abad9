//! The supervisor's terminals as processes: the command in one of its own, what passes bytes to them, and who is killed.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use palisade::supervisor::gate::{Frame, Stdin};
use palisade::terminal::wire::{Frames, Held, Refusal, Say, Told, Want};
use palisade::terminal::{Screen, Size};

struct Supervisor {
    child: Child,
    socket: String,
}

impl Supervisor {
    fn new(stdin: Stdin, args: &[&str]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let socket = format!("test-offline-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
        command.args(["supervise", "--terminals", &socket]).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("TERM").env_remove("COLORTERM");
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(&Frame::new(stdin, &BTreeMap::new(), None).encode().unwrap()).unwrap();
        Self { child, socket }
    }

    fn bridge(&self, want: Want) -> Client<ChildStdin, ChildStdout> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
        let mut child = command.args(["terminal", &self.socket]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Client::new(input, output, want, Some(child))
    }

    /// Once it listens.
    fn connect(&self, want: Want) -> Client<UnixStream, UnixStream> {
        let address = SocketAddr::from_abstract_name(&self.socket).unwrap();
        let mut stream = UnixStream::connect_addr(&address);
        until("it listens", || {
            stream = UnixStream::connect_addr(&address);
            stream.is_ok()
        });
        let stream = stream.unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Client::new(stream.try_clone().unwrap(), stream, want, None)
    }

    fn list(&self) -> Vec<Held> {
        match self.connect(Want::List).told() {
            Some(Told::List(held)) => held,
            other => panic!("{other:?}"),
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    fn finish(self) -> Output {
        self.child.wait_with_output().unwrap()
    }
}

struct Client<I, O> {
    input: I,
    output: O,
    frames: Frames,
    seen: String,
    child: Option<Child>,
}

impl<I: Write, O: Read> Client<I, O> {
    fn new(input: I, output: O, want: Want, child: Option<Child>) -> Self {
        let mut client = Self { input, output, frames: Frames::default(), seen: String::new(), child };
        client.say(&Say::Want(want));
        client
    }

    fn say(&mut self, say: &Say) {
        self.input.write_all(&say.encode()).unwrap();
    }

    fn keys(&mut self, keys: &str) {
        self.say(&Say::Input(keys.as_bytes().to_vec()));
    }

    fn told(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.frames.told().unwrap() {
                if let Told::Anew(bytes) | Told::Output(bytes) = &told {
                    self.seen.push_str(&String::from_utf8_lossy(bytes));
                }
                return Some(told);
            }
            let mut buffer = [0; 4096];
            match self.output.read(&mut buffer).unwrap() {
                0 => return None,
                read => self.frames.push(&buffer[..read]),
            }
        }
    }

    fn attached(&mut self) -> Held {
        match self.told() {
            Some(Told::Attached(held)) => held,
            other => panic!("{other:?}"),
        }
    }

    fn until(&mut self, what: &str) {
        while !self.seen.contains(what) {
            let told = self.told();
            assert!(matches!(told, Some(Told::Anew(_) | Told::Output(_) | Told::Attached(_))), "{told:?} after {:?}", self.seen);
        }
    }

    /// The exit code, and that nothing comes after it.
    fn ended(&mut self) -> i32 {
        loop {
            match self.told() {
                Some(Told::Ended(code)) => {
                    assert_eq!(self.told(), None);
                    return code;
                }
                Some(Told::Anew(_) | Told::Output(_)) => {}
                other => panic!("{other:?} after {:?}", self.seen),
            }
        }
    }
}

const LOOK: Want = Want::Attach { id: 0, size: None };

fn look(columns: u16, rows: u16) -> Want {
    Want::Attach { id: 0, size: Some(Size::new(columns, rows)) }
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_command_in_a_terminal_is_seen_by_who_looks_on_and_in_the_log() {
    let supervisor = Supervisor::new(Stdin::Null, &["--tty", "--", "sh", "-c", "tty; echo $TERM $COLORTERM; read x; echo got $x; exit 5"]);
    let mut client = supervisor.connect(LOOK);
    let held = client.attached();
    assert_eq!((held.id, held.size, held.command[0].as_str()), (0, Size::USUAL, "sh"));
    client.until("truecolor\r\n");
    client.keys("it\r");
    assert_eq!(client.ended(), 5);
    drop(client);
    let output = supervisor.finish();
    assert_eq!(output.status.code(), Some(5));
    let log = String::from_utf8(output.stdout).unwrap();
    assert!(log.starts_with("/dev/pts/") && log.ends_with("\r\nxterm-256color truecolor\r\nit\r\ngot it\r\n"), "{log:?}");
}

#[test]
fn a_command_that_is_launched_to_be_looked_at_waits_and_is_born_in_its_size() {
    for _ in 0..20 {
        let supervisor = Supervisor::new(Stdin::Pass, &["--tty", "--", "sh", "-c", "stty size; seq 500; exit 3"]);
        let mut client = supervisor.bridge(look(101, 31));
        assert_eq!(client.attached().size, Size::new(101, 31));
        assert_eq!(client.ended(), 3);
        assert!(client.seen.contains("31 101\r\n1\r\n2\r\n") && client.seen.ends_with("499\r\n500\r\n"), "{}", client.seen);
        assert!(client.child.take().unwrap().wait().unwrap().success());
        assert_eq!(supervisor.finish().status.code(), Some(3));
    }
}

#[test]
fn a_command_that_cannot_be_run_is_told_to_who_waits_for_it() {
    let supervisor = Supervisor::new(Stdin::Pass, &["--tty", "--", "no-such-command"]);
    let mut client = supervisor.connect(LOOK);
    let told = client.told();
    assert!(matches!(&told, Some(Told::Refused(Refusal { message, .. })) if message.contains("no-such-command")), "{told:?}");
    drop(client);
    assert_eq!(supervisor.finish().status.code(), Some(127));
}

#[test]
fn signals_and_the_deadline_reach_a_command_in_a_terminal() {
    let supervisor =
        Supervisor::new(Stdin::Null, &["--tty", "--", "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.01; done"]);
    supervisor.connect(LOOK).until("ready");
    supervisor.signal(Signal::SIGTERM);
    assert_eq!(supervisor.finish().status.code(), Some(9));
    let supervisor = Supervisor::new(
        Stdin::Null,
        &["--timeout", "1", "--grace", "1", "--tty", "--", "sh", "-c", "trap '' TERM HUP; while :; do sleep 1; done"],
    );
    assert_eq!(supervisor.finish().status.code(), Some(124));
}

#[test]
fn a_log_that_nobody_reads_does_not_hold_the_end() {
    let mut supervisor = Supervisor::new(Stdin::Null, &["--tty", "--", "sh", "-c", "seq 100000; echo over; exit 4"]);
    // Kept open, and never read.
    let _kept = supervisor.child.stdout.take().unwrap();
    assert_eq!(supervisor.child.wait().unwrap().code(), Some(4));
    let mut supervisor = Supervisor::new(Stdin::Null, &["--tty", "--", "sh", "-c", "seq 100000; exit 4"]);
    drop(supervisor.child.stdout.take());
    assert_eq!(supervisor.child.wait().unwrap().code(), Some(4));
}

#[test]
fn a_client_that_does_not_go_does_not_hold_the_end() {
    let supervisor = Supervisor::new(Stdin::Null, &["--tty", "--", "sh", "-c", "read x; exit 6"]);
    let mut client = supervisor.connect(LOOK);
    client.attached();
    client.keys("\r");
    // Neither read nor closed until it is over.
    assert_eq!(supervisor.finish().status.code(), Some(6));
    drop(client);
}

#[test]
fn who_passes_bytes_ends_when_either_side_does_and_a_shell_does_not() {
    let supervisor = Supervisor::new(Stdin::Null, &["--idle"]);
    // What of this sort it has open: terminals, and sockets of its own and of who is connected.
    let fds = |name: &str| {
        let fds = std::fs::read_dir(format!("/proc/{}/fd", supervisor.child.id())).unwrap();
        fds.filter(|fd| std::fs::read_link(fd.as_ref().unwrap().path()).is_ok_and(|to| to.to_string_lossy().contains(name))).count()
    };
    let open =
        Want::Open { command: vec!["sh".to_owned()], env: vec!["PS1=".to_owned()], working_dir: "/tmp".to_owned(), size: Size::USUAL };
    let mut client = supervisor.bridge(open);
    let held = client.attached();
    assert_eq!((fds("/dev/pts/"), fds("ptmx")), (1, 1));
    let sockets = fds("socket:") - 1;
    client.keys("pwd; echo pid $$\r");
    client.until(&format!("\r\npid {}\r\n", held.pid));
    assert!(client.seen.contains("\r\n/tmp\r\n"));
    // The manager is gone: its end of the input is closed.
    let Client { input, child, .. } = client;
    drop(input);
    assert!(child.unwrap().wait().unwrap().success());
    for round in 0..100 {
        let mut client = supervisor.bridge(Want::Attach { id: 1, size: None });
        assert_eq!(client.attached().pid, held.pid);
        let keys = "abcdefghijklmnopqrst";
        for key in keys.chars() {
            client.keys(&key.to_string());
        }
        client.until(keys);
        client.keys(&format!("\x15echo {round}-${{#x}}\r"));
        client.until(&format!("\n{round}-0\r\n"));
        let mut child = client.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
    until("all have left", || supervisor.list()[0].clients == 0);
    let mut client = supervisor.bridge(Want::Attach { id: 1, size: None });
    client.attached();
    client.keys("exit 2\r");
    assert_eq!(client.ended(), 2);
    assert!(client.child.take().unwrap().wait().unwrap().success());
    until("nothing of it is left open", || (fds("/dev/pts/"), fds("ptmx"), fds("socket:")) == (0, 0, sockets));
    supervisor.signal(Signal::SIGTERM);
    assert_eq!(supervisor.finish().status.code(), Some(143));
}

#[test]
fn where_no_supervisor_holds_terminals_that_is_said() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_palisade")).args(["terminal", "test-nobody-is-there"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be reached: Connection refused"));
}

#[test]
fn a_screen_is_drawn_again_as_it_was() {
    let supervisor = Supervisor::new(Stdin::Null, &["--idle"]);
    let line = r"seq 30; printf '\033[1;31mred\033[0m 日本\n'; printf '\033[?1049h\033[2J\033[5;5Hhere\033[?25l'; read x";
    let open = Want::Open {
        command: ["sh", "-c", line].map(str::to_owned).to_vec(),
        env: Vec::new(),
        working_dir: String::new(),
        size: Size::new(60, 20),
    };
    let mut screens = [Screen::new(Size::new(60, 20), 1000), Screen::new(Size::new(60, 20), 1000)];
    let mut first = supervisor.connect(open);
    first.until("\u{1b}[?25l");
    screens[0].feed(first.seen.as_bytes());
    drop(first);
    let mut second = supervisor.connect(Want::Attach { id: 1, size: None });
    second.until("\u{1b}[?25l");
    screens[1].feed(second.seen.as_bytes());
    let [one, two] = &mut screens;
    assert_eq!(one.dump(), two.dump());
    assert_eq!((one.cursor(), one.modes().alternate, one.shows_cursor()), ((8, 4), true, false));
    drop(second);
    supervisor.signal(Signal::SIGTERM);
    supervisor.finish();
}
