//! The depot is killed at random moments while clients install. They notice nothing but a pause: their own retries carry
//! them over it, nothing wrong is installed or kept, and what was counted stays counted.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::lab::{Inside, Lab};
use super::registry::Registry;
use crate::support::until;

/// What is installed in turn, small and large.
const PIP: [&str; 3] = ["requests", "jinja2", "numpy"];
const NPM: [&str; 2] = ["express", "is-odd"];

/// Kills without a rest between them. The engine waits twice as long before each further start of a container that ran for
/// less than ten seconds, and clients give up after some: more would test their patience and not the depot.
const IN_A_ROW: u32 = 4;
/// After which the engine takes a container for one that works.
const REST: Duration = Duration::from_secs(11);
/// Most requests that one client has in flight: npm's connections, and one whose end is not written down yet.
const IN_FLIGHT: u64 = 16;

/// Every installed file against the list that came with it.
const PROVE_PIP: &str = r"
import base64, csv, hashlib, pathlib, sys
folder = pathlib.Path(sys.argv[1])
for record in folder.glob('*.dist-info/RECORD'):
    for name, digest, size in csv.reader(record.open()):
        if digest and not name.startswith('..'):
            content = (folder / name).read_bytes()
            proof = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()
            assert digest == 'sha256=' + proof and len(content) == int(size), name
print(len(list(folder.glob('*.dist-info'))))
";

#[test]
fn installs_survive_a_depot_that_is_killed() {
    survive(10);
}

#[test]
#[ignore = "takes many minutes: scripts/soak"]
fn soak_two_hundred_installs_survive_a_depot_that_is_killed() {
    survive(200);
}

fn survive(installs: usize) {
    let registry = Registry::counting();
    let lab = Lab::new(&registry);
    let session = lab.session(&[]);
    session.copy_in("prove.py", PROVE_PIP);
    let (installed, kills) = std::thread::scope(|scope| {
        let (done, ended) = channel();
        let killer = scope.spawn(|| kill_at_random(&lab, ended));
        let installed: u64 = (0..installs).map(|number| install(&session, number)).sum();
        drop(done);
        (installed, killer.join().unwrap())
    });
    assert!(kills > 1, "it was killed {kills} times");

    // Once more, at rest: what a fetch left behind is gone when the next depot listens.
    lab.kill();
    assert_eq!(lab.files("tmp"), [""; 0].map(std::path::PathBuf::from));
    assert!(lab.files("index").iter().chain(&lab.files("ledger")).all(|file| file.extension().is_none_or(|end| end != "new")));
    let blobs = lab.files("blobs");
    assert!(blobs.len() > 50, "{blobs:?}");
    for blob in &blobs {
        let digest = Sha256::digest(std::fs::read(blob).unwrap());
        let digest = palisade::units::hex(&digest);
        assert_eq!(blob.file_name().unwrap().to_str(), Some(digest.as_str()));
    }

    let id = session.id();
    let summary = lab.summary("it counts again", |summary| !summary["sessions"][&id].is_null());
    let counted = Lab::figure(&summary, &id, "hits") + Lab::figure(&summary, &id, "misses");
    assert!(counted + IN_FLIGHT * u64::from(kills) >= installed, "{counted} of {installed} counted, after {kills} kills: {summary:#}");
    assert_eq!((Lab::total(&summary, "rejected"), summary["store"]["damaged"].as_u64()), (0, Some(0)), "{summary:#}");
    assert!(kills > 0, "{installs} installs of {installed} packages, {counted} counted, and nothing was killed");
}

/// Installs with a cache and a folder of its own, proves what is there, and says how many packages that is.
fn install(session: &Inside<'_>, number: usize) -> u64 {
    let (folder, cache) = (format!("/home/sandbox/{number}"), format!("/cache/{number}"));
    let count = if number % 5 < 3 {
        let package = PIP[number % PIP.len()];
        session.ok(&format!("pip install -q --cache-dir {cache} --target {folder} {package} && python3 prove.py {folder}"))
    } else {
        let package = NPM[number % NPM.len()];
        session.ok(&format!(
            "mkdir {folder} && cd {folder} && npm install --silent --cache {cache} {package} && npm ls --all --parseable | sed 1d | wc -l"
        ))
    };
    session.ok(&format!("rm -rf {folder} {cache}"));
    count.trim().parse().unwrap()
}

/// Kills until the other end is gone; says how often.
#[expect(clippy::needless_pass_by_value, reason = "the thread's own end of the channel")]
fn kill_at_random(lab: &Lab, ended: Receiver<()>) -> u32 {
    let mut seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos() | 1;
    let mut kills = 0;
    loop {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        let rest = if kills % IN_A_ROW == IN_A_ROW - 1 { REST } else { Duration::ZERO };
        if ended.recv_timeout(rest + Duration::from_millis(u64::from(seed % 3000))) != Err(RecvTimeoutError::Timeout) {
            return kills;
        }
        let before = written_down(lab);
        lab.kill();
        kills += 1;
        // What was written down before outlives it.
        let mut after = 0;
        until("the depot counts on", || {
            after = Some(lab.stored_json("/depot/ledger/summary.json"))
                .filter(|summary| summary["totals"].is_object())
                .map_or(0, |summary| Lab::total(&summary, "requests"));
            after >= before
        });
    }
}

/// Requests in the journals.
fn written_down(lab: &Lab) -> u64 {
    let journals = lab.files("ledger").into_iter().filter(|file| file.extension().is_some_and(|end| end == "jsonl"));
    journals
        .map(|journal| std::fs::read_to_string(journal).unwrap().lines().filter(|line| line.starts_with("{\"request\"")).count() as u64)
        .sum()
}
