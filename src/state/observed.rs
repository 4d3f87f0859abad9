//! What was last written into the audit log of what is seen of sessions, so that it is written again only when it is another.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::units::SessionId;

pub(super) const TABLE: &str = "
    CREATE TABLE observed (
        session TEXT NOT NULL,
        what TEXT NOT NULL,
        value TEXT NOT NULL,
        seen_ms INTEGER NOT NULL,
        PRIMARY KEY (session, what)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE refused (
        session TEXT PRIMARY KEY,
        rejected INTEGER NOT NULL,
        denied INTEGER NOT NULL,
        seen_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// What is seen of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// How it measures and stands to its plan.
    Verdict,
    /// What its plan would be today.
    Plan,
}

impl What {
    const fn word(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Plan => "plan",
        }
    }
}

/// How many requests the depot refused a session, as far as the audit log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refused {
    /// What registries sent was not what they had promised.
    pub rejected: u64,
    /// The depot's own rules forbade it.
    pub denied: u64,
}

/// What was seen last; `None` before anything but the usual was.
pub fn last(db: &Connection, session: SessionId, what: What) -> Result<Option<String>> {
    let found =
        db.query_row("SELECT value FROM observed WHERE session = ?1 AND what = ?2", params![session.to_string(), what.word()], |row| {
            row.get(0)
        });
    found.optional()
}

/// This is seen.
pub fn saw(db: &Connection, session: SessionId, what: What, value: &str, now: Timestamp) -> Result<()> {
    db.execute(
        "INSERT INTO observed (session, what, value, seen_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (session, what) DO UPDATE SET value = ?3, seen_ms = ?4",
        params![session.to_string(), what.word(), value, now.as_millisecond()],
    )
    .map(drop)
}

/// What the log tells of a session's refusals.
pub fn refused(db: &Connection, session: SessionId) -> Result<Refused> {
    let found = db.query_row("SELECT rejected, denied FROM refused WHERE session = ?1", [session.to_string()], |row| {
        let number = |at| row.get::<_, i64>(at).map(|number| u64::try_from(number).unwrap_or(0));
        Ok(Refused { rejected: number(0)?, denied: number(1)? })
    });
    Ok(found.optional()?.unwrap_or_default())
}

/// The log tells of so many. Stays when the session goes: the depot counts it for longer.
pub fn told(db: &Connection, session: SessionId, refused: Refused, now: Timestamp) -> Result<()> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    db.execute(
        "INSERT INTO refused (session, rejected, denied, seen_ms) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (session) DO UPDATE SET rejected = ?2, denied = ?3, seen_ms = ?4",
        params![session.to_string(), number(refused.rejected), number(refused.denied), now.as_millisecond()],
    )
    .map(drop)
}

/// A session is gone.
pub fn forget(db: &Connection, session: SessionId) -> Result<()> {
    db.execute("DELETE FROM observed WHERE session = ?1", [session.to_string()]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_last_stays_until_its_session_goes_and_what_was_refused_for_longer() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(TABLE).unwrap();
        let (one, other, now) = (SessionId::from_parts(1, 1), SessionId::from_parts(1, 2), Timestamp::UNIX_EPOCH);
        assert_eq!(last(&db, one, What::Verdict).unwrap(), None);
        for value in ["weaker", "fine"] {
            saw(&db, one, What::Verdict, value, now).unwrap();
        }
        saw(&db, one, What::Plan, "sha", now).unwrap();
        assert_eq!(last(&db, one, What::Verdict).unwrap().as_deref(), Some("fine"));
        assert_eq!((last(&db, one, What::Plan).unwrap().as_deref(), last(&db, other, What::Plan).unwrap()), (Some("sha"), None));
        let two = Refused { rejected: 2, denied: 1 };
        told(&db, one, two, now).unwrap();
        forget(&db, one).unwrap();
        assert_eq!(last(&db, one, What::Plan).unwrap(), None);
        assert_eq!((refused(&db, one).unwrap(), refused(&db, other).unwrap()), (two, Refused::default()));
    }
}
