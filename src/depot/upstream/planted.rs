//! Registries of tests' own, on this machine's loopback.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::Egress;
use crate::depot::config::{Credentials, DepotConfig, SCHEMA, UpstreamConfig};
use crate::depot::promise::Ecosystem;
use crate::depot::token::Key;
use crate::units::{Bytes, Seconds};

/// A registry that answers by path; `None` closes the connection.
pub struct Planted {
    /// Its base address.
    pub url: String,
    log: Arc<Mutex<Vec<String>>>,
    heads: Arc<Mutex<Vec<String>>>,
}

/// What goes over the wire.
pub fn reply(status: u16, kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

impl Planted {
    /// One that listens until the tests end.
    pub fn new(answer: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (answer, log) = (Arc::new(answer), Arc::<Mutex<Vec<String>>>::default());
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let (kept, kept_heads) = (Arc::clone(&log), Arc::clone(&heads));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (answer, log, heads) = (Arc::clone(&answer), Arc::clone(&kept), Arc::clone(&kept_heads));
                std::thread::spawn(move || serve(client, &*answer, &log, &heads));
            }
        });
        Self { url, log, heads }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        url::Url::parse(&self.url).unwrap().port().unwrap()
    }

    /// Paths that were asked for.
    pub fn requests(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Whether any request had a header of that name.
    pub fn was_sent(&self, header: &str) -> bool {
        self.heads.lock().unwrap().iter().any(|line| line.to_ascii_lowercase().starts_with(header))
    }

    /// A way out to this registry.
    pub fn egress(&self) -> Egress {
        self.egress_with(&[])
    }

    /// A way out to this registry, and to others after it.
    pub fn egress_with(&self, others: &[&str]) -> Egress {
        let of = |url: &str| {
            let credentials = (url == self.url).then(|| Credentials::Bearer("word".to_owned()));
            UpstreamConfig { url: url.to_owned(), owns: Vec::new(), credentials }
        };
        let all: Vec<_> = std::iter::once(self.url.as_str()).chain(others.iter().copied()).map(of).collect();
        let config = DepotConfig {
            schema: SCHEMA,
            key_made: jiff::Timestamp::UNIX_EPOCH,
            key: Key::new([0; 32]),
            upstreams: BTreeMap::from([(Ecosystem::Pypi, all)]),
            index_ttl: Seconds::new(0),
            store_size: Bytes::mib(64),
            artifact_size: Bytes::mib(64),
            proxy: String::new(),
        };
        Egress::new(&config, None).unwrap()
    }
}

fn serve(
    client: TcpStream,
    answer: &(dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync),
    log: &Mutex<Vec<String>>,
    heads: &Mutex<Vec<String>>,
) -> Option<()> {
    let mut client = client;
    let mut lines = BufReader::new(client.try_clone().ok()?).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    heads.lock().unwrap().extend(head);
    log.lock().unwrap().push(path.clone());
    client.write_all(&answer(&path)?).ok()
}
