//! Registries of these tests' own, on the engine's bridge where a depot reaches them: they answer what they are told, lies
//! included, and write down what they were asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use sha2::{Digest, Sha256, Sha512};

use crate::support::docker;

/// The media type of a file.
pub const OCTETS: &str = "application/octet-stream";

/// A request as it came.
pub struct Asked {
    pub method: String,
    pub path: String,
    pub head: String,
    pub body: Vec<u8>,
}

impl Asked {
    /// A header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value)).unwrap_or_default()
    }

    /// The registry's own address, as it was asked.
    pub fn url(&self) -> String {
        format!("http://{}", self.header("host"))
    }
}

/// What the registry sends back, byte for byte.
pub type Reply = Vec<u8>;

pub type Handler = dyn Fn(&Asked) -> Reply + Send + Sync;

pub struct Registry {
    /// `http://ADDRESS:PORT`.
    pub url: String,
    log: Arc<Mutex<Vec<String>>>,
    away: Arc<AtomicBool>,
}

impl Registry {
    pub fn new(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_url(|_| Box::new(answer))
    }

    /// One that knows its own address when it is made.
    pub fn with_url(make: impl FnOnce(&str) -> Box<Handler>) -> Self {
        let gateway = docker(&["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"]);
        let gateway = if gateway.is_empty() { "172.17.0.1".to_owned() } else { gateway };
        let listener = TcpListener::bind((gateway.as_str(), 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let handler: Arc<Handler> = make(&url).into();
        let (log, away) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let (kept_log, kept_away) = (Arc::clone(&log), Arc::clone(&away));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (handler, log, away) = (Arc::clone(&handler), Arc::clone(&kept_log), Arc::clone(&kept_away));
                std::thread::spawn(move || {
                    if !away.load(Ordering::SeqCst) {
                        serve(client, &*handler, &log);
                    }
                });
            }
        });
        Self { url, log, away }
    }

    /// Closes every connection from now on, or no longer.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// Requests so far, `GET /path`.
    pub fn requests(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Requests for files, not for indexes.
    pub fn artifacts(&self) -> Vec<String> {
        self.requests().into_iter().filter(|line| line.contains("/files/") || line.rsplit('.').next() == Some("tgz")).collect()
    }
}

fn serve(client: TcpStream, handler: &Handler, log: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<u64>().ok());
    let mut body = Vec::new();
    reader.by_ref().take(length.unwrap_or(0)).read_to_end(&mut body).ok()?;
    let mut words = head.split(' ');
    let asked = Asked { method: words.next()?.to_owned(), path: words.next()?.to_owned(), head: head.clone(), body };
    log.lock().unwrap().push(format!("{} {}", asked.method, asked.path));
    let mut client = client;
    client.write_all(&handler(&asked)).ok()
}

/// An honest answer.
pub fn reply(status: u16, kind: &str, body: &[u8]) -> Reply {
    headed(status, &format!("Content-Type: {kind}\r\n"), body)
}

/// An honest answer with headers of its own, each with its end of line.
pub fn headed(status: u16, headers: &str, body: &[u8]) -> Reply {
    let length = if status == 304 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let mut bytes = format!("HTTP/1.1 {status} X\r\n{headers}{length}Connection: close\r\n\r\n").into_bytes();
    bytes.extend(body);
    bytes
}

/// One that says `declared` bytes and sends these.
pub fn misdeclared(declared: usize, body: &[u8]) -> Reply {
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {declared}\r\nConnection: close\r\n\r\n")
            .into_bytes();
    bytes.extend(body);
    bytes
}

/// One that does not say how many, and ends when it ends.
pub fn endless(body: &[u8]) -> Reply {
    let mut bytes = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n".to_vec();
    bytes.extend(body);
    bytes
}

/// Bytes that compress badly and repeat nowhere.
pub fn content(seed: u8, length: usize) -> Vec<u8> {
    let mut state = u64::from(seed) * 0x9e37_79b9 + 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}

pub fn sha256(bytes: &[u8]) -> String {
    palisade::units::hex(&Sha256::digest(bytes))
}

pub fn sri(bytes: &[u8]) -> String {
    use base64::Engine as _;
    format!("sha512-{}", base64::engine::general_purpose::STANDARD.encode(Sha512::digest(bytes)))
}

/// A `PyPI` page with one source archive for each `(version, promised content, size said)`.
pub fn pypi_page(url: &str, name: &str, files: &[(&str, &[u8])]) -> Reply {
    let files: Vec<_> = files
        .iter()
        .map(|(version, promised)| {
            let file = format!("{name}-{version}.tar.gz");
            json!({"filename": file, "url": format!("{url}/files/{file}"), "hashes": {"sha256": sha256(promised)}, "size": promised.len(),
                   "upload-time": "2020-01-01T00:00:00Z"})
        })
        .collect();
    let page = json!({"meta": {"api-version": "1.1"}, "name": name, "versions": [], "files": files});
    reply(200, "application/vnd.pypi.simple.v1+json", page.to_string().as_bytes())
}

/// An npm page with one tarball for each `(version, promised content)`.
pub fn npm_page(url: &str, name: &str, versions: &[(&str, &[u8])]) -> Reply {
    let bare = name.rsplit('/').next().unwrap();
    let latest = versions.last().unwrap().0;
    let all: serde_json::Map<_, _> = versions
        .iter()
        .map(|(version, promised)| {
            let dist = json!({"tarball": format!("{url}/npm/{name}/-/{bare}-{version}.tgz"), "integrity": sri(promised)});
            ((*version).to_owned(), json!({"name": name, "version": version, "dist": dist}))
        })
        .collect();
    let time: serde_json::Map<_, _> = versions.iter().map(|(version, _)| ((*version).to_owned(), json!("2020-01-01T00:00:00Z"))).collect();
    let page = json!({"name": name, "dist-tags": {"latest": latest}, "versions": all, "time": time});
    reply(200, "application/json", page.to_string().as_bytes())
}
