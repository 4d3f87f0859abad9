//! The journal: a folder with a file for each piece of work under way, held locked by the process that is at it.
#![expect(clippy::disallowed_methods, reason = "the journal's own files")]

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::maker::Life;
use super::work::{Record, SCHEMA, Stage};

/// What is whole has this ending; what is just being written has [`NEW`].
const WHOLE: &str = "json";
const NEW: &str = "new";
/// How often a file is written anew that was taken for an abandoned one before it was locked.
const TRIES: u32 = 100;
/// An engine that nobody has reached for so long has lost what labels cannot tell.
const FORGOTTEN: Duration = Duration::from_hours(30 * 24);
/// A record is some hundred bytes.
const LONGEST: u64 = 64 << 10;

/// The journal in a state folder. Nothing is made before the first piece of work.
#[derive(Debug, Clone)]
pub struct Journal {
    folder: PathBuf,
}

/// A piece of work whose file this process holds. Let go, it is there for others to settle.
#[derive(Debug)]
pub struct Held {
    file: File,
    path: PathBuf,
    stage: Option<Stage>,
}

impl Journal {
    pub fn new(state: &Path) -> Self {
        Self { folder: state.join("under-way") }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes down a piece of work. Its file has its name once it is whole and locked, so that no one finds half of it.
    pub fn add(&self, record: &Record) -> io::Result<Held> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let mut text = serde_json::to_vec(record)?;
        text.push(b'\n');
        let (new, path) = (self.folder.join(&record.id).with_extension(NEW), self.folder.join(&record.id).with_extension(WHOLE));
        for _ in 0..TRIES {
            let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&new)?;
            file.lock()?;
            file.write_all(&text)?;
            match fs::rename(&new, &path) {
                Ok(()) => return Ok(Held { file, path, stage: None }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("another process clears the folder"))
    }

    /// What processes that have ended left of their work on this engine, held by this one now. A folder that cannot be read holds none.
    pub fn left(&self, engine: &str) -> Vec<(Record, Held)> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut left: Vec<(Record, Held)> = entries.filter_map(|entry| take_up(&entry.path(), engine)).collect();
        left.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        left
    }
}

impl Journal {
    /// Whether a process is at such a piece of work on this engine. What the caller holds itself counts, but for what it settles.
    pub fn is_at_work(&self, engine: &str, such: impl Fn(&Record) -> bool) -> bool {
        let files = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        files.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ending| ending == WHOLE)).any(|path| {
            let Ok(file) = File::open(&path) else { return false };
            let mut text = String::new();
            let read = (&file).take(LONGEST).read_to_string(&mut text);
            let record = read.ok().and_then(|_| record_in(&text)).filter(|record| record.engine == engine && such(record));
            record
                .is_some_and(|record| record.maker.life() != Life::Ended && matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
        })
    }
}

/// A file that nobody holds, if it is of this engine.
fn take_up(path: &Path, engine: &str) -> Option<(Record, Held)> {
    let ending = path.extension()?.to_str()?;
    if ending != WHOLE && ending != NEW {
        return None;
    }
    let file = OpenOptions::new().read(true).append(true).open(path).ok()?;
    match file.try_lock() {
        Ok(()) => {}
        // Where files cannot be locked at all, nothing says that a maker has ended.
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => return None,
    }
    // Settled by another process since it was found.
    if fs::metadata(path).ok()?.ino() != file.metadata().ok()?.ino() {
        return None;
    }
    if ending == NEW {
        // Nothing is begun before its file is whole; a maker that is about to lock it writes it anew.
        let _ = fs::remove_file(path);
        return None;
    }
    let mut text = String::new();
    (&file).take(LONGEST).read_to_string(&mut text).ok()?;
    let held = Held { stage: stage_in(&text), file, path: path.to_owned() };
    let Some(record) = record_in(&text) else {
        // A machine that lost its power may leave an empty file. One of a newer palisade is its own to settle.
        if text.is_empty() {
            held.remove();
        }
        return None;
    };
    if record.engine == engine {
        return Some((record, held));
    }
    if held.quiet_for() > FORGOTTEN {
        held.remove();
    }
    None
}

/// What it is; what it has become, where that was written to its end.
fn record_in(text: &str) -> Option<Record> {
    let record = |line: &str| serde_json::from_str::<Record>(line).ok().filter(|record| record.schema == SCHEMA);
    let first = record(text.lines().next()?)?;
    Some(whole_lines(text).filter_map(record).last().unwrap_or(first))
}

/// The furthest stage that was written to its end, of what it is now.
fn stage_in(text: &str) -> Option<Stage> {
    whole_lines(text).fold(None, |furthest, line| match serde_json::from_str::<Stage>(line) {
        Ok(stage) => furthest.max(Some(stage)),
        Err(_) if serde_json::from_str::<Record>(line).is_ok() => None,
        Err(_) => furthest,
    })
}

/// Those after the first that were written to their end.
fn whole_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').skip(1).filter(|line| line.ends_with('\n'))
}

impl Held {
    /// How far it came.
    pub fn stage(&self) -> Option<Stage> {
        self.stage
    }

    /// Adds how far it came. Best effort: without it less is known, and more is kept.
    pub fn note(&mut self, stage: Stage) {
        if self.stage >= Some(stage) {
            return;
        }
        self.stage = Some(stage);
        if let Ok(mut line) = serde_json::to_vec(&stage) {
            line.push(b'\n');
            let kept = self.file.metadata().and_then(|metadata| metadata.modified());
            let _ = self.file.write_all(&line);
            if let (Stage::LookedFor, Ok(kept)) = (stage, kept) {
                // Its age is that of its maker's last word.
                let _ = self.file.set_modified(kept);
            }
        }
    }

    /// It is another piece of work from here on, which has come nowhere yet.
    pub fn becomes(&mut self, record: &Record) -> io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.stage = None;
        Ok(())
    }

    /// How long ago its maker last wrote to it.
    pub fn quiet_for(&self) -> Duration {
        let modified = self.file.metadata().and_then(|metadata| metadata.modified());
        modified.ok().and_then(|modified| SystemTime::now().duration_since(modified).ok()).unwrap_or_default()
    }

    /// Nothing of it is left to do.
    pub fn remove(self) {
        // Best effort: what stays is found settled by the next to look.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::super::maker::Maker;
    use super::super::work::Work;
    use super::*;

    fn record(id: &str) -> Record {
        let work = Work::Helper { name: "palisade-probe-x".to_owned() };
        Record::new(id.to_owned(), "unix:///engine".to_owned(), Maker::this_process(), work)
    }

    fn left(journal: &Journal) -> Vec<Record> {
        journal.left("unix:///engine").into_iter().map(|(record, _)| record).collect()
    }

    #[test]
    fn what_is_held_is_nobody_elses_and_what_was_let_go_is_taken_up_until_it_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path());
        assert_eq!(left(&journal), []);
        let (held, other) = (journal.add(&record("a")).unwrap(), journal.add(&record("b")).unwrap());
        assert_eq!(left(&journal), []);
        drop(held);
        assert_eq!(left(&journal), [record("a")]);
        let taken = journal.left("unix:///engine");
        assert_eq!(left(&journal), [], "one at a time settles it");
        for (_, held) in taken {
            held.remove();
        }
        drop(other);
        assert_eq!(left(&journal), [record("b")]);
        assert!(journal.left("unix:///another").is_empty());
    }

    #[test]
    fn how_far_it_came_outlives_its_maker_and_half_a_line_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path());
        let mut held = journal.add(&record("a")).unwrap();
        held.file.write_all(b"\"open").unwrap();
        drop(held);
        let stages = |journal: &Journal| journal.left("unix:///engine").into_iter().map(|(_, held)| held.stage()).collect::<Vec<_>>();
        assert_eq!(stages(&journal), [None]);
        let mut held = journal.add(&record("b")).unwrap();
        held.note(Stage::Opening);
        held.note(Stage::LookedFor);
        drop(held);
        assert_eq!(stages(&journal), [None, Some(Stage::Opening)]);
    }

    #[test]
    fn what_has_become_another_piece_of_work_begins_anew_and_half_a_line_makes_it_none() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path());
        let other = Record { work: Work::Helper { name: "another".to_owned() }, ..record("a") };
        let text = serde_json::to_vec(&other).unwrap();
        let mut held = journal.add(&record("a")).unwrap();
        held.note(Stage::Opening);
        held.file.write_all(&text[..20]).unwrap();
        drop(held);
        let mut taken = journal.left("unix:///engine");
        assert_eq!((&taken[0].0, taken[0].1.stage()), (&record("a"), Some(Stage::Opening)));
        let held = &mut taken[0].1;
        held.file.write_all(b"\n").unwrap();
        held.becomes(&other).unwrap();
        assert_eq!(held.stage(), None);
        held.note(Stage::Stopping);
        drop(taken);
        let taken = journal.left("unix:///engine");
        assert_eq!((&taken[0].0, taken[0].1.stage()), (&other, Some(Stage::Stopping)));
    }

    #[test]
    fn being_looked_for_does_not_make_it_younger() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path());
        let mut held = journal.add(&record("a")).unwrap();
        held.file.set_modified(SystemTime::now() - Duration::from_mins(5)).unwrap();
        held.note(Stage::LookedFor);
        assert!(held.quiet_for() >= Duration::from_mins(5));
        drop(held);
        assert!(journal.left("unix:///engine")[0].1.quiet_for() >= Duration::from_mins(5));
    }

    #[test]
    fn what_was_never_whole_goes_and_what_is_not_understood_stays() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path());
        drop(journal.add(&record("a")).unwrap());
        let newer = serde_json::to_string(&Record { schema: SCHEMA + 1, ..record("c") }).unwrap();
        for (name, text) in [("n.new", "{"), ("e.json", ""), ("c.json", &newer), ("other", "x")] {
            fs::write(journal.folder().join(name), text).unwrap();
        }
        assert_eq!(left(&journal), [record("a")]);
        let mut names: Vec<String> =
            fs::read_dir(journal.folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["a.json", "c.json", "other"]);
    }

    #[test]
    fn many_at_once_neither_lose_theirs_nor_take_what_is_anothers() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::new(folder.path());
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let journal = &journal;
                scope.spawn(move || {
                    for round in 0..50 {
                        let held = journal.add(&record(&format!("{thread}-{round}"))).unwrap();
                        assert_eq!(left(journal), [], "all of them are held");
                        held.remove();
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(journal.folder()).unwrap().count(), 0);
    }
}
