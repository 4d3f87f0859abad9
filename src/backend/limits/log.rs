//! A session's log as the engine keeps it, where its folder is this machine's and this user may look: when it has grown to its size it is
//! set aside and begun anew, which no event tells.

use std::collections::BTreeMap;
use std::fs::metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// More files of one log than a profile can ask for.
const MOST: u32 = 100;

/// Where an engine keeps its containers' logs, and what was seen of each.
#[derive(Debug, Default)]
pub(super) struct Logs {
    seen: BTreeMap<String, Seen>,
}

#[derive(Debug)]
struct Seen {
    now: Written,
    rotations: u64,
}

/// What tells one file that is written to from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    file: u64,
    size: u64,
    /// The one that was set aside last: a number is given again to a later file, a moment is not.
    aside: Option<(u64, i64, i64)>,
}

impl Logs {
    /// How often this container's log was begun anew, as far as was seen; nothing where that cannot be seen.
    pub(super) fn rotations(&mut self, engine: &Path, container: &str) -> u64 {
        let Some(log) = log_of(engine, container) else { return 0 };
        let Some(now) = Written::of(&log) else { return self.seen.get(container).map_or(0, |seen| seen.rotations) };
        let seen = self.seen.entry(container.to_owned()).or_insert_with(|| Seen { now, rotations: set_aside(&log) });
        if now.began_after(&seen.now) {
            // What is set aside may be less than was, where the oldest goes.
            seen.rotations = set_aside(&log).max(seen.rotations + 1);
        }
        seen.now = now;
        seen.rotations
    }

    /// Forgets all but these.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.seen.retain(|container, _| is_wanted(container));
    }
}

/// A log that somebody follows. An engine reads it from the same files, and of one that is begun anew under it at full speed it skips lines
/// without a word.
#[derive(Debug)]
pub struct LogWatch {
    engine: PathBuf,
    container: String,
    logs: Logs,
    before: u64,
}

impl LogWatch {
    /// From now on.
    pub(super) fn of(engine: PathBuf, container: String) -> Self {
        let mut logs = Logs::default();
        let before = logs.rotations(&engine, &container);
        Self { engine, container, logs, before }
    }

    /// Whether it was begun anew since, as far as can be seen.
    pub fn began_anew(&mut self) -> bool {
        self.logs.rotations(&self.engine, &self.container) > self.before
    }
}

impl Written {
    /// `None` where there is no log, or while it is being begun anew.
    fn of(log: &Path) -> Option<Self> {
        let now = metadata(log).ok()?;
        let aside = metadata(numbered(log, 1)).ok().map(|aside| (aside.ino(), aside.ctime(), aside.ctime_nsec()));
        Some(Self { file: now.ino(), size: now.size(), aside })
    }

    /// Where a log has but one file, that one is emptied.
    fn began_after(&self, before: &Self) -> bool {
        self.file != before.file || self.size < before.size || self.aside != before.aside
    }
}

/// An id is hexadecimal, or it leads nowhere.
fn log_of(engine: &Path, container: &str) -> Option<PathBuf> {
    let is_id = !container.is_empty() && container.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| engine.join("containers").join(container).join(format!("{container}-json.log")))
}

/// The files of a log that are not written to any more.
fn set_aside(log: &Path) -> u64 {
    (1..MOST).take_while(|number| metadata(numbered(log, *number)).is_ok()).count() as u64
}

fn numbered(log: &Path, number: u32) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "an engine's folder of the test's own")]

    use std::fs::{create_dir_all, rename, write};

    use super::*;

    #[test]
    fn a_log_that_is_begun_anew_counts_also_where_the_oldest_goes() {
        let engine = tempfile::tempdir().unwrap();
        let folder = engine.path().join("containers/ab12");
        create_dir_all(&folder).unwrap();
        let file = |end: &str| folder.join(format!("ab12-json.log{end}"));
        let mut logs = Logs::default();
        assert_eq!(logs.rotations(engine.path(), "ab12"), 0, "there is none yet");
        write(file(""), "x").unwrap();
        assert_eq!(logs.rotations(engine.path(), "ab12"), 0);
        for expected in 1..4 {
            // Two are kept beside the one that is written to.
            let _ = rename(file(".1"), file(".2"));
            rename(file(""), file(".1")).unwrap();
            write(file(""), "x").unwrap();
            assert_eq!(logs.rotations(engine.path(), "ab12"), expected);
        }
        assert_eq!(Logs::default().rotations(engine.path(), "ab12"), 2, "as far as can be seen");
        assert_eq!(logs.rotations(engine.path(), "../ab12"), 0);
        write(file(""), "").unwrap();
        assert_eq!(logs.rotations(engine.path(), "ab12"), 4, "emptied");
        logs.retain(|_| false);
        assert_eq!(logs.rotations(engine.path(), "ab12"), 2);
    }

    #[test]
    fn a_log_that_only_grows_was_never_begun_anew_whatever_was_set_aside_before() {
        let engine = tempfile::tempdir().unwrap();
        let folder = engine.path().join("containers/ab12");
        create_dir_all(&folder).unwrap();
        let file = |end: &str| folder.join(format!("ab12-json.log{end}"));
        let mut early = LogWatch::of(engine.path().to_owned(), "ab12".to_owned());
        write(file(""), "x").unwrap();
        assert!(!early.began_anew(), "it was only made now");
        write(file(".1"), "x").unwrap();
        let mut late = LogWatch::of(engine.path().to_owned(), "ab12".to_owned());
        write(file(""), "xy").unwrap();
        assert!(!late.began_anew());
        rename(file(""), file(".1")).unwrap();
        assert!(!late.began_anew(), "not yet");
        write(file(""), "").unwrap();
        assert!(late.began_anew() && late.began_anew());
    }
}
