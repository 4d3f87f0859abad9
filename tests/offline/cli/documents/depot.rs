//! Documents about the depot and what it counted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use palisade::backend::depot::{DepotState, DepotStatus};
use palisade::depot::control::ControlReport;
use palisade::depot::ledger::{self, Counters, FetchedArtifact, Log, Outcome, Requested, StoreFacts, Summary, UpstreamFacts};
use palisade::depot::promise::{Algorithm, Digest, Ecosystem};
use palisade::headless::cache::document::{CacheControl, CacheFigures, CacheLog, CacheStatus, DepotShown, SessionLog, Warmed};
use palisade::headless::document::Document;
use palisade::units::SessionId;

use super::check;
use super::samples::{failure, posture, session};

#[test]
fn what_the_cache_counted() {
    check("cache", &Document::new(CacheStatus { cache: None }));
    let of = || BTreeMap::from([(Ecosystem::Pypi, Counters { hits: 1, ..Counters::default() }), (Ecosystem::Npm, Counters::default())]);
    let upstream = |away| UpstreamFacts { ecosystem: Ecosystem::Npm, url: "https://registry.example/".into(), away };
    let summary = Summary {
        schema: 1,
        started: Timestamp::UNIX_EPOCH,
        updated: Timestamp::UNIX_EPOCH,
        totals: of(),
        sessions: BTreeMap::from([(session().id, of()), (SessionId::from_parts(1, 1), BTreeMap::new())]),
        store: StoreFacts::default(),
        upstreams: vec![upstream(None), upstream(Some((Timestamp::UNIX_EPOCH, "refused".into())))],
        strangers: 1,
    };
    let figures = CacheFigures::of(summary, &[session()]);
    assert_eq!(figures.sessions.iter().map(|row| row.name.as_deref()).collect::<Vec<_>>(), [Some("web"), None]);
    check("cache", &Document::new(CacheStatus { cache: Some(figures) }));
    let event = |note: &str, digest| ledger::Event {
        at: Timestamp::UNIX_EPOCH,
        session: SessionId::NIL,
        ecosystem: Ecosystem::Pypi,
        requested: Requested::Artifact,
        project: "six".into(),
        file: "six.whl".into(),
        version: String::new(),
        digest,
        outcome: Outcome::Denied,
        store_bytes: 0,
        upstream_bytes: 0,
        elapsed_ms: 0,
        complete: true,
        hidden: note.len() as u64,
        note: note.into(),
    };
    let artifact = |digest| FetchedArtifact {
        ecosystem: Ecosystem::Npm,
        project: "@a/b".into(),
        version: "1".into(),
        file: "b-1.tgz".into(),
        digest,
        hits: 1,
        misses: 1,
        complete: 2,
        bytes: 3,
        first: Timestamp::UNIX_EPOCH,
        last: Timestamp::UNIX_EPOCH,
    };
    let sha512 = || Digest::new(Algorithm::Sha512, [7; 64]);
    let log =
        || Log { artifacts: vec![artifact(sha512()), artifact(None)], events: vec![event("x", sha512()), event("", None)], unlisted: 1 };
    for name in [Some("web".to_owned()), None] {
        check("cache_log", &Document::new(CacheLog { cache_log: SessionLog { session: SessionId::NIL, name, log: log() } }));
    }
    check("warmed", &Document::with_error(Warmed { session: SessionId::NIL, warmed: log().artifacts }, Some(failure())));
    for action in ["verify", "prune", "clear"] {
        let report = ControlReport { blobs: 1, bytes: 2, damaged: vec!["sha256:0".into()] };
        check("cache_control", &Document::with_error(CacheControl { action, report }, Some(failure())));
    }
}

#[test]
fn how_the_depot_stands() {
    for (state, outdated_because, posture) in [
        (DepotState::Missing, None, None),
        (DepotState::Stopped, Some("made by another version"), None),
        (DepotState::Running, None, Some(posture())),
    ] {
        let depot = DepotStatus {
            stranded: vec!["web".parse().unwrap()],
            name: "palisade-depot".into(),
            state,
            image: "palisade-depot:1".into(),
            outdated: outdated_because.is_some(),
            outdated_because,
            started: posture.is_some().then_some(Timestamp::UNIX_EPOCH),
            store_volume: "s".into(),
            socket_volume: "v".into(),
            posture,
        };
        check("depot", &Document::new(DepotShown { depot }));
    }
}
