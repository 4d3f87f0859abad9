//! Who may touch the database's files: many who use them, or one who makes, replaces or migrates them.
//!
//! `SQLite` locks what is in a file; it cannot know that the file itself was taken away and another put in its place, and then two of its
//! writers would share one `-shm` of two databases. So everyone shows here first.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Unkept;

const PAUSE: Duration = Duration::from_millis(3);

/// How it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// With others, to use what is there.
    Together,
    /// Alone, to make or replace it.
    Alone,
}

/// Waits until it may be held so, by the file beside the database. Let go of with the value: also by a process that is killed.
pub fn hold(database: &Path, how: Held, due: Instant) -> Result<File, Unkept> {
    let path = database.with_extension("db.lock");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|error| Unkept::file("cannot open", &path, error))?;
    loop {
        let locked = match how {
            Held::Together => file.try_lock_shared(),
            Held::Alone => file.try_lock(),
        };
        match locked {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < due => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(Unkept::Held(path.display().to_string())),
            Err(TryLockError::Error(error)) => return Err(Unkept::file("cannot lock", &path, error)),
        }
    }
}
