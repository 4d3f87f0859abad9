use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::line::{self, Head, Line};
use super::types::{Event, Outcome, Requested};
use crate::depot::promise::{Digest, Ecosystem};

/// Most distinct artifacts that a session's journal lists.
pub(super) const LISTED: usize = 20_000;
/// Most events of one outcome that outlive a compaction: by outcome, so that a flood of one sort hides no other.
const KEPT_EVENTS: usize = 200;

/// A file that a session fetched, with the digest that the registry promised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchedArtifact {
    /// Of which ecosystem.
    pub ecosystem: Ecosystem,
    /// The project, normalised.
    pub project: String,
    /// Its version; empty where unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The file.
    pub file: String,
    /// What the registry promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Answers from the store.
    pub hits: u64,
    /// Answers that were fetched.
    pub misses: u64,
    /// Answers that were sent to their end.
    pub complete: u64,
    /// Bytes of all answers.
    pub bytes: u64,
    /// When it was first asked for.
    pub first: Timestamp,
    /// When it was last asked for.
    pub last: Timestamp,
}

/// What a journal says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Log {
    /// Distinct artifacts, by ecosystem, project and file.
    pub artifacts: Vec<FetchedArtifact>,
    /// Events worth a look, oldest first: everything but plain hits, misses and confirmations; the latest of each outcome.
    pub events: Vec<Event>,
    /// Answers with artifacts that are not listed, because 20,000 others are.
    pub unlisted: u64,
}

/// The requests that a journal still holds one by one, oldest first: compaction adds older ones up.
pub fn requests(journal: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    // Infallible: a slice is always read.
    let _ = line::each(journal, |line, _| {
        if let Line::Request { event, .. } | Line::Past(event) = line {
            events.push(event);
        }
    });
    events
}

/// What a journal says, whatever state its bytes are in.
pub fn fetched(journal: &[u8]) -> Log {
    let mut fold = Fold::default();
    // Infallible: a slice is always read.
    let _ = line::each(journal, |line, _| fold.take(line));
    let Fold { head, artifacts, events } = fold;
    let mut events: Vec<Event> = events.into_values().flatten().collect();
    events.sort_by_key(|event| event.at);
    Log { artifacts: artifacts.into_iter().map(|(key, seen)| seen.artifact(key)).collect(), events, unlisted: head.unlisted }
}

/// What a journal says that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusals {
    /// How often what a registry sent was not what it had promised.
    pub rejected: u64,
    /// How often the depot's own rules forbade it.
    pub denied: u64,
    /// The latest of each sort, oldest first.
    pub latest: Vec<Event>,
}

/// What was refused, in the order in which it was.
pub fn refused(journal: &[u8]) -> Refusals {
    let mut fold = Fold::default();
    // Infallible: a slice is always read.
    let _ = line::each(journal, |line, _| fold.take(line));
    let mut refusals = Refusals::default();
    for counters in fold.head.counters.values() {
        refusals.rejected = refusals.rejected.saturating_add(counters.rejected);
        refusals.denied = refusals.denied.saturating_add(counters.denied);
    }
    for outcome in [Outcome::Rejected, Outcome::Denied] {
        refusals.latest.extend(fold.events.remove(&outcome).unwrap_or_default());
    }
    refusals
}

impl Refusals {
    /// The latest so many of each sort.
    pub fn last(self, rejected: u64, denied: u64) -> Vec<Event> {
        let (mut last, mut forbidden): (Vec<Event>, Vec<Event>) =
            self.latest.into_iter().partition(|event| event.outcome == Outcome::Rejected);
        let cut = |events: &mut Vec<Event>, most: u64| {
            let over = events.len().saturating_sub(usize::try_from(most).unwrap_or(usize::MAX));
            events.drain(..over);
        };
        cut(&mut last, rejected);
        cut(&mut forbidden, denied);
        last.extend(forbidden);
        last
    }
}

/// A journal added up.
#[derive(Debug, Default)]
pub(super) struct Fold {
    pub head: Head,
    artifacts: BTreeMap<Key, Seen>,
    events: BTreeMap<Outcome, VecDeque<Event>>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    ecosystem: Ecosystem,
    project: Box<str>,
    file: Box<str>,
    digest: Option<Digest>,
}

#[derive(Debug)]
struct Seen {
    version: Box<str>,
    hits: u64,
    misses: u64,
    complete: u64,
    bytes: u64,
    first: Timestamp,
    last: Timestamp,
}

impl Seen {
    fn artifact(self, key: Key) -> FetchedArtifact {
        let Self { version, hits, misses, complete, bytes, first, last } = self;
        let Key { ecosystem, project, file, digest } = key;
        FetchedArtifact {
            ecosystem,
            project: project.into(),
            version: version.into(),
            file: file.into(),
            digest,
            hits,
            misses,
            complete,
            bytes,
            first,
            last,
        }
    }

    fn add(&mut self, other: &Self) {
        self.hits = self.hits.saturating_add(other.hits);
        self.misses = self.misses.saturating_add(other.misses);
        self.complete = self.complete.saturating_add(other.complete);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

impl Fold {
    /// Adds a line.
    pub fn take(&mut self, line: Line) {
        match line {
            Line::Head(head) => {
                for (ecosystem, counters) in &head.counters {
                    self.head.counters.entry(*ecosystem).or_default().add(counters);
                }
                self.head.last = self.head.last.max(head.last);
                self.head.unlisted = self.head.unlisted.saturating_add(head.unlisted);
            }
            Line::Fetched(artifact) => self.list(artifact),
            Line::Past(event) => self.keep(event),
            Line::Request { saved_ms, event } => self.count(event, saved_ms),
        }
    }

    /// Everything that is to outlive a compaction, in the order in which it is written.
    pub fn into_lines(self) -> impl Iterator<Item = Line> {
        let fetched = self.artifacts.into_iter().map(|(key, seen)| Line::Fetched(seen.artifact(key)));
        let past = self.events.into_values().flatten().map(Line::Past);
        std::iter::once(Line::Head(self.head)).chain(fetched).chain(past)
    }

    fn count(&mut self, event: Event, saved_ms: u64) {
        self.head.counters.entry(event.ecosystem).or_default().count(&event, saved_ms);
        self.head.last = self.head.last.max(Some(event.at));
        if event.requested == Requested::Artifact && matches!(event.outcome, Outcome::Hit | Outcome::Miss) {
            let (hits, misses) = if event.outcome == Outcome::Hit { (1, 0) } else { (0, 1) };
            self.list(FetchedArtifact {
                ecosystem: event.ecosystem,
                project: event.project.clone(),
                version: event.version.clone(),
                file: event.file.clone(),
                digest: event.digest.clone(),
                hits,
                misses,
                complete: u64::from(event.complete),
                bytes: event.store_bytes.saturating_add(event.upstream_bytes),
                first: event.at,
                last: event.at,
            });
        }
        if is_notable(&event) {
            self.keep(event);
        }
    }

    fn list(&mut self, artifact: FetchedArtifact) {
        let FetchedArtifact { ecosystem, project, version, file, digest, hits, misses, complete, bytes, first, last } = artifact;
        let key = Key { ecosystem, project: project.into(), file: file.into(), digest };
        let new = Seen { version: version.into(), hits, misses, complete, bytes, first, last };
        if let Some(seen) = self.artifacts.get_mut(&key) {
            seen.add(&new);
        } else if self.artifacts.len() < LISTED {
            self.artifacts.insert(key, new);
        } else {
            self.head.unlisted = self.head.unlisted.saturating_add(hits).saturating_add(misses);
        }
    }

    fn keep(&mut self, event: Event) {
        let kept = self.events.entry(event.outcome).or_default();
        if kept.len() >= KEPT_EVENTS {
            kept.pop_front();
        }
        kept.push_back(event);
    }
}

fn is_notable(event: &Event) -> bool {
    !event.note.is_empty() || !matches!(event.outcome, Outcome::Hit | Outcome::Miss | Outcome::Revalidated)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::units::SessionId;

    /// A hit of a wheel, at second `at`.
    pub fn event(at: i64, file: &str, outcome: Outcome) -> Event {
        Event {
            at: Timestamp::from_second(1_000_000_000 + at).unwrap(),
            session: SessionId::from_parts(1, 1),
            ecosystem: Ecosystem::Pypi,
            requested: Requested::Artifact,
            project: "six".to_owned(),
            file: file.to_owned(),
            version: "1.17.0".to_owned(),
            digest: None,
            outcome,
            store_bytes: if outcome == Outcome::Hit { 100 } else { 0 },
            upstream_bytes: if outcome == Outcome::Miss { 100 } else { 0 },
            elapsed_ms: 1,
            complete: true,
            hidden: 0,
            note: String::new(),
        }
    }

    fn journal(events: impl IntoIterator<Item = Event>) -> Vec<u8> {
        events.into_iter().flat_map(|event| Line::Request { saved_ms: 2, event }.bytes().unwrap()).collect()
    }

    #[test]
    fn a_journal_lists_each_artifact_once_and_what_is_worth_a_look() {
        let bytes = journal([
            event(2, "a.whl", Outcome::Hit),
            event(1, "a.whl", Outcome::Miss),
            event(3, "b.whl", Outcome::Denied),
            Event { hidden: 2, note: "min_age 3days hides 1.1, 1.0".to_owned(), requested: Requested::Index, ..event(4, "", Outcome::Hit) },
        ]);
        let log = fetched(&bytes);
        let [artifact] = &log.artifacts[..] else { panic!("{log:?}") };
        assert_eq!((artifact.hits, artifact.misses, artifact.complete, artifact.bytes), (1, 1, 2, 200));
        assert_eq!(artifact.last.as_second() - artifact.first.as_second(), 1);
        assert_eq!(log.events.iter().map(|event| event.outcome).collect::<Vec<_>>(), [Outcome::Denied, Outcome::Hit]);
    }

    #[test]
    fn what_was_refused_is_counted_and_the_latest_of_it_told() {
        let events = (0..300).map(|at| event(at, &format!("{at}.whl"), if at % 3 == 0 { Outcome::Rejected } else { Outcome::Denied }));
        let found = refused(&journal(events.chain([event(300, "fine.whl", Outcome::Miss)])));
        assert_eq!((found.rejected, found.denied, found.latest.len()), (100, 200, 300));
        let files: Vec<String> = found.last(1, 2).into_iter().map(|event| event.file).collect();
        assert_eq!(files, ["297.whl", "298.whl", "299.whl"]);
        assert_eq!(refused(b""), Refusals::default());
    }

    #[test]
    fn damage_costs_the_lines_that_it_struck() {
        let whole = journal((0..20).map(|at| event(at, &format!("{at}.whl"), Outcome::Miss)));
        for cut in 0..whole.len() {
            let lines = whole[..cut].split(|&byte| byte == b'\n').count() - 1;
            let found = fetched(&whole[..cut]).artifacts.len();
            assert!(found == lines || found == lines + 1, "{cut}: {found} of {lines}");
        }
        let mut struck = whole.clone();
        struck[0] = 0xff;
        struck.splice(300..300, vec![b'x'; 1 << 20]);
        assert!(fetched(&struck).artifacts.len() >= 17);
        assert_eq!(fetched(b"\0\n{}\n[]\n{\"later\":1}\nnull"), Log::default());
    }

    #[test]
    fn a_compacted_journal_says_what_the_whole_one_said() {
        let bytes = journal((0..40).map(|at| {
            let outcome = [Outcome::Hit, Outcome::Miss, Outcome::Failed, Outcome::Stale][usize::try_from(at % 4).unwrap()];
            event(at, &format!("{}.whl", at % 7), outcome)
        }));
        let mut fold = Fold::default();
        line::each(&bytes[..], |line, _| fold.take(line)).unwrap();
        let head = fold.head.clone();
        let mut compacted: Vec<u8> = fold.into_lines().flat_map(|line| line.bytes().unwrap()).collect();
        assert_eq!(fetched(&compacted), fetched(&bytes));
        compacted.extend(journal([event(50, "0.whl", Outcome::Hit)]));
        let mut again = Fold::default();
        line::each(&compacted[..], |line, _| again.take(line)).unwrap();
        let (before, after) = (head.counters[&Ecosystem::Pypi], again.head.counters[&Ecosystem::Pypi]);
        assert_eq!((before.requests + 1, before.hits + 1, before.misses), (after.requests, after.hits, after.misses));
        assert_eq!(before.saved_ms_estimated + 2, after.saved_ms_estimated);
    }

    #[test]
    fn endless_distinct_requests_meet_a_bound() {
        let mut fold = Fold::default();
        for at in 0..i64::try_from(LISTED).unwrap() + 50 {
            fold.take(Line::Request { saved_ms: 0, event: event(at, &format!("{at}.whl"), Outcome::Miss) });
            fold.take(Line::Request { saved_ms: 0, event: event(at, &format!("{at}"), Outcome::NotFound) });
        }
        fold.take(Line::Request { saved_ms: 0, event: event(0, "0.whl", Outcome::Hit) });
        fold.take(Line::Request { saved_ms: 0, event: event(0, "bad.whl", Outcome::Rejected) });
        assert_eq!((fold.artifacts.len(), fold.head.unlisted), (LISTED, 50));
        assert_eq!(fold.events[&Outcome::NotFound].len(), KEPT_EVENTS);
        assert_eq!(fold.events[&Outcome::Rejected].len(), 1);
    }
}
