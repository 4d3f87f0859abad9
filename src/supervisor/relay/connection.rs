//! One client's connection, from its first byte to its end.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::time::Duration;

use nix::errno::Errno;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep, timeout};

use super::Way;
use super::pump::{Broken, Moved, Scratch, drain, pump};

/// Between two attempts to reach the depot; the first is soon, for a socket whose backlog was full for a moment.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Why the client is turned away; pip and npm show the reason of a status line.
const WHY: &str = "the package depot does not answer; palisade depot status says more";

/// Serves one client until either side is done.
pub async fn relay(mut client: TcpStream, way: &Way, scratch: &Scratch) {
    let bounds = way.bounds;
    // Without it the kernel may hold a request's last packet back; the connection works all the same.
    let _ = client.set_nodelay(true);
    let moved = Moved::default();
    let Ok(mut depot) = reach(way).await else {
        let (mut from, mut to) = client.split();
        if to.write_all(unavailable().as_bytes()).await.is_ok() && to.shutdown().await.is_ok() {
            // A close with bytes unread would take the answer back.
            let _ = while_moving(bounds.linger, &moved, drain(&mut from, scratch, &moved)).await;
        }
        return;
    };
    let (mut client_reads, mut client_writes) = client.split();
    let (mut depot_reads, mut depot_writes) = depot.split();
    let mut up = pin!(async {
        match pump(&mut client_reads, &mut depot_writes, scratch, &moved).await {
            // A server that refuses a body closes early: its answer still counts.
            Err(Broken::Sink) => drain(&mut client_reads, scratch, &moved).await,
            end => end,
        }
    });
    let mut down = pin!(async {
        match pump(&mut depot_reads, &mut client_writes, scratch, &moved).await {
            // A depot that is gone ends as one that is done: lengths tell the client whether it had everything.
            Err(Broken::Source) => client_writes.shutdown().await.map_err(|_| Broken::Sink),
            end => end,
        }
    });
    tokio::select! {
        end = while_moving(bounds.idle, &moved, up.as_mut()) => if end == Some(Ok(())) {
            while_moving(bounds.idle, &moved, down.as_mut()).await;
        },
        end = while_moving(bounds.idle, &moved, down.as_mut()) => if end == Some(Ok(())) {
            while_moving(bounds.linger, &moved, up.as_mut()).await;
        },
    }
}

/// The work's outcome; `None` once nothing has moved for as long as `idle`.
async fn while_moving<T>(idle: Duration, moved: &Moved, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    loop {
        let before = moved.so_far();
        if let Ok(outcome) = timeout(idle, work.as_mut()).await {
            return Some(outcome);
        }
        if moved.so_far() == before {
            return None;
        }
    }
}

/// A connection to the depot that has had its greeting. A depot that is being started anew is waited for.
async fn reach(way: &Way) -> io::Result<UnixStream> {
    let due = Instant::now() + way.bounds.patience;
    let mut pause = FIRST_PAUSE;
    loop {
        match greet(way).await {
            Err(error) if may_pass(&error) && Instant::now() + pause < due => {
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            outcome => return outcome,
        }
    }
}

async fn greet(way: &Way) -> io::Result<UnixStream> {
    let mut depot = UnixStream::connect(&way.depot).await?;
    depot.write_all(&way.greeting).await?;
    Ok(depot)
}

/// Whether a later attempt may do better: the socket is not there yet, nobody listens, the backlog is full, the depot
/// went before it had read, or this process has no descriptor left just now.
fn may_pass(error: &io::Error) -> bool {
    let transient = [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM];
    matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::ConnectionRefused
            | ErrorKind::WouldBlock
            | ErrorKind::BrokenPipe
            | ErrorKind::ConnectionReset
            | ErrorKind::NotConnected
    ) || error.raw_os_error().is_some_and(|code| transient.contains(&Errno::from_raw(code)))
}

/// What a client is told where the depot stays away.
fn unavailable() -> String {
    let body = format!("{WHY}\n");
    format!(
        "HTTP/1.1 503 Service Unavailable: {WHY}\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
