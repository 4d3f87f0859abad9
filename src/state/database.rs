#![expect(clippy::disallowed_methods, reason = "the database's own files, and the time in the name of one that is set aside")]

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::Unkept;
use super::aside::{self, Why};
use super::gate::{Held, hold};
use super::migrations::{self, Other, Shape};

/// For whom there is no getting through for so long, something is stuck: the operation then goes on without.
const PATIENCE: Duration = Duration::from_secs(20);
/// One wait of `SQLite`'s own for a writer; a transaction here takes a millisecond.
const BUSY: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(3);
/// What one call may meet: a file that is damaged, or taken away again and again by somebody who does not show at the gate.
const ATTEMPTS: usize = 8;

/// The database of one operator. Clones share one connection; nothing is opened before the first call.
#[derive(Debug, Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    open: Mutex<Option<Open>>,
    warning: Mutex<Option<String>>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    /// Which file: the name alone may lead to another by now.
    file: (u64, u64),
}

impl Database {
    /// The database in a state folder.
    pub fn new(state: &Path) -> Self {
        let path = state.join("palisade.db");
        Self { shared: Arc::new(Shared { path, open: Mutex::default(), warning: Mutex::default() }) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Reads, all of it as of one moment.
    pub fn read<T>(&self, mut work: impl FnMut(&Connection) -> rusqlite::Result<T>) -> Result<T, Unkept> {
        self.transact(TransactionBehavior::Deferred, &mut work)
    }

    /// Writes all or nothing. The work may be run more than once, until it goes through.
    pub fn write<T>(&self, mut work: impl FnMut(&Connection) -> rusqlite::Result<T>) -> Result<T, Unkept> {
        self.transact(TransactionBehavior::Immediate, &mut work)
    }

    /// What the operator should know, told once: that a database was set aside.
    pub fn warning(&self) -> Option<String> {
        self.shared.warning.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn transact<T>(&self, behavior: TransactionBehavior, work: &mut dyn FnMut(&Connection) -> rusqlite::Result<T>) -> Result<T, Unkept> {
        let due = Instant::now() + PATIENCE;
        let mut open = self.shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut attempts = 0;
        loop {
            let done = self.ready(&mut open, due).and_then(|(connection, _together)| {
                let transaction = Transaction::new_unchecked(connection, behavior)?;
                let done = work(&transaction)?;
                transaction.commit()?;
                Ok(done)
            });
            let Err(unkept) = done else { return done };
            if unkept.is_busy() && Instant::now() < due {
                std::thread::sleep(PAUSE);
                continue;
            }
            attempts += 1;
            if attempts == ATTEMPTS || !(unkept.is_damage() || unkept.may_be_gone()) {
                return Err(if unkept.is_busy() { Unkept::Held(self.path().display().to_string()) } else { unkept });
            }
            *open = None;
            if unkept.is_damage() {
                self.set_aside(due)?;
            }
        }
    }

    /// The connection, to the file that has the name now; nobody replaces that while the second value lives.
    fn ready<'a>(&self, open: &'a mut Option<Open>, due: Instant) -> Result<(&'a Connection, File), Unkept> {
        if let Some(folder) = self.path().parent()
            && open.is_none()
        {
            std::fs::create_dir_all(folder).map_err(|error| Unkept::file("cannot make", folder, error))?;
        }
        for _ in 0..ATTEMPTS {
            let together = hold(self.path(), Held::Together, due)?;
            let there = file_of(self.path())?;
            if open.as_ref().map(|open| open.file) != there {
                *open = None;
            }
            if open.is_none() && there.is_some() {
                let connection = connect(self.path())?;
                match migrations::shape(&connection)? {
                    Shape::Current => *open = there.map(|file| Open { connection, file }),
                    Shape::Older => {}
                    Shape::Other(_) => {
                        drop((connection, together));
                        self.set_aside(due)?;
                        continue;
                    }
                }
            }
            if open.is_some() {
                // Asked twice, for the borrow to end where it is not given back.
                return open
                    .as_ref()
                    .map(|open| (&open.connection, together))
                    .ok_or_else(|| Unkept::Held(self.path().display().to_string()));
            }
            drop(together);
            self.make(due)?;
        }
        Err(Unkept::Held(self.path().display().to_string()))
    }

    /// Makes the file where there is none, and brings one of an older program to this one's shape.
    fn make(&self, due: Instant) -> Result<(), Unkept> {
        let _alone = hold(self.path(), Held::Alone, due)?;
        if file_of(self.path())?.is_none() {
            aside::clear_leftovers(self.path())?;
            // By us, for the mode; `SQLite` gives its other files the same.
            let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.path());
            made.map_err(|error| Unkept::file("cannot make", self.path(), error))?;
        }
        let mut connection = connect(self.path())?;
        if migrations::shape(&connection)? == Shape::Older {
            // Where it cannot be had (a network's file system), the database works without.
            connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
            migrations::apply(&mut connection)?;
        }
        Ok(())
    }

    /// Sets the file aside if it is of no use. Looked at again by who is alone: another may have put a good one there meanwhile.
    fn set_aside(&self, due: Instant) -> Result<(), Unkept> {
        let _alone = hold(self.path(), Held::Alone, due)?;
        if file_of(self.path())?.is_none() {
            return Ok(());
        }
        if let Some(why) = judge(self.path()).or_else(|unkept| if self.path().exists() { Err(unkept) } else { Ok(None) })? {
            let told = aside::set(self.path(), why, Timestamp::now())?;
            *self.shared.warning.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
        }
        Ok(())
    }
}

/// Why a file is of no use, if it is of none.
fn judge(path: &Path) -> Result<Option<Why>, Unkept> {
    let looked = connect(path).and_then(|db| {
        let first = db.pragma_query_value(None, "integrity_check", |row| row.get::<_, String>(0))?;
        Ok((migrations::shape(&db)?, first == "ok"))
    });
    match looked {
        Ok((Shape::Other(Other::Newer), _)) => Ok(Some(Why::Newer)),
        Ok((Shape::Other(Other::Foreign), _) | (_, false)) => Ok(Some(Why::Corrupt)),
        Ok((Shape::Current | Shape::Older, true)) => Ok(None),
        Err(unkept) if unkept.is_damage() => Ok(Some(Why::Corrupt)),
        Err(unkept) => Err(unkept),
    }
}

/// Which file has this name.
fn file_of(path: &Path) -> Result<Option<(u64, u64)>, Unkept> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(Some((found.dev(), found.ino()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Unkept::file("cannot read", path, error)),
    }
}

fn connect(path: &Path) -> Result<Connection, Unkept> {
    // One thread at a time has it, by the lock around it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    // A power cut may cost the last entries, never the rest; nothing here is worth waiting for a disk.
    connection.pragma_update(None, "synchronous", "normal")?;
    // Its end would take away the log by name, and the name may be another database's by then.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(connection)
}
