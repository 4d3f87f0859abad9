//! A sandbox that floods the depot hurts only itself: meanwhile another gets what it asks for, the depot stays small and
//! up, and afterwards it has let go of everything. No clock judges: each flood says itself when it is at its worst.

use std::cell::Cell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use palisade::depot::token::{Claims, Key};
use palisade::depot::wire;
use serde_json::{Value, json};

use super::lab::{Inside, Lab};
use super::measure::{Rest, tell};
use super::registry::{OCTETS, Registry, Reply, content, npm_page, reply, sha256, sri};
use crate::support::until;

const PROGRAM: &str = include_str!("flood.py");
const LARGE: usize = 100 << 20;
/// As many as the largest real projects have.
const VERSIONS: usize = 5_000;
const AUDIT: &str = "POST /npm/-/npm/v1/security/advisories/bulk HTTP/1.1\r\nHost: x\r\n";

#[test]
fn connections_that_are_held_open_or_dribble() {
    let registry = registry();
    let lab = Lab::new(&registry);
    let field = Field::new(&lab);
    let still = json!({"processes": 5, "connections": 2_000, "opened": 10_000});
    field.flood("10,000 connections without a token", &still, &json!({"family": "unix"}));
    field.flood("10,000 connections through the relay", &still, &json!({"family": "tcp"}));
    let head = "GET /npm/small HTTP/1.1\r\nHost: x\r\nX: ";
    let slow = json!({"processes": 2, "connections": 500, "opened": 1_000, "drips": ["y"]});
    field.flood("slow heads with a token", &slow, &json!({"opening": format!("{}{head}", field.greeting())}));
    field.flood("slow greetings", &slow, &json!({"opening": wire::MAGIC}));
    field.flood("slow heads through the relay", &slow, &json!({"family": "tcp", "opening": head, "opened": 600}));
    field.ends();
}

#[test]
fn bodies_without_end_and_readers_that_do_not_read() {
    let registry = registry();
    let lab = Lab::new(&registry);
    let field = Field::new(&lab);
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
    let endless = json!({"processes": 2, "connections": 300, "opened": 1_000, "drips": [chunk]});
    for line in [AUDIT, "GET /npm/small HTTP/1.1\r\nHost: x\r\n", "PUT /npm/small HTTP/1.1\r\nHost: x\r\n"] {
        let opening = format!("{line}Transfer-Encoding: chunked\r\n\r\n");
        field.flood("bodies without end", &endless, &json!({"opening": format!("{}{opening}", field.greeting())}));
        field.flood("bodies without end through the relay", &endless, &json!({"family": "tcp", "opening": opening}));
    }
    // All but the last byte of the most that is taken.
    let opening = format!("{}{AUDIT}Content-Length: 1048576\r\n\r\n{}", field.greeting(), "x".repeat(1_048_575));
    let held = json!({"processes": 2, "connections": 250, "opened": 500});
    field.flood("bodies that lack a byte", &held, &json!({"opening": opening}));
    // Answers of a megabyte that nobody takes.
    let query = "{\"small\":[\"1.0.0\"]}";
    let opening = format!("{}{AUDIT}Content-Length: {}\r\n\r\n{query}", field.greeting(), query.len());
    field.flood("answers to queries that nobody reads", &held, &json!({"opening": opening, "reads": false}));
    for path in ["/pypi/files/large/large-1.0.tar.gz", "/npm/huge"] {
        let opening = format!("{}GET {path} HTTP/1.1\r\nHost: x\r\n\r\n", field.greeting());
        field.flood(&format!("readers of {path} that do not read"), &held, &json!({"opening": opening, "reads": false}));
    }
    field.ends();
}

#[test]
fn requests_without_number() {
    let registry = registry();
    let lab = Lab::new(&registry);
    let field = Field::new(&lab);
    let get = |path: &str, accept: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n");
    let many = json!({"family": "tcp", "processes": 2, "connections": 20, "answers": 10_000});
    let names = [get("/npm/none-{n}", "*/*"), get("/pypi/simple/none-{n}/", "*/*"), get("/npm/small/-/none-{n}.tgz", "*/*")];
    field.flood("names that no registry knows", &many, &json!({"drips": names}));
    field.flood(
        "thousands of requests in each connection",
        &many,
        &json!({"drips": [get("/npm/small/-/small-1.0.0.tgz", "*/*").repeat(100)]}),
    );
    let forms = [
        get("/npm/huge", "application/json"),
        get("/npm/huge", "application/vnd.npm.install-v1+json"),
        get("/pypi/simple/huge/", "application/vnd.pypi.simple.v1+json"),
        get("/pypi/simple/huge/", "text/html"),
        get("/npm/huge/latest", "*/*"),
    ];
    field.flood("a huge index in every form", &many, &json!({"drips": forms, "answers": 200}));
    let direct = json!({"processes": 2, "connections": 60, "opening": field.greeting(), "answers": 400, "drips": forms});
    field.flood("a huge index in every form, past the relay", &direct, &json!({}));
    let journal: u64 = lab.files("ledger").iter().map(|file| std::fs::metadata(file).unwrap().len()).sum();
    assert!(journal < 16 << 20, "what the depot writes down of a flood is bounded: {journal} bytes");
    field.ends();
}

/// One depot, one who floods and one who works.
struct Field<'a> {
    lab: &'a Lab,
    flooder: Inside<'a>,
    victim: Inside<'a>,
    rest: Rest<'a>,
    /// Of the two sessions.
    ids: [String; 2],
    /// Requests of the victim's.
    asked: Cell<u64>,
}

impl<'a> Field<'a> {
    fn new(lab: &'a Lab) -> Self {
        let (flooder, victim) = (lab.session(&[]), lab.session(&[]));
        let id = |session: &Inside<'_>| lab.json(&["inspect", &session.name])["session"]["id"].as_str().unwrap().to_owned();
        let ids = [id(&flooder), id(&victim)];
        let field = Self { lab, flooder, victim, rest: Rest::of(lab), ids, asked: Cell::new(0) };
        field.serves();
        // Once more, with its connections to the registry open.
        Self { rest: Rest::of(lab), ..field }
    }

    /// What opens a connection of the flooder's own, as no sandbox can.
    fn greeting(&self) -> String {
        let config = self.lab.stored_json("/depot/config.json");
        let key: Key = serde_json::from_value(config["key"].clone()).unwrap();
        let session = self.ids[0].parse().unwrap();
        let claims = Claims { session, min_age: palisade::units::Seconds::new(0), min_age_allow: Vec::new() };
        String::from_utf8(wire::greeting(&key.sign(&claims))).unwrap()
    }

    /// The victim gets what is in store, what is new to the depot, and pages, each once and at once.
    fn serves(&self) {
        let fresh = format!("fresh-{}", self.asked.get());
        for (path, right) in [
            ("/npm/small/-/small-1.0.0.tgz".to_owned(), sha256(&content(2, 9_000))),
            ("/pypi/files/medium/medium-1.0.tar.gz".to_owned(), sha256(&content(3, 3_000_000))),
            (format!("/npm/{fresh}/-/{fresh}-1.0.0.tgz"), sha256(&content(4, 400_000))),
        ] {
            assert_eq!(self.victim.get(&path), (200, right), "{path}: {}", self.lab.log());
        }
        let page = self.victim.ok(&format!("curl -sf http://127.0.0.1:7878/npm/{fresh}"));
        assert!(page.contains(&sri(&content(4, 400_000))), "{page}");
        self.asked.set(self.asked.get() + 4);
    }

    /// Begins a flood, works while it goes on, ends it and looks at what it left.
    fn flood(&self, what: &str, order: &Value, more: &Value) {
        let mut whole = json!({"family": "unix", "processes": 1, "connections": 1, "opened": 0, "answers": 0, "opening": "", "drips": [],
                               "reads": true});
        for part in [order, more] {
            whole.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        }
        let mut flood = Flood::begin(&self.flooder, &whole);
        flood.hears("ready", what);
        let held = self.rest.descriptors();
        self.serves();
        tell(&format!("{what}: {}, {held} descriptors of the depot's meanwhile", flood.end(what)));
        self.rest.again(what);
        // Whoever flooded may work again as well.
        let path = "/npm/small/-/small-1.0.0.tgz";
        until(&format!("{what}: the flooder is served again"), || self.flooder.get(path) == (200, sha256(&content(2, 9_000))));
    }

    /// Everything was counted as whose it was.
    fn ends(&self) {
        let [flooder, victim] = &self.ids;
        let figure = |summary: &Value, session: &str, counter: &str| -> u64 {
            let ecosystems = summary["sessions"][session].as_object();
            ecosystems.into_iter().flat_map(|all| all.values()).map(|counters| counters[counter].as_u64().unwrap()).sum()
        };
        let summary =
            self.lab.summary("the victim's requests are counted", |summary| figure(summary, victim, "requests") >= self.asked.get());
        assert_eq!(figure(&summary, victim, "requests"), self.asked.get(), "no request of the flooder's is the victim's");
        for counter in ["denied", "rejected", "failed", "not_found", "stale"] {
            assert_eq!(figure(&summary, victim, counter), 0, "{counter}");
        }
        tell(&format!("the flooder: {}, strangers: {}", summary["sessions"][flooder], summary["strangers"]));
        assert!(figure(&summary, flooder, "requests") > 100 || summary["strangers"].as_u64() > Some(10_000), "{summary}");
    }
}

/// A flood that goes on until its input ends.
struct Flood {
    child: Child,
    lines: Receiver<String>,
}

impl Flood {
    fn begin(inside: &Inside<'_>, order: &Value) -> Self {
        let mut child = inside.lab.palisade();
        child.args(["exec", &inside.name, "--", "python3", "-c", PROGRAM]);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        writeln!(child.stdin.as_ref().unwrap(), "{order}").unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    fn hears(&mut self, word: &str, what: &str) {
        let line = self.lines.recv_timeout(Duration::from_mins(4));
        assert_eq!(line.as_deref(), Ok(word), "{what}");
    }

    fn end(mut self, what: &str) -> String {
        drop(self.child.stdin.take());
        let said = self.lines.recv_timeout(Duration::from_mins(1));
        assert!(self.child.wait().unwrap().success(), "{what}");
        said.unwrap()
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        // Ended already, most often.
        let _ = self.child.kill();
    }
}

/// Small things, large things, and nothing else.
fn registry() -> Registry {
    let large = content(1, LARGE);
    let promised = sha256(&large);
    Registry::new(move |asked| {
        let (path, url) = (asked.path.as_str(), asked.url());
        if let Some(name) = path.strip_prefix("/npm/fresh-") {
            let name = format!("fresh-{}", name.split('/').next().unwrap());
            return if path.contains("/-/") {
                reply(200, OCTETS, &content(4, 400_000))
            } else {
                npm_page(&url, &name, &[("1.0.0", &content(4, 400_000))])
            };
        }
        match path {
            "/npm/small" => npm_page(&url, "small", &[("1.0.0", &content(2, 9_000))]),
            "/npm/small/-/small-1.0.0.tgz" => reply(200, OCTETS, &content(2, 9_000)),
            "/pypi/simple/medium/" => pypi(&url, "medium", 1, &sha256(&content(3, 3_000_000))),
            "/files/medium-1.0.tar.gz" => reply(200, OCTETS, &content(3, 3_000_000)),
            "/pypi/simple/large/" => pypi(&url, "large", 1, &promised),
            "/files/large-1.0.tar.gz" => reply(200, OCTETS, &large),
            "/pypi/simple/huge/" => pypi(&url, "huge", VERSIONS, &promised),
            "/npm/huge" => huge(&url),
            // An answer to a query: as much as is given on.
            path if path.contains("advisories") => {
                reply(200, "application/json", format!("{{\"small\":\"{}\"}}", "x".repeat(7 << 20)).as_bytes())
            }
            _ => reply(404, "text/plain", b"no"),
        }
    })
}

fn pypi(url: &str, name: &str, versions: usize, digest: &str) -> Reply {
    let file = |version: usize| {
        let file = format!("{name}-{version}.0.tar.gz");
        json!({"filename": file, "url": format!("{url}/files/{file}"), "hashes": {"sha256": digest}, "upload-time": "2020-01-01T00:00:00Z"})
    };
    let files: Vec<_> = (1..=versions).map(file).collect();
    let page = json!({"meta": {"api-version": "1.1"}, "name": name, "versions": [], "files": files});
    reply(200, "application/vnd.pypi.simple.v1+json", page.to_string().as_bytes())
}

/// A document of ten megabytes.
fn huge(url: &str) -> Reply {
    let version = |at: usize| {
        let version = format!("{at}.0.0");
        let dist = json!({"tarball": format!("{url}/npm/huge/-/huge-{version}.tgz"), "integrity": sri(version.as_bytes())});
        let manifest =
            json!({"name": "huge", "version": version, "dist": dist, "description": "x".repeat(1_800), "dependencies": {"small": "1"}});
        (version, manifest)
    };
    let versions: serde_json::Map<_, _> = (1..=VERSIONS).map(version).collect();
    let page = json!({"name": "huge", "dist-tags": {"latest": format!("{VERSIONS}.0.0")}, "versions": versions, "time": {}});
    reply(200, "application/json", page.to_string().as_bytes())
}
