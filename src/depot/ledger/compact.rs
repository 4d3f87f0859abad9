use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use super::files::{self, Lasting};
use super::fold::Fold;
use super::journal_file;
use super::keep::{Held, Ledger, lock};
use super::line;
use crate::units::SessionId;

impl Ledger {
    /// Keeps the journals within their bounds: one that has grown by 2 MiB is rewritten as its counters, one line for
    /// each artifact (20,000 at most) and the latest events worth a look; of more than 2,000 sessions, or 512 MiB,
    /// those that were quiet longest become part of the totals. Does nothing where nothing is due.
    ///
    /// An end at any moment loses and doubles nothing: a journal is replaced by one rename, and totals name the
    /// sessions whose journals they hold until those are removed.
    pub fn tend(&self) -> io::Result<()> {
        let _one_at_a_time = lock(&self.0.tending);
        if !self.0.due.swap(false, Ordering::Relaxed) && !self.is_crowded() {
            return Ok(());
        }
        let tended = self.compact_grown().and_then(|()| self.retire());
        if tended.is_err() {
            self.0.due.store(true, Ordering::Relaxed);
        }
        tended
    }

    fn is_crowded(&self) -> bool {
        lock(&self.0.sessions).len() > self.0.bounds.sessions
    }

    fn compact_grown(&self) -> io::Result<()> {
        let all: Vec<_> = lock(&self.0.sessions).iter().map(|(session, held)| (*session, Arc::clone(held))).collect();
        for (session, held) in all {
            if lock(&held).grown >= self.0.bounds.grown {
                self.compact(session, &held)?;
            }
        }
        Ok(())
    }

    /// Reads and writes without the session's lock; what was added meanwhile is carried over under it.
    fn compact(&self, session: SessionId, held: &Mutex<Held>) -> io::Result<()> {
        let path = self.0.folder.join(journal_file(session));
        let before = lock(held).length;
        let Some(journal) = files::read(&path)? else { return Ok(()) };
        let mut fold = Fold::default();
        line::each(journal.take(before), |line, _| fold.take(line))?;
        let compacted = files::begin(&path).and_then(|mut file| {
            for line in fold.into_lines() {
                file.write_all(&line.bytes()?)?;
            }
            file.flush()?;
            // The slow part, while requests still go to the old one.
            file.get_ref().sync_data()?;
            let mut held = lock(held);
            let Some(mut journal) = files::read(&path)? else { return Ok(()) };
            journal.seek(SeekFrom::Start(before))?;
            let added = io::copy(&mut journal, &mut file)?;
            let length = file.stream_position()?;
            files::finish(&path, file, Lasting::No)?;
            (held.length, held.grown) = (length, added);
            Ok(())
        });
        if compacted.is_err() {
            files::abandon(&path);
        }
        compacted
    }

    fn retire(&self) -> io::Result<()> {
        let bounds = self.0.bounds;
        let mut sessions = lock(&self.0.sessions);
        let mut retired = lock(&self.0.retired);
        // What an earlier failure left.
        retired.clear(&self.0.folder)?;
        let mut bytes: u64 = sessions.values().map(|held| lock(held).length).sum();
        let mut count = sessions.len();
        if count <= bounds.sessions && bytes <= bounds.bytes {
            return Ok(());
        }
        let mut quietest: Vec<_> = sessions.iter().map(|(session, held)| (lock(held).last, *session, Arc::clone(held))).collect();
        quietest.sort_by_key(|(last, session, _)| (*last, *session));
        // Some more than needed, so that not every new session retires another.
        let (few, small) = (bounds.sessions - bounds.sessions / 20, bounds.bytes - bounds.bytes / 20);
        quietest.retain(|(_, _, held)| {
            let leaves = count > few || bytes > small;
            if leaves {
                count -= 1;
                bytes = bytes.saturating_sub(lock(held).length);
            }
            leaves
        });
        // Locked together, so that none of them counts on while it is added up.
        let mut locked: Vec<_> = quietest.iter().map(|(_, session, held)| (*session, lock(held))).collect();
        let counters: Vec<_> = locked.iter().map(|(session, held)| (*session, held.counters.clone())).collect();
        retired.take_in(&self.0.folder, &counters)?;
        for (session, held) in &mut locked {
            held.gone = true;
            sessions.remove(session);
        }
        retired.clear(&self.0.folder)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests plant files and look at them")]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use jiff::Timestamp;

    use super::super::fold::tests::event;
    use super::super::keep::Bounds;
    use super::super::types::{Counters, Event, Outcome, StoreFacts, Summary};
    use super::*;
    use crate::depot::promise::Ecosystem;

    const SMALL: Bounds = Bounds { grown: 2_000, sessions: 5, bytes: 1 << 20 };

    fn open(folder: &Path) -> Ledger {
        Ledger::open_within(folder, Timestamp::UNIX_EPOCH, SMALL).unwrap()
    }

    fn summary(ledger: &Ledger) -> Summary {
        ledger.summary(Timestamp::UNIX_EPOCH, StoreFacts::default(), Vec::new())
    }

    fn totals(ledger: &Ledger) -> BTreeMap<Ecosystem, Counters> {
        summary(ledger).totals
    }

    fn by(session: u64, at: i64) -> Event {
        Event { session: SessionId::from_parts(session, 0), ..event(at, &format!("{}.whl", at % 3), Outcome::Hit) }
    }

    #[test]
    fn a_grown_journal_shrinks_and_says_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(folder.path());
        for at in 0..100 {
            ledger.record(by(1, at));
        }
        let path = folder.path().join(journal_file(SessionId::from_parts(1, 0)));
        let whole = std::fs::read(&path).unwrap();
        let before = totals(&ledger);
        ledger.tend().unwrap();
        let compacted = std::fs::read(&path).unwrap();
        assert!(compacted.len() * 10 < whole.len(), "{} of {}", compacted.len(), whole.len());
        assert_eq!(super::super::fetched(&compacted), super::super::fetched(&whole));
        ledger.record(by(1, 200));
        assert_eq!(totals(&open(folder.path())), totals(&ledger));
        assert_eq!(totals(&ledger)[&Ecosystem::Pypi].hits, before[&Ecosystem::Pypi].hits + 1);
    }

    #[test]
    fn requests_that_come_during_compactions_and_retirements_are_neither_lost_nor_doubled() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(folder.path());
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|writer| {
                    let ledger = ledger.clone();
                    scope.spawn(move || (0..400).for_each(|at: i64| ledger.record(by(writer * 3 + at.cast_unsigned() % 3, at))))
                })
                .collect();
            while writers.iter().any(|writer| !writer.is_finished()) {
                ledger.tend().unwrap();
                let seen = totals(&ledger).values().map(|counters| counters.requests).sum::<u64>();
                assert!(seen <= 1_600, "{seen}");
            }
        });
        ledger.tend().unwrap();
        assert_eq!(totals(&ledger)[&Ecosystem::Pypi].requests, 1_600);
        assert_eq!(totals(&open(folder.path())), totals(&ledger));
        assert!(summary(&ledger).sessions.len() <= SMALL.sessions);
    }

    #[test]
    fn sessions_that_were_quiet_longest_become_totals_and_may_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(folder.path());
        for session in 1..=6 {
            ledger.record(by(session, 10 - session.cast_signed()));
        }
        ledger.tend().unwrap();
        let left: Vec<_> = summary(&ledger).sessions.into_keys().collect();
        assert_eq!(left, [1, 2, 3, 4, 5].map(|session| SessionId::from_parts(session, 0)));
        let gone = folder.path().join(journal_file(SessionId::from_parts(6, 0)));
        assert!(!gone.exists());
        assert_eq!(totals(&ledger)[&Ecosystem::Pypi].requests, 6);
        ledger.record(by(6, 100));
        assert_eq!(totals(&ledger)[&Ecosystem::Pypi].requests, 7);
        assert_eq!(totals(&open(folder.path()))[&Ecosystem::Pypi].requests, 7);
    }

    #[test]
    fn an_end_between_two_steps_of_retiring_counts_nothing_twice() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(folder.path());
        (1..=3).for_each(|session| ledger.record(by(session, 1)));
        let before = totals(&ledger);
        let leaving: Vec<_> = summary(&ledger).sessions.into_iter().take(2).collect();
        // The first step alone, as a kill right after it leaves things.
        lock(&ledger.0.retired).take_in(folder.path(), &leaving).unwrap();
        let after = open(folder.path());
        assert_eq!((totals(&after), summary(&after).sessions.len()), (before.clone(), 1));
        // And with one journal of two removed.
        let mut retired = lock(&after.0.retired);
        retired.take_in(folder.path(), &[]).unwrap();
        drop(retired);
        assert_eq!(totals(&open(folder.path())), before);
    }

    #[test]
    fn damaged_totals_are_set_aside_and_the_depot_serves() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("retired.json"), "{\"totals\":").unwrap();
        let ledger = open(folder.path());
        ledger.record(by(1, 1));
        assert_eq!(totals(&ledger)[&Ecosystem::Pypi].requests, 1);
        assert!(folder.path().join("retired.json.damaged").exists());
    }
}
