//! By which ways somebody comes: from inside, from outside, by a bridge.

use super::*;

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
