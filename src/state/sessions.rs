//! What happened to sessions that exist: their last use, their names, and what renews them.

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Result, Row, params};

use crate::units::SessionId;

pub(super) const TABLE: &str = "
    CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        engine TEXT NOT NULL,
        name TEXT NOT NULL,
        seen_ms INTEGER NOT NULL,
        last_use TEXT,
        last_use_ms INTEGER,
        last_attach_ms INTEGER,
        deadline_ms INTEGER,
        renewal_key BLOB
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE renames (
        session TEXT NOT NULL,
        time_ms INTEGER NOT NULL,
        old TEXT NOT NULL,
        new TEXT NOT NULL
    ) STRICT;
    CREATE INDEX renames_by_session ON renames (session, time_ms);
";

/// A session, for those who write about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// Its id.
    pub id: SessionId,
    /// Which engine has it.
    pub engine: String,
    /// What it is called now.
    pub name: String,
}

/// How a session is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It began, for the first time or again.
    Start,
    /// Somebody looks at one of its terminals.
    Attach,
    /// A command in it.
    Exec,
    /// Its deadline was moved.
    Renew,
}

impl Use {
    const fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Attach => "attach",
            Self::Exec => "exec",
            Self::Renew => "renew",
        }
    }
}

/// What is kept of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Which.
    pub who: Who,
    /// How it was last used from here, and when.
    pub last_use: Option<(String, Timestamp)>,
    /// When somebody last looked at one of its terminals.
    pub last_attach: Option<Timestamp>,
    /// When it will be stopped, as far as it was told here.
    pub deadline: Option<Timestamp>,
    /// What it was called before, the first name first, with the time of the change.
    pub names: Vec<(String, Timestamp)>,
}

/// A session begins: with a new key, which renews it, and a new deadline.
pub fn began(db: &Connection, who: &Who, key: &[u8], deadline: Option<Timestamp>, now: Timestamp) -> Result<()> {
    used(db, who, Use::Start, now)?;
    let deadline = deadline.map(Timestamp::as_millisecond);
    db.execute("UPDATE sessions SET renewal_key = ?2, deadline_ms = ?3 WHERE id = ?1", params![who.id.to_string(), key, deadline])?;
    Ok(())
}

/// A session is used.
pub fn used(db: &Connection, who: &Who, how: Use, now: Timestamp) -> Result<()> {
    let (word, now) = (how.word(), now.as_millisecond());
    let attached = (how == Use::Attach).then_some(now);
    db.execute(
        "INSERT INTO sessions (id, engine, name, seen_ms, last_use, last_use_ms, last_attach_ms) VALUES (?1, ?2, ?3, ?5, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET engine = ?2, name = ?3, seen_ms = ?5, last_use = ?4, last_use_ms = ?5,
             last_attach_ms = coalesce(?6, last_attach_ms)",
        params![who.id.to_string(), who.engine, who.name, word, now, attached],
    )?;
    Ok(())
}

/// The deadline of a session was moved.
pub fn renewed(db: &Connection, who: &Who, deadline: Option<Timestamp>, now: Timestamp) -> Result<()> {
    used(db, who, Use::Renew, now)?;
    let deadline = deadline.map(Timestamp::as_millisecond);
    db.execute("UPDATE sessions SET deadline_ms = ?2 WHERE id = ?1", params![who.id.to_string(), deadline])?;
    Ok(())
}

/// A session is called something else: `who` as it was.
pub fn renamed(db: &Connection, who: &Who, new: &str, now: Timestamp) -> Result<()> {
    let (id, now) = (who.id.to_string(), now.as_millisecond());
    db.execute(
        "INSERT INTO sessions (id, engine, name, seen_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET engine = ?2, name = ?3, seen_ms = ?4",
        params![id, who.engine, new, now],
    )?;
    db.execute("INSERT INTO renames (session, time_ms, old, new) VALUES (?1, ?2, ?3, ?4)", params![id, now, who.name, new])?;
    Ok(())
}

/// What a session was called last by whoever renamed it from here; `None` where nobody did.
pub fn called(db: &Connection, id: SessionId) -> Result<Option<String>> {
    let found =
        db.query_row("SELECT new FROM renames WHERE session = ?1 ORDER BY time_ms DESC, rowid DESC LIMIT 1", [id.to_string()], |row| {
            row.get(0)
        });
    found.optional()
}

/// The key that renews a session.
pub fn key(db: &Connection, id: SessionId) -> Result<Option<Vec<u8>>> {
    let found = db.query_row("SELECT renewal_key FROM sessions WHERE id = ?1", [id.to_string()], |row| row.get(0));
    Ok(found.optional()?.flatten())
}

/// What is kept of a session.
pub fn find(db: &Connection, id: SessionId) -> Result<Option<Kept>> {
    let mut rows = db.prepare(&format!("{COLUMNS} WHERE id = ?1"))?;
    let Some(mut kept) = rows.query_row([id.to_string()], kept).optional()? else { return Ok(None) };
    let mut renames = db.prepare("SELECT old, time_ms FROM renames WHERE session = ?1 ORDER BY time_ms, rowid")?;
    kept.names = renames.query_map([id.to_string()], |row| Ok((row.get(0)?, moment(row, 1)?)))?.collect::<Result<_>>()?;
    Ok(Some(kept))
}

/// What is kept of every session of an engine, without their former names.
pub fn all(db: &Connection, engine: &str) -> Result<Vec<Kept>> {
    let mut rows = db.prepare(&format!("{COLUMNS} WHERE engine = ?1"))?;
    rows.query_map([engine], kept)?.collect()
}

/// A session is gone.
pub fn forget(db: &Connection, id: SessionId) -> Result<()> {
    db.execute("DELETE FROM renames WHERE session = ?1", [id.to_string()])?;
    db.execute("DELETE FROM sessions WHERE id = ?1", [id.to_string()])?;
    Ok(())
}

const COLUMNS: &str = "SELECT id, engine, name, last_use, last_use_ms, last_attach_ms, deadline_ms FROM sessions";

fn kept(row: &Row<'_>) -> Result<Kept> {
    let id: String = row.get(0)?;
    let id = id.parse().map_err(|error| Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))?;
    let last_use: Option<String> = row.get(3)?;
    Ok(Kept {
        who: Who { id, engine: row.get(1)?, name: row.get(2)? },
        last_use: last_use.zip(moment_or_none(row, 4)?),
        last_attach: moment_or_none(row, 5)?,
        deadline: moment_or_none(row, 6)?,
        names: Vec::new(),
    })
}

fn moment(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    read_moment(column, row.get(column)?)
}

fn moment_or_none(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column)?.map(|ms| read_moment(column, ms)).transpose()
}

fn read_moment(column: usize, ms: i64) -> Result<Timestamp> {
    Timestamp::from_millisecond(ms).map_err(|error| Error::FromSqlConversionFailure(column, Type::Integer, Box::new(error)))
}
