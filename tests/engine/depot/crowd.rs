//! Many sandboxes that install at once: what each wants is fetched once for all, everyone gets the right bytes, nobody
//! is refused, and the depot stays small.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::json;

use super::lab::{Inside, Lab};
use super::measure::Rest;
use super::registry::{OCTETS, Registry, content, npm_page, reply, sha256};

const LARGE: usize = 24 << 20;
/// Of what each sandbox alone asks for.
const OWN: usize = 5 << 20;
const WHEELS: [&str; 8] = ["one", "two", "three", "four", "five", "six", "seven", "eight"];

#[test]
fn a_dozen_sandboxes_that_install_at_once_cost_one_fetch_for_each_artifact() {
    crowd(12);
}

#[test]
#[ignore = "some minutes: scripts/soak runs it"]
fn soak_fifty_sandboxes_that_install_at_once_cost_one_fetch_for_each_artifact() {
    crowd(50);
}

#[test]
fn the_largest_real_indexes_asked_for_by_many_at_once_fit() {
    large_indexes(8);
}

#[test]
#[ignore = "some minutes: scripts/soak runs it"]
fn soak_the_largest_real_indexes_asked_for_by_fifty_at_once_fit() {
    large_indexes(50);
}

/// Everyone who is expected, and who is there.
#[derive(Default)]
struct Gathering {
    there: Mutex<usize>,
    changed: Condvar,
}

impl Gathering {
    fn come(&self) {
        *self.there.lock().unwrap() += 1;
        self.changed.notify_all();
    }

    /// Whether everyone came, as long as a loaded machine may need for it.
    fn is_complete(&self, expected: usize) -> bool {
        let there = self.there.lock().unwrap();
        let (there, _) = self.changed.wait_timeout_while(there, Duration::from_mins(3), |there| *there < expected).unwrap();
        *there >= expected
    }
}

fn crowd(sessions: usize) {
    let gathering = Arc::new(Gathering::default());
    let registry = slow(sessions, &gathering);
    let lab = Lab::new(&registry);
    let inside = launched(&lab, sessions);
    let rest = Rest::of(&lab);
    let right = [content(1, LARGE), content(2, 9_000)].map(|bytes| sha256(&bytes));
    each(&inside, |at, session| {
        // The large file is asked for before this sandbox says that it is here, so that everyone waits for one fetch.
        let line = format!(
            "cd /tmp && curl -sf -o large http://127.0.0.1:7878/pypi/files/large/large-1.0.tar.gz & large=$!
             curl -sf -o /tmp/tarball http://127.0.0.1:7878/npm/small/-/small-1.0.0.tgz & small=$!
             curl -sf -o /tmp/own http://127.0.0.1:7878/npm/own-{at}/-/own-{at}-1.0.0.tgz & own=$!
             curl -s -o /dev/null http://127.0.0.1:7878/npm/here-{at}
             pip install -q --timeout 300 --disable-pip-version-check --no-input --target /tmp/site {} || exit 1
             wait $large && wait $small && wait $own || exit 2; cd /tmp
             for file in large tarball own; do sha256sum < $file; done; cat site/crowd_*.py; rm -rf large tarball own site",
            WHEELS.map(|name| format!("crowd-{name}")).join(" ")
        );
        let output = session.ok(&line);
        let sums: Vec<&str> = output.lines().take(3).map(|line| line.trim_end_matches(" -").trim()).collect();
        assert_eq!(sums, [right[0].as_str(), &right[1], &sha256(&content(seed(at), OWN))]);
        for name in WHEELS {
            assert!(output.contains(&format!("name = '{name}'")), "{output}");
        }
    });
    let mut fetched = BTreeMap::<String, usize>::new();
    for request in registry.artifacts() {
        *fetched.entry(request).or_default() += 1;
    }
    assert_eq!(fetched.len(), WHEELS.len() + 2 + sessions, "{fetched:?}");
    assert!(fetched.values().all(|times| *times == 1), "one fetch for each artifact: {fetched:?}");
    let asked = (sessions * (WHEELS.len() + 3)) as u64;
    let summary = lab.summary("everyone is counted", |summary| {
        summary["totals"].is_object() && Lab::total(summary, "hits") + Lab::total(summary, "misses") == asked
    });
    assert_eq!(Lab::total(&summary, "misses"), fetched.len() as u64);
    for refused in ["rejected", "denied", "failed", "stale"] {
        assert_eq!(Lab::total(&summary, refused), 0, "{refused}: {summary}");
    }
    rest.again(&format!("{sessions} sandboxes"));
}

/// Of a content that one sandbox alone asks for.
fn seed(session: usize) -> u8 {
    u8::try_from(10 + session).unwrap()
}

/// A registry that gives no artifact before everyone has asked.
fn slow(sessions: usize, gathering: &Arc<Gathering>) -> Registry {
    let gathering = Arc::clone(gathering);
    let wheels: BTreeMap<String, Vec<u8>> = WHEELS.iter().map(|name| (file_name(name), wheel(name))).collect();
    Registry::new(move |asked| {
        let path = asked.path.as_str();
        if path.starts_with("/npm/here-") {
            gathering.come();
            return reply(404, "text/plain", b"");
        }
        let page = |file: &str, promised: &[u8]| {
            let url = format!("{}/files/{file}", asked.url());
            let file = json!({"filename": file, "url": url, "hashes": {"sha256": sha256(promised)}, "size": promised.len()});
            let name = path.trim_start_matches("/pypi/simple/").trim_end_matches('/');
            let page = json!({"meta": {"api-version": "1.1"}, "name": name, "versions": ["1.0"], "files": [file]});
            reply(200, "application/vnd.pypi.simple.v1+json", page.to_string().as_bytes())
        };
        if let Some(name) = path.strip_prefix("/pypi/simple/crowd-") {
            let file = file_name(name.trim_end_matches('/'));
            return page(&file, &wheels[&file]);
        }
        if let Some(at) = path.strip_prefix("/npm/own-").and_then(|name| name.split('/').next()) {
            let own = content(seed(at.parse().unwrap()), OWN);
            if !path.contains("/-/") {
                return npm_page(&asked.url(), &format!("own-{at}"), &[("1.0.0", &own)]);
            }
            let everyone = gathering.is_complete(sessions);
            return if everyone { reply(200, OCTETS, &own) } else { reply(500, "text/plain", b"not everyone came") };
        }
        let body = match path {
            "/pypi/simple/large/" => return page("large-1.0.tar.gz", &content(1, LARGE)),
            "/npm/small" => return npm_page(&asked.url(), "small", &[("1.0.0", &content(2, 9_000))]),
            "/files/large-1.0.tar.gz" => content(1, LARGE),
            "/npm/small/-/small-1.0.0.tgz" => content(2, 9_000),
            path => match path.strip_prefix("/files/").and_then(|file| wheels.get(file)) {
                Some(wheel) => wheel.clone(),
                None => return reply(404, "text/plain", b""),
            },
        };
        if gathering.is_complete(sessions) { reply(200, OCTETS, &body) } else { reply(500, "text/plain", b"not everyone came") }
    })
}

fn large_indexes(sessions: usize) {
    let registry = Registry::counting();
    let lab = Lab::new(&registry);
    let inside = launched(&lab, sessions);
    let rest = Rest::of(&lab);
    let json = "application/vnd.pypi.simple.v1+json";
    let npm = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";
    each(&inside, |_, session| {
        let line = format!(
            "get() {{ curl -sf -H \"Accept: $1\" -o /tmp/$3 http://127.0.0.1:7878$2 || echo failed; }}
             get '{json}' /pypi/simple/numpy/ numpy & get text/html /pypi/simple/numpy/ page & get '{npm}' /npm/typescript brief &
             get application/json /npm/typescript full & wait; cd /tmp
             python3 -c 'import json; load = lambda name: json.load(open(name)); files = load(\"numpy\")[\"files\"]
assert all(file[\"url\"].startswith(\"http://127.0.0.1:7878/pypi/files/numpy/\") for file in files)
print(len(files), len(load(\"full\")[\"versions\"]), len(load(\"brief\")[\"versions\"]), open(\"page\").read().count(\"<a \"))
' && rm numpy page brief full"
        );
        let output = session.ok(&line);
        let counts: Vec<usize> = output.split_whitespace().map(|count| count.parse().unwrap()).collect();
        let [files, full, brief, links] = counts[..] else { panic!("{output}") };
        assert!(files > 4_000 && links == files, "{output}");
        assert!(full > 3_000 && brief == full, "{output}");
    });
    let requests = registry.requests();
    let times = |path: &str| requests.iter().filter(|line| line.ends_with(path)).count();
    assert_eq!(times("/pypi/simple/numpy/"), 1, "{requests:?}");
    // The abbreviated document and the full one.
    assert!(times("/npm/typescript") <= 2, "{requests:?}");
    rest.again(&format!("large indexes for {sessions}"));
}

/// Sessions, launched a few at a time: the engine is what takes long.
fn launched(lab: &Lab, count: usize) -> Vec<Inside<'_>> {
    const AT_ONCE: usize = 4;
    // The first brings the depot up.
    let mut all = vec![lab.session(&[])];
    while all.len() < count {
        let some = AT_ONCE.min(count - all.len());
        all.extend(std::thread::scope(|scope| {
            let launching: Vec<_> = (0..some).map(|_| scope.spawn(|| lab.session(&[]))).collect();
            launching.into_iter().map(|launched| launched.join().unwrap()).collect::<Vec<_>>()
        }));
    }
    all
}

/// The same in every session, at once.
fn each(sessions: &[Inside<'_>], run: impl Fn(usize, &Inside<'_>) + Sync) {
    std::thread::scope(|scope| {
        for (at, session) in sessions.iter().enumerate() {
            let run = &run;
            scope.spawn(move || run(at, session));
        }
    });
}

pub fn file_name(name: &str) -> String {
    format!("crowd_{name}-1.0-py3-none-any.whl")
}

/// A wheel with one module that says its name.
pub fn wheel(name: &str) -> Vec<u8> {
    let info = format!("crowd_{name}-1.0.dist-info");
    let module = format!("name = '{name}'\nfiller = '{}'\n", sha256(name.as_bytes()).repeat(2_000));
    let metadata = format!("Metadata-Version: 2.1\nName: crowd-{name}\nVersion: 1.0\n");
    archive(&[
        (format!("crowd_{name}.py"), module),
        (format!("{info}/METADATA"), metadata),
        (format!("{info}/WHEEL"), "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n".to_owned()),
        (format!("{info}/RECORD"), String::new()),
    ])
}

/// A zip archive of files that are not compressed.
fn archive(files: &[(String, String)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let mut sum = flate2::Crc::new();
        sum.update(content.as_bytes());
        let (at, length) = (u32::try_from(out.len()).unwrap(), u32::try_from(content.len()).unwrap());
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        for word in [sum.sum(), length, length] {
            common.extend(word.to_le_bytes());
        }
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        out.extend([b"PK\x03\x04", &common[..], name.as_bytes(), content.as_bytes()].concat());
        directory.extend([b"PK\x01\x02\x14\x00", &common[..], &[0; 10], &at.to_le_bytes(), name.as_bytes()].concat());
    }
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    let (start, length) = (u32::try_from(out.len()).unwrap().to_le_bytes(), u32::try_from(directory.len()).unwrap().to_le_bytes());
    out.write_all(&directory).unwrap();
    out.extend([&b"PK\x05\x06"[..], &[0; 4], &count, &count, &length, &start, &[0; 2]].concat());
    out
}
