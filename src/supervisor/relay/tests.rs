//! Clients on one side, a depot of the test's own on the other, the relay on a thread of its own between them.
#![expect(clippy::disallowed_methods, reason = "the tests' own folder, and the threads of this process")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::super::duties::{Duties, NO_SUCH_THREAD};
use super::*;
use crate::depot::wire;

/// A relay at a port of its own, that works until the test ends.
struct Running {
    folder: TempDir,
    address: SocketAddr,
    /// Its end is what the relay waits for.
    stop: Option<std::io::PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn new(bounds: Bounds) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let way = Way { depot: folder.path().join("depot.sock"), greeting: wire::greeting("token"), bounds };
        let (watched, stop) = std::io::pipe().unwrap();
        let (tell, told) = channel();
        let thread = thread::spawn(move || {
            let duties = Duties::new().unwrap();
            tell.send(listening(&duties, way)).unwrap();
            duties.wait(watched.as_fd(), None).unwrap();
        });
        Self { folder, address: told.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("depot.sock")
    }

    fn depot(&self) -> UnixListener {
        UnixListener::bind(self.socket()).unwrap()
    }

    fn client(&self) -> TcpStream {
        let client = TcpStream::connect(self.address).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        client
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || thread::panicking());
    }
}

/// At a port of its own.
fn listening(duties: &Duties, way: Way) -> SocketAddr {
    let _among_them = duties.enter();
    listen(SocketAddr::from(([127, 0, 0, 1], 0)), way).unwrap()
}

fn bounds() -> Bounds {
    Bounds::under(1024)
}

/// Accepts one connection and takes its greeting.
fn greeted(depot: &UnixListener) -> UnixStream {
    let (mut stream, _) = depot.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        line.push(byte[0]);
    }
    assert_eq!(wire::token(line.strip_suffix(b"\n").unwrap()), Some("token"));
    stream
}

/// A depot that answers each connection with what came after its greeting.
fn echo(depot: UnixListener) {
    thread::spawn(move || {
        while let Ok((mut stream, _)) = depot.accept() {
            thread::spawn(move || {
                let mut all = Vec::new();
                stream.read_to_end(&mut all).unwrap();
                let greeting = wire::greeting("token");
                assert!(all.starts_with(&greeting));
                let _ = stream.write_all(&all[greeting.len()..]);
            });
        }
    });
}

/// Bytes without a pattern that a lost, doubled or swapped buffer would fit.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..length).map(step).collect()
}

fn rest(mut stream: impl Read) -> Vec<u8> {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    all
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        thread::yield_now();
    }
}

#[test]
fn the_depot_is_greeted_and_every_byte_arrives_both_ways() {
    let running = Running::new(bounds());
    let depot = running.depot();
    let mut client = running.client();
    let mut served = greeted(&depot);
    let (up, down) = (&noise(5 << 20, 1), &noise(9 << 20, 2));
    thread::scope(|scope| {
        let mut sender = client.try_clone().unwrap();
        let mut answers = served.try_clone().unwrap();
        scope.spawn(move || {
            sender.write_all(up).unwrap();
            sender.shutdown(Shutdown::Write).unwrap();
        });
        scope.spawn(move || {
            answers.write_all(down).unwrap();
            answers.shutdown(Shutdown::Write).unwrap();
        });
        let reader = scope.spawn(|| rest(&mut served));
        assert!(rest(&mut client) == *down);
        assert!(reader.join().unwrap() == *up);
    });
}

#[test]
fn either_side_may_finish_first_and_still_listen() {
    let running = Running::new(bounds());
    let depot = running.depot();
    let mut client = running.client();
    let mut served = greeted(&depot);
    client.write_all(b"question").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut served), b"question");
    served.write_all(b"answer").unwrap();
    drop(served);
    assert_eq!(rest(&mut client), b"answer");

    let mut client = running.client();
    let mut served = greeted(&depot);
    served.write_all(b"told unasked").unwrap();
    served.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&mut client), b"told unasked");
    client.write_all(b"and answered").unwrap();
    drop(client);
    assert_eq!(rest(&mut served), b"and answered");
}

#[test]
fn a_depot_that_comes_late_or_anew_is_waited_for() {
    let running = Running::new(bounds());
    // Absent at first; then one that died and left its socket, as a restart does.
    for _ in 0..2 {
        let mut client = running.client();
        client.write_all(b"early").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let _ = std::fs::remove_file(running.socket());
        let depot = running.depot();
        let served = greeted(&depot);
        assert_eq!(rest(&served), b"early");
        drop((served, depot));
        assert_eq!(rest(&client), b"");
    }
}

#[test]
fn a_depot_that_stays_away_is_an_answer_that_says_so() {
    let running = Running::new(Bounds { patience: Duration::from_millis(50), ..bounds() });
    let mut client = running.client();
    // More than is read before the answer: closing on it must not take the answer back.
    client.write_all(&noise(100_000, 3)).unwrap();
    let answer = String::from_utf8(rest(&client)).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 503 Service Unavailable"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
    assert_eq!(body, "the package depot does not answer; palisade depot status says more\n");
}

#[test]
fn a_depot_that_goes_midway_ends_the_answer() {
    let running = Running::new(bounds());
    let depot = running.depot();
    let mut client = running.client();
    let mut served = greeted(&depot);
    client.write_all(b"unread").unwrap();
    served.write_all(b"half an ans").unwrap();
    drop(served);
    assert_eq!(rest(&client), b"half an ans");
}

#[test]
fn a_refusal_arrives_although_the_body_is_not_read() {
    let running = Running::new(bounds());
    let depot = running.depot();
    let mut client = running.client();
    let mut served = greeted(&depot);
    let mut uploads = client.try_clone().unwrap();
    let upload = thread::spawn(move || uploads.write_all(&noise(32 << 20, 4)));
    served.write_all(b"405").unwrap();
    drop(served);
    let mut answer = [0; 3];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"405");
    upload.join().unwrap().unwrap();
}

#[test]
fn two_hundred_clients_are_served_sixty_four_at_a_time() {
    let running = Running::new(bounds());
    let depot = running.depot();
    let (at_once, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let full = Barrier::new(64);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..200u64)
            .map(|number| {
                let mut client = running.client();
                scope.spawn(move || {
                    let sent = noise(30_000, number);
                    client.write_all(&sent).unwrap();
                    client.shutdown(Shutdown::Write).unwrap();
                    assert!(rest(&client) == sent);
                })
            })
            .collect();
        for number in 0..200 {
            let mut served = greeted(&depot);
            let (at_once, most, full) = (&at_once, &most, &full);
            scope.spawn(move || {
                most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                if number < 64 {
                    full.wait();
                }
                let sent = rest(&served);
                // Before the end that frees the slot.
                at_once.fetch_sub(1, Ordering::SeqCst);
                served.write_all(&sent).unwrap();
            });
        }
        for client in clients {
            client.join().unwrap();
        }
    });
    assert_eq!(most.into_inner(), 64);
}

#[test]
fn who_never_reads_holds_up_nobody_and_is_let_go_when_silent() {
    let running = Running::new(Bounds { connections: 2, idle: Duration::from_secs(1), ..bounds() });
    let depot = running.depot();
    let stubborn = running.client();
    let mut served = greeted(&depot);
    let flood = thread::spawn(move || served.write_all(&noise(64 << 20, 5)));
    for _ in 0..5 {
        let mut client = running.client();
        let mut served = greeted(&depot);
        served.write_all(b"quick").unwrap();
        drop(served);
        let mut answer = [0; 5];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"quick");
    }
    assert!(flood.join().unwrap().is_err(), "the depot learns that nobody reads");
    drop(stubborn);
}

#[test]
fn who_is_gone_frees_the_slot() {
    let running = Running::new(Bounds { connections: 1, ..bounds() });
    let depot = running.depot();
    for _ in 0..3 {
        let mut gone = running.client();
        gone.write_all(b"x").unwrap();
        let mut served = greeted(&depot);
        drop(gone);
        // To be told, not to be waited for.
        assert_eq!(rest(&served), b"x");
        let _ = served.write_all(b"to nobody");
    }
    let mut client = running.client();
    let mut served = greeted(&depot);
    served.write_all(b"next").unwrap();
    let mut answer = [0; 4];
    client.read_exact(&mut answer).unwrap();
}

#[test]
fn a_descriptor_costs_no_connection() {
    assert_eq!(Bounds::under(1024).connections, 64);
    assert_eq!(Bounds::under(32).connections, 16);
    assert_eq!(Bounds::under(0).connections, 1);
}

#[test]
fn no_thread_is_started_and_a_second_relay_is_told_that_the_place_is_taken() {
    let running = Running::new(bounds());
    echo(running.depot());
    let mut client = running.client();
    client.write_all(b"x").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(&client), b"x");
    let threads = std::fs::read_dir(Path::new("/proc/self/task")).unwrap();
    let named = threads.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    assert_eq!(named.filter(|name| name.trim() == NO_SUCH_THREAD).count(), 0);

    let way = Way { depot: running.socket(), greeting: Vec::new(), bounds: bounds() };
    let duties = Duties::new().unwrap();
    let _among_them = duties.enter();
    assert_eq!(listen(running.address, way).err().unwrap().kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn a_wait_ends_with_its_patience_whatever_is_relayed() {
    let folder = tempfile::tempdir().unwrap();
    let way = Way { depot: folder.path().join("depot.sock"), greeting: wire::greeting("token"), bounds: bounds() };
    let depot = UnixListener::bind(&way.depot).unwrap();
    let duties = Duties::new().unwrap();
    let address = listening(&duties, way);
    let (never, _kept) = std::io::pipe().unwrap();
    // Both flood as fast as they can until the relay is dropped.
    let floods = thread::spawn(move || {
        let mut client = TcpStream::connect(address).unwrap();
        let mut reads = client.try_clone().unwrap();
        let mut served = greeted(&depot);
        let sender = thread::spawn(move || while client.write_all(&[0; 1 << 14]).is_ok() {});
        let reader = thread::spawn(move || std::io::copy(&mut reads, &mut std::io::sink()));
        let mut answers = served.try_clone().unwrap();
        let answerer = thread::spawn(move || while answers.write_all(&[0; 1 << 14]).is_ok() {});
        let _ = std::io::copy(&mut served, &mut std::io::sink());
        for thread in [sender, answerer] {
            thread.join().unwrap();
        }
        drop(reader.join().unwrap());
    });
    for _ in 0..5 {
        duties.wait(never.as_fd(), Some(Duration::from_millis(100))).unwrap();
    }
    drop(duties);
    floods.join().unwrap();
    until("the port is free again", || TcpStream::connect(address).is_err());
}
