//! What was seen, as the text that a monitoring system reads. Knows neither engine nor socket.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::gather::Seen;
use crate::depot::ledger::Counters;
use crate::failure::{Code, Failure, Result};
use crate::session::Session;
use crate::units::sanitise;

/// The longest value of a label: what a label of a container says can be as long as it likes.
const LONGEST: usize = 128;

type Labels = Vec<(String, String)>;
type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;
type Counts = Family<Labels, Counter<u64>>;
type Times = Family<Labels, Counter<f64, AtomicU64>>;

/// All of it.
pub(super) fn text(seen: &Seen) -> Result<String> {
    let mut registry = Registry::with_prefix("palisade");
    itself(&mut registry, seen);
    if let Ok(sessions) = &seen.sessions {
        counted(&mut registry, sessions);
        used(&mut registry, sessions, seen);
        measured(&mut registry, sessions, seen);
        limited(&mut registry, sessions, seen);
        taken(&mut registry, sessions, seen);
    }
    depot(&mut registry, seen);
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| Failure::new(Code::Internal, format!("the figures cannot be written: {error}")))?;
    Ok(text)
}

fn itself(registry: &mut Registry, seen: &Seen) {
    let info = gauges(registry, "build_info", "The version of this palisade");
    set(&info, &labels([("version", env!("CARGO_PKG_VERSION"))]), 1.0);
    let up = gauges(registry, "engine_up", "Whether the engine answered");
    set(&up, &Labels::new(), if seen.sessions.is_ok() { 1.0 } else { 0.0 });
    let took = Gauges::default();
    registry.register_with_unit("scrape_duration", "How long looking at everything took", Unit::Seconds, took.clone());
    set(&took, &Labels::new(), seen.took.as_secs_f64());
}

fn counted(registry: &mut Registry, sessions: &[Session]) {
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    for session in sessions {
        *counts.entry((session.kind.to_string(), session.status.to_string())).or_default() += 1;
    }
    let all = gauges(registry, "sessions", "Sessions by kind and status");
    for ((kind, status), count) in counts {
        set(&all, &labels([("kind", &kind), ("status", &status)]), figure(count));
    }
    let info = gauges(registry, "session_info", "What each session is");
    for session in sessions {
        let mut all = who(session);
        all.extend(labels([
            ("id", &session.id.to_string()),
            ("kind", &session.kind.to_string()),
            ("profile", session.profile.raw()),
            ("status", &session.status.to_string()),
        ]));
        set(&info, &all, 1.0);
    }
}

fn used(registry: &mut Registry, sessions: &[Session], seen: &Seen) {
    let cpu = Times::default();
    registry.register_with_unit("session_cpu", "CPU time since the session started", Unit::Seconds, cpu.clone());
    let memory = bytes(registry, "session_memory", "Memory without the file cache that can be taken back");
    let memory_limit = bytes(registry, "session_memory_limit", "The most memory that it may use");
    let pids = gauges(registry, "session_pids", "Processes and threads");
    let pids_limit = gauges(registry, "session_pids_limit", "The most processes and threads that it may have");
    for (session, usage) in of_each(sessions, &seen.usage) {
        let whose = who(session);
        cpu.get_or_create(&whose).inc_by(figure(usage.cpu_ns) / 1e9);
        set(&memory, &whose, figure(usage.memory.get()));
        set(&pids, &whose, figure(usage.pids));
        if let Some(limit) = usage.memory_limit {
            set(&memory_limit, &whose, figure(limit.get()));
        }
        if let Some(limit) = usage.pids_limit {
            set(&pids_limit, &whose, figure(limit));
        }
    }
}

fn measured(registry: &mut Registry, sessions: &[Session], seen: &Seen) {
    let controls = gauges(registry, "session_controls", "Controls of each session that runs, by verdict; measured every 30 s at most");
    for (session, verdicts) in of_each(sessions, &seen.verdicts) {
        for (verdict, count) in verdicts {
            let mut all = who(session);
            all.extend(labels([("verdict", &verdict.to_string())]));
            set(&controls, &all, figure(*count));
        }
    }
}

fn limited(registry: &mut Registry, sessions: &[Session], seen: &Seen) {
    let hits = counts(registry, "session_limits", "How often each session ran into each of its limits, as far as anybody saw");
    for (session, limits) in of_each(sessions, &seen.limits) {
        // By the limit alone: where it was reached is the session's own text.
        for hit in &limits.hits {
            let mut all = who(session);
            all.extend(labels([("limit", hit.limit.name())]));
            hits.get_or_create(&all).inc_by(hit.count);
        }
    }
}

fn taken(registry: &mut Registry, sessions: &[Session], seen: &Seen) {
    let Some(taken) = &seen.taken else { return };
    let disk = bytes(registry, "session_disk", "What its volumes and its own layer take on disk; counted every 10 minutes at most");
    let cap = bytes(registry, "session_disk_limit", "What it may take before it is warned of, and before it is stopped");
    let images = bytes(registry, "images_disk", "What images of ours take, with layers that they share");
    let reclaimable = bytes(registry, "reclaimable_disk", "What prune would free");
    set(&images, &Labels::new(), figure(taken.images));
    set(&reclaimable, &Labels::new(), figure(taken.reclaimable));
    for session in sessions {
        let Some(one) = taken.sessions.iter().find(|one| one.id == session.id && one.name.raw() == session.name.as_str()) else { continue };
        if let (Some(volumes), Some(layer)) = (one.volumes, one.layer) {
            set(&disk, &who(session), figure(volumes.saturating_add(layer)));
        }
        for (which, limit) in [("soft", one.soft), ("hard", one.hard)].into_iter().filter(|(_, limit)| *limit > 0) {
            let mut all = who(session);
            all.extend(labels([("cap", which)]));
            set(&cap, &all, figure(limit));
        }
    }
}

fn depot(registry: &mut Registry, seen: &Seen) {
    let up = gauges(registry, "depot_up", "Whether the package depot has counted anything that can be read");
    set(&up, &Labels::new(), if seen.depot.is_some() { 1.0 } else { 0.0 });
    let Some(summary) = &seen.depot else { return };
    let requests = counts(registry, "depot_requests", "Requests of packages, by how they were answered");
    let saved = Counts::default();
    registry.register_with_unit("depot_saved", "What was not fetched again", Unit::Bytes, saved.clone());
    let fetched = Counts::default();
    registry.register_with_unit("depot_fetched", "What was fetched from registries", Unit::Bytes, fetched.clone());
    for (ecosystem, counters) in &summary.totals {
        let whose = labels([("ecosystem", ecosystem.name())]);
        for (outcome, count) in outcomes(counters) {
            let mut all = whose.clone();
            all.extend(labels([("outcome", outcome)]));
            requests.get_or_create(&all).inc_by(count);
        }
        saved.get_or_create(&whose).inc_by(counters.saved_bytes);
        fetched.get_or_create(&whose).inc_by(counters.upstream_bytes);
    }
    let store = Gauges::default();
    registry.register_with_unit("depot_store", "What the store takes on disk", Unit::Bytes, store.clone());
    set(&store, &Labels::new(), figure(summary.store.bytes));
    let away = gauges(registry, "depot_registry_away", "Whether a registry does not answer the depot");
    for upstream in &summary.upstreams {
        let whose = labels([("ecosystem", upstream.ecosystem.name()), ("url", &upstream.url)]);
        set(&away, &whose, if upstream.away.is_some() { 1.0 } else { 0.0 });
    }
}

fn outcomes(counters: &Counters) -> [(&'static str, u64); 10] {
    [
        ("hit", counters.hits),
        ("miss", counters.misses),
        ("index_hit", counters.index_hits),
        ("index_miss", counters.index_misses),
        ("revalidated", counters.revalidations),
        ("stale", counters.stale),
        ("rejected", counters.rejected),
        ("denied", counters.denied),
        ("not_found", counters.not_found),
        ("failed", counters.failed),
    ]
}

/// What was seen of each session of which something was.
fn of_each<'a, T>(sessions: &'a [Session], seen: &'a BTreeMap<String, T>) -> impl Iterator<Item = (&'a Session, &'a T)> {
    sessions.iter().filter_map(|session| Some((session, seen.get(&session.container_id)?)))
}

fn gauges(registry: &mut Registry, name: &str, help: &str) -> Gauges {
    let family = Gauges::default();
    registry.register(name, help, family.clone());
    family
}

fn bytes(registry: &mut Registry, name: &str, help: &str) -> Gauges {
    let family = Gauges::default();
    registry.register_with_unit(name, help, Unit::Bytes, family.clone());
    family
}

fn counts(registry: &mut Registry, name: &str, help: &str) -> Counts {
    let family = Counts::default();
    registry.register(name, help, family.clone());
    family
}

fn set(family: &Gauges, labels: &Labels, value: f64) {
    family.get_or_create(labels).set(value);
}

/// By name and container: of two sessions by one name, which an engine under load can list, neither hides the other.
fn who(session: &Session) -> Labels {
    labels([("session", session.name.as_str()), ("container", &session.container_id.chars().take(12).collect::<String>())])
}

/// Values that no reader trips over: nothing that acts, and no longer than it may be.
fn labels<const N: usize>(pairs: [(&str, &str); N]) -> Labels {
    let clipped = |value: &str| sanitise(&value.chars().take(LONGEST).collect::<String>());
    pairs.into_iter().map(|(name, value)| (name.to_owned(), clipped(value))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "the format has floating-point figures alone")]
const fn figure(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::backend::disk::{SessionDisk, Taken};
    use crate::policy::posture::Verdict;
    use crate::session::{Kind, Limit, LimitHit, Limits, Status, Usage};
    use crate::units::{Bytes, SessionId, Untrusted};

    fn session(profile: &str) -> Session {
        Session {
            id: SessionId::NIL,
            name: "web".parse().unwrap(),
            kind: Kind::Persistent,
            profile: Untrusted::from(profile),
            status: Status::Running,
            status_text: Untrusted::default(),
            created: jiff::Timestamp::UNIX_EPOCH,
            image: Untrusted::default(),
            command: Untrusted::default(),
            container_id: "c0ffee".repeat(10),
        }
    }

    fn seen(sessions: Result<Vec<Session>>) -> Seen {
        let usage = Usage { cpu_ns: 1_500_000_000, memory: Bytes::mib(12), memory_limit: Some(Bytes::gib(4)), pids: 3, pids_limit: None };
        let id = "c0ffee".repeat(10);
        Seen {
            sessions,
            usage: [(id.clone(), usage)].into(),
            verdicts: [(id, [(Verdict::Enforced, 20), (Verdict::Weaker, 1)].into())].into(),
            limits: [("c0ffee".repeat(10), Limits { hits: vec![LimitHit::new(Limit::Pids, 7, Some(9))], unknown: None })].into(),
            taken: Some(Taken {
                sessions: vec![SessionDisk { name: "web".into(), id: SessionId::NIL, volumes: Some(5), layer: Some(2), soft: 9, hard: 0 }],
                other_volumes: None,
                depot: None,
                images: 4,
                reclaimable: 3,
                unknown: None,
            }),
            depot: None,
            took: Duration::from_millis(2),
        }
    }

    #[test]
    fn a_session_is_told_with_what_it_uses_and_what_holds() {
        let text = text(&seen(Ok(vec![session("default")]))).unwrap();
        for line in [
            "palisade_engine_up 1.0",
            "palisade_sessions{kind=\"persistent\",status=\"running\"} 1.0",
            "palisade_session_cpu_seconds_total{session=\"web\",container=\"c0ffeec0ffee\"} 1.5",
            "palisade_session_memory_bytes{session=\"web\",container=\"c0ffeec0ffee\"} 12582912.0",
            "palisade_session_pids{session=\"web\",container=\"c0ffeec0ffee\"} 3.0",
            "palisade_session_controls{session=\"web\",container=\"c0ffeec0ffee\",verdict=\"weaker\"} 1.0",
            "palisade_session_limits_total{session=\"web\",container=\"c0ffeec0ffee\",limit=\"pids\"} 7",
            "palisade_session_disk_bytes{session=\"web\",container=\"c0ffeec0ffee\"} 7.0",
            "palisade_session_disk_limit_bytes{session=\"web\",container=\"c0ffeec0ffee\",cap=\"soft\"} 9.0",
            "palisade_reclaimable_disk_bytes 3.0",
            "palisade_depot_up 0.0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
        assert!(!text.contains("palisade_session_pids_limit{"), "no limit is no figure: {text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn an_engine_that_is_away_is_a_figure() {
        let text = text(&seen(Err(Failure::new(Code::EngineUnreachable, "away")))).unwrap();
        assert!(text.contains("palisade_engine_up 0.0") && !text.contains("palisade_session_"), "{text}");
    }

    #[test]
    fn no_label_breaks_out_of_its_line_or_its_quotes() {
        let hostile = format!("x\"}} 1\npalisade_engine_up 0\n\\\u{1b}]0;t\u{7}{}", "y".repeat(10_000));
        let text = text(&seen(Ok(vec![session(&hostile)]))).unwrap();
        assert_eq!(text.lines().filter(|line| line.starts_with("palisade_engine_up ")).count(), 1, "{text}");
        assert!(!text.contains('\u{1b}') && text.len() < 8000, "{text}");
        let info = text.lines().find(|line| line.starts_with("palisade_session_info")).unwrap();
        assert!(info.contains("profile=\"x\\\"} 1") && info.ends_with(" 1.0"), "{info}");
    }
}
