//! A socket before an engine at which a palisade is killed, or held, at one of its requests.

use std::io::{BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::proxy::request;
use crate::support::until;

/// When, of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the engine hears of it.
    Unheard,
    /// When the engine has answered and the palisade has not heard.
    Answered,
    /// When it has heard so many pieces of a longer answer.
    Midway(usize),
    /// It is not killed: its request waits until it is let go.
    Held,
}

/// Which request of a palisade, from 0 on, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    pub call: usize,
    pub moment: Moment,
}

pub struct Killer {
    pub address: String,
    shared: Arc<Shared>,
    _folder: tempfile::TempDir,
}

struct Shared {
    engine: PathBuf,
    point: Mutex<Option<Point>>,
    changed: Condvar,
    /// The lines of the requests that came.
    calls: Mutex<Vec<String>>,
    victim: AtomicI32,
    /// The request at which it happened.
    struck: Mutex<Option<String>>,
}

impl Killer {
    pub fn before(engine: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let shared = Arc::new(Shared {
            engine,
            point: Mutex::default(),
            changed: Condvar::new(),
            calls: Mutex::default(),
            victim: AtomicI32::new(0),
            struck: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || serve(client, &shared));
            }
        });
        Self { address: format!("unix://{}", path.display()), shared, _folder: folder }
    }

    /// From now on requests are counted, and the process that is named next is struck at this point.
    pub fn aim(&self, point: Option<Point>) {
        *self.shared.struck.lock().unwrap() = None;
        self.shared.victim.store(0, Ordering::SeqCst);
        self.shared.calls.lock().unwrap().clear();
        *self.shared.point.lock().unwrap() = point;
    }

    pub fn victim(&self, pid: u32) {
        self.shared.victim.store(i32::try_from(pid).unwrap(), Ordering::SeqCst);
    }

    /// Requests since it was aimed.
    pub fn calls(&self) -> Vec<String> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// The request at which the process was struck.
    pub fn struck(&self) -> Option<String> {
        self.shared.struck.lock().unwrap().clone()
    }

    /// Nothing more is struck, and what is held goes on.
    pub fn rest(&self) {
        *self.shared.point.lock().unwrap() = None;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// Counts a request, and says what is to happen at it.
    fn at(&self, line: &str) -> Option<Moment> {
        let mut calls = self.calls.lock().unwrap();
        let call = calls.len();
        calls.push(line.to_owned());
        self.point.lock().unwrap().filter(|point| point.call == call).map(|point| point.moment)
    }

    fn strike(&self, line: &str) {
        until("the palisade is known by its number", || self.victim.load(Ordering::SeqCst) > 0);
        *self.point.lock().unwrap() = None;
        *self.struck.lock().unwrap() = Some(line.to_owned());
        let _ = kill(Pid::from_raw(self.victim.load(Ordering::SeqCst)), Signal::SIGKILL);
    }

    fn hold(&self, line: &str) {
        *self.struck.lock().unwrap() = Some(line.to_owned());
        let mut point = self.point.lock().unwrap();
        while point.is_some() {
            point = self.changed.wait(point).unwrap();
        }
    }
}

/// One connection: the adapter opens one for each request.
fn serve(mut client: UnixStream, shared: &Shared) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let (head, body) = request(&mut reader)?;
    let line = head.lines().next()?.to_owned();
    let moment = shared.at(&line);
    match moment {
        Some(Moment::Unheard) => {
            shared.strike(&line);
            return None;
        }
        Some(Moment::Held) => shared.hold(&line),
        _ => {}
    }
    let mut engine = UnixStream::connect(&shared.engine).ok()?;
    engine.write_all(head.as_bytes()).ok()?;
    engine.write_all(&body).ok()?;
    let (mut back, mut to_engine) = (engine.try_clone().ok()?, engine.try_clone().ok()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut reader, &mut to_engine);
        let _ = to_engine.shutdown(Shutdown::Write);
    });
    let mut pieces = match moment {
        Some(Moment::Answered) => Some(0),
        Some(Moment::Midway(pieces)) => Some(pieces),
        _ => None,
    };
    let mut buffer = vec![0; 16 << 10];
    loop {
        let count = back.read(&mut buffer).unwrap_or(0);
        match &mut pieces {
            // An answer that ends before was heard to its end.
            Some(0) => {
                shared.strike(&line);
                let _ = engine.shutdown(Shutdown::Both);
                return None;
            }
            Some(left) => *left -= 1,
            None => {}
        }
        if count == 0 || client.write_all(&buffer[..count]).is_err() {
            let _ = (client.shutdown(Shutdown::Write), engine.shutdown(Shutdown::Both));
            return None;
        }
    }
}
