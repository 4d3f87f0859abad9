use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::clip::clipped;
use super::files::{self, Lasting};
use super::line::{self, Head, Line};
use super::rate::Rates;
use super::retired::Retired;
use super::types::{Counters, Event, Outcome, Requested, StoreFacts, Summary, UpstreamFacts};
use super::{SUMMARY_FILE, journal_file};
use crate::depot::promise::Ecosystem;
use crate::units::SessionId;

const RATES_FILE: &str = "rates.json";

/// Counts every request of every session, and keeps the counts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ledger(pub(super) Arc<Book>);

/// The one ledger behind its clones. Locks are taken in the order of the fields, a session's own after all of them.
#[derive(Debug)]
pub(super) struct Book {
    pub folder: PathBuf,
    started: Timestamp,
    pub bounds: Bounds,
    /// Held while journals are compacted or retired: one at a time.
    pub tending: Mutex<()>,
    pub sessions: Mutex<BTreeMap<SessionId, Arc<Mutex<Held>>>>,
    pub retired: Mutex<Retired>,
    rates: Mutex<Rates>,
    /// Whether a journal has grown enough to be compacted, or there are too many.
    pub due: AtomicBool,
    strangers: AtomicU64,
    /// Counts changes; `taken` is where it stood when the latest summary was made, `written` when the latest was written.
    version: AtomicU64,
    taken: AtomicU64,
    written: AtomicU64,
    unwritten: AtomicU64,
}

/// When journals are compacted and retired.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// A journal is compacted when it has grown by so many bytes.
    pub grown: u64,
    /// Most sessions that have a journal.
    pub sessions: usize,
    /// Most bytes that all journals take.
    pub bytes: u64,
}

impl Bounds {
    const USUAL: Self = Self { grown: 2 << 20, sessions: 2_000, bytes: 512 << 20 };
}

/// What is known of one session without reading its journal.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub counters: BTreeMap<Ecosystem, Counters>,
    pub last: Option<Timestamp>,
    /// Bytes of the journal.
    pub length: u64,
    /// Bytes that were added since it was last compacted.
    pub grown: u64,
    /// Whether the journal ends within a line.
    pub torn: bool,
    /// Whether it was retired: whoever still holds this must look the session up again.
    pub gone: bool,
}

impl Ledger {
    /// Reads every session's journal. A torn or damaged line costs what it said; files that are none of ours are left alone.
    pub fn open(folder: &Path, started: Timestamp) -> io::Result<Self> {
        Self::open_within(folder, started, Bounds::USUAL)
    }

    pub(super) fn open_within(folder: &Path, started: Timestamp, bounds: Bounds) -> io::Result<Self> {
        let journals = files::journals(folder)?;
        let (mut retired, damage) = Retired::read(folder)?;
        if let Some(damage) = damage {
            say(&format!("the totals of sessions long gone are damaged and begin anew: {damage}"));
        }
        // Their journals are in the totals already.
        retired.clear(folder)?;
        let mut sessions = BTreeMap::new();
        for (session, path) in journals {
            if let Some(held) = Held::read(&path)? {
                sessions.insert(session, Arc::new(Mutex::new(held)));
            }
        }
        let rates = files::read(&folder.join(RATES_FILE))?.and_then(|file| serde_json::from_reader(file).ok()).unwrap_or_default();
        Ok(Self(Arc::new(Book {
            folder: folder.to_owned(),
            started,
            bounds,
            tending: Mutex::default(),
            sessions: Mutex::new(sessions),
            retired: Mutex::new(retired),
            rates: Mutex::new(rates),
            due: AtomicBool::new(true),
            strangers: AtomicU64::new(0),
            version: AtomicU64::new(1),
            taken: AtomicU64::new(0),
            written: AtomicU64::new(0),
            unwritten: AtomicU64::new(0),
        })))
    }

    /// Counts a request and adds it to its session's journal. Some microseconds, and never a failure of the request:
    /// what cannot be written is counted, and said once.
    pub fn record(&self, event: Event) {
        let event = clipped(event);
        let is_hit = event.outcome == Outcome::Hit && event.requested == Requested::Artifact;
        let saved_ms = if is_hit { lock(&self.0.rates).saved_ms(event.ecosystem, event.store_bytes, event.elapsed_ms) } else { 0 };
        let line = line::request(saved_ms, &event);
        loop {
            let held = Arc::clone(lock(&self.0.sessions).entry(event.session).or_default());
            let mut held = lock(&held);
            if held.gone {
                continue;
            }
            if let Err(error) = line.and_then(|line| held.append(&self.0.folder.join(journal_file(event.session)), line)) {
                self.not_written(&error);
            }
            held.counters.entry(event.ecosystem).or_default().count(&event, saved_ms);
            held.last = held.last.max(Some(event.at));
            if held.grown >= self.0.bounds.grown {
                self.0.due.store(true, Ordering::Relaxed);
            }
            break;
        }
        self.touch();
    }

    /// Counts a connection that showed no token, or a wrong one.
    pub fn stranger(&self) {
        self.0.strangers.fetch_add(1, Ordering::Relaxed);
        self.touch();
    }

    /// One fetch from upstream, as it was measured: what later hits save is estimated with these.
    pub fn observe_fetch(&self, ecosystem: Ecosystem, bytes: u64, elapsed_ms: u64) {
        lock(&self.0.rates).observe(ecosystem, bytes, elapsed_ms);
    }

    /// Makes the ledger dirty: a registry went away, the store changed.
    pub fn touch(&self) {
        self.0.version.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether anything changed since the summary that was last written.
    pub fn is_dirty(&self) -> bool {
        self.0.version.load(Ordering::Relaxed) != self.0.written.load(Ordering::Relaxed)
    }

    /// Requests whose line could not be written: they are counted until the depot ends.
    pub fn unwritten(&self) -> u64 {
        self.0.unwritten.load(Ordering::Relaxed)
    }

    /// Everything counted up to now.
    pub fn summary(&self, now: Timestamp, store: StoreFacts, upstreams: Vec<UpstreamFacts>) -> Summary {
        self.0.taken.store(self.0.version.load(Ordering::Relaxed), Ordering::Relaxed);
        // Held throughout: a session that retires meanwhile must be in one place or the other.
        let held = lock(&self.0.sessions);
        let mut totals = lock(&self.0.retired).totals.clone();
        let sessions: BTreeMap<_, _> = held.iter().map(|(session, held)| (*session, lock(held).counters.clone())).collect();
        for (ecosystem, counters) in sessions.values().flatten() {
            totals.entry(*ecosystem).or_default().add(counters);
        }
        Summary {
            schema: 1,
            started: self.0.started,
            updated: now,
            totals,
            sessions,
            store,
            upstreams,
            strangers: self.0.strangers.load(Ordering::Relaxed),
        }
    }

    /// Writes a summary for managers to read, by rename, and then [tends](Self::tend) the journals. Takes
    /// milliseconds, more when a journal is compacted: not for a thread that serves.
    pub fn write_summary(&self, summary: &Summary) -> io::Result<()> {
        let version = self.0.taken.load(Ordering::Relaxed);
        files::replace(&self.0.folder.join(SUMMARY_FILE), Lasting::No, |file| Ok(serde_json::to_writer(file, summary)?))?;
        self.0.written.store(version, Ordering::Relaxed);
        let rates = lock(&self.0.rates).clone();
        files::replace(&self.0.folder.join(RATES_FILE), Lasting::No, |file| Ok(serde_json::to_writer(file, &rates)?))?;
        self.tend()
    }

    fn not_written(&self, error: &io::Error) {
        if self.0.unwritten.fetch_add(1, Ordering::Relaxed) == 0 {
            say(&format!("a request is not in its session's journal, and others may follow: {error}"));
        }
    }
}

impl Held {
    fn read(path: &Path) -> io::Result<Option<Self>> {
        let Some(file) = files::read(path)? else { return Ok(None) };
        let length = file.get_ref().metadata()?.len();
        // Whether it ends within a line is not asked: a line feed too many does no harm.
        let mut held = Self { length, torn: length > 0, ..Self::default() };
        line::each(file, |line, bytes| match line {
            Line::Head(Head { counters, last, unlisted: _ }) => {
                for (ecosystem, counters) in &counters {
                    held.counters.entry(*ecosystem).or_default().add(counters);
                }
                held.last = held.last.max(last);
            }
            Line::Request { saved_ms, event } => {
                held.counters.entry(event.ecosystem).or_default().count(&event, saved_ms);
                held.last = held.last.max(Some(event.at));
                held.grown += bytes;
            }
            Line::Fetched(_) | Line::Past(_) => {}
        })?;
        Ok(Some(held))
    }

    fn append(&mut self, path: &Path, line: Vec<u8>) -> io::Result<()> {
        let line = if self.torn { [b"\n", &line[..]].concat() } else { line };
        let written = files::append(path, &line)?;
        self.torn = written < line.len();
        self.length = self.length.saturating_add(written as u64);
        self.grown = self.grown.saturating_add(written as u64);
        if self.torn { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

/// No holder of these locks panics between two changes that belong together.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn say(what: &str) {
    // Where standard error is gone there is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "palisade depot: {what}");
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests plant files and look at them")]
mod tests {
    use super::super::fold::tests::event;
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(2_000_000_000).unwrap()
    }

    fn summary(ledger: &Ledger) -> Summary {
        ledger.summary(now(), StoreFacts::default(), Vec::new())
    }

    #[test]
    fn what_was_counted_is_there_after_any_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let ledger = Ledger::open(&path, now()).unwrap();
        ledger.observe_fetch(Ecosystem::Pypi, 10, 40);
        ledger.record(event(1, "a.whl", Outcome::Miss));
        ledger.record(event(2, "a.whl", Outcome::Hit));
        ledger.stranger();
        let before = summary(&ledger);
        // No drop runs at a kill: what was recorded must be in the files by now.
        std::mem::forget(ledger);
        let session = event(0, "", Outcome::Hit).session;
        let torn = path.join(journal_file(session));
        files::append(&torn, b"{\"request\":{\"saved_ms\":1,\"ev").unwrap();
        std::fs::write(path.join("notes.txt"), "not ours").unwrap();
        std::fs::write(path.join("x.jsonl"), "not ours").unwrap();
        std::fs::write(path.join("summary.json.new"), "half").unwrap();

        let ledger = Ledger::open(&path, now()).unwrap();
        assert_eq!(summary(&ledger).totals, before.totals);
        assert_eq!(summary(&ledger).sessions, before.sessions);
        assert_eq!((before.strangers, summary(&ledger).strangers), (1, 0));
        ledger.record(event(3, "a.whl", Outcome::Hit));
        let again = Ledger::open(&path, now()).unwrap();
        let counters = summary(&again).totals[&Ecosystem::Pypi];
        assert_eq!((counters.hits, counters.misses, counters.saved_bytes), (2, 1, 200));
        assert_eq!(counters.saved_ms_estimated, 39);
        assert!(path.join("notes.txt").exists() && path.join("x.jsonl").exists() && !path.join("summary.json.new").exists());
    }

    #[test]
    fn a_summary_is_due_while_something_is_new() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path(), now()).unwrap();
        assert!(ledger.is_dirty(), "the first summary says that the depot serves");
        let first = summary(&ledger);
        ledger.record(event(1, "a.whl", Outcome::Miss));
        ledger.write_summary(&first).unwrap();
        assert!(ledger.is_dirty(), "the request came after the summary was made");
        ledger.write_summary(&summary(&ledger)).unwrap();
        assert!(!ledger.is_dirty());
        let text = std::fs::read(folder.path().join(SUMMARY_FILE)).unwrap();
        assert_eq!(serde_json::from_slice::<Summary>(&text).unwrap(), summary(&ledger));
    }

    #[test]
    fn a_disk_that_takes_nothing_fails_no_request() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger"), now()).unwrap();
        std::fs::remove_dir_all(folder.path().join("ledger")).unwrap();
        ledger.record(event(1, "a.whl", Outcome::Miss));
        ledger.record(event(2, "a.whl", Outcome::Hit));
        assert_eq!(ledger.unwritten(), 2);
        assert_eq!(summary(&ledger).totals[&Ecosystem::Pypi].requests, 2);
    }
}
