//! An engine's socket with something wrong about it: a thread of this test between the binary and the real one.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::engine_socket;

/// What is wrong with it.
pub enum Fault {
    /// It drops these fields of `HostConfig` from every create request.
    Forgets(&'static [&'static str]),
    /// It closes the connection instead of answering the request whose line holds this, and everything after it.
    DiesAt(&'static str),
    /// It calls this before a start is passed on.
    BeforeStart(fn()),
    /// It calls this with the container's id before the answer to a start is passed on.
    AfterStart(fn(&str)),
}

/// A socket in a folder of its own.
pub struct Proxy {
    _folder: tempfile::TempDir,
    pub address: String,
}

impl Proxy {
    /// The depot is there before it, so that the fault meets the session's own requests.
    pub fn new(fault: Fault) -> Self {
        crate::support::with_depot();
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("engine.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let (fault, dead) = (Arc::new(fault), Arc::new(AtomicUsize::new(0)));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let (fault, dead) = (Arc::clone(&fault), Arc::clone(&dead));
                std::thread::spawn(move || serve(client, &fault, &dead));
            }
        });
        Self { address: format!("unix://{}", path.display()), _folder: folder }
    }
}

/// One connection. The adapter opens one for each request or keeps it: only its first request is looked at.
fn serve(mut client: UnixStream, fault: &Fault, dead: &AtomicUsize) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    loop {
        let (head, mut body) = request(&mut reader)?;
        let line = head.lines().next()?.to_owned();
        if dead.load(Ordering::SeqCst) > 0 {
            return None;
        }
        match fault {
            Fault::DiesAt(text) if line.contains(text) => {
                dead.store(1, Ordering::SeqCst);
                return None;
            }
            Fault::Forgets(fields) if line.contains("/containers/create") => {
                let mut request: Value = serde_json::from_slice(&body).ok()?;
                for field in *fields {
                    request["HostConfig"].as_object_mut()?.remove(*field);
                }
                body = serde_json::to_vec(&request).ok()?;
            }
            Fault::BeforeStart(act) if line.contains("/start ") => act(),
            _ => {}
        }
        let mut engine = UnixStream::connect(engine_socket()).ok()?;
        engine.write_all(&with_length(&head, body.len())).ok()?;
        engine.write_all(&body).ok()?;
        if let Fault::AfterStart(act) = fault
            && line.contains("/start ")
        {
            let id = line.split("/containers/").nth(1)?.split('/').next()?.to_owned();
            let mut answer = Vec::new();
            let mut from = BufReader::new(engine);
            loop {
                let mut line = String::new();
                from.read_line(&mut line).ok()?;
                answer.extend(line.as_bytes());
                if line == "\r\n" {
                    break;
                }
            }
            act(&id);
            client.write_all(&answer).ok()?;
            continue;
        }
        // From here both directions are the engine's own business.
        let mut back = engine.try_clone().ok()?;
        let mut to_client = client.try_clone().ok()?;
        let answering = std::thread::spawn(move || {
            let _ = std::io::copy(&mut back, &mut to_client);
            let _ = to_client.shutdown(Shutdown::Write);
        });
        let _ = std::io::copy(&mut reader, &mut engine);
        let _ = engine.shutdown(Shutdown::Write);
        let _ = answering.join();
        return None;
    }
}

/// Head and body of one request with a length or none.
pub fn request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    loop {
        let start = head.len();
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
        if &head[start..] == "\r\n" {
            break;
        }
    }
    let length = header(&head, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.split_once(':').filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()))
}

/// The head with the length that the body has now.
fn with_length(head: &str, length: usize) -> Vec<u8> {
    let lines = head.lines().filter(|line| !line.is_empty()).map(|line| {
        if line.to_ascii_lowercase().starts_with("content-length:") {
            format!("Content-Length: {length}\r\n")
        } else {
            format!("{line}\r\n")
        }
    });
    (lines.collect::<String>() + "\r\n").into_bytes()
}

/// The engine by TCP on the loopback, as a remote one would be reached.
pub fn tcp_to_engine() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(mut client), Ok(mut engine)) = (client, UnixStream::connect(engine_socket())) else { return };
            let (mut back, mut to_client) = (engine.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut back, &mut to_client);
                let _ = to_client.shutdown(Shutdown::Write);
            });
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut client, &mut engine);
                let _ = engine.shutdown(Shutdown::Write);
            });
        }
    });
    format!("tcp://{address}")
}
