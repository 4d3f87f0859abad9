use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{limits, observed, sessions};

/// Each is applied once, in this order, and never changed: what is to be different comes as one more at the end.
const ALL: &[&str] = &[sessions::TABLE, limits::TABLE, observed::TABLE];

/// `PALI`: by this a database says that it is ours.
const OURS: i32 = 0x5041_4c49;

/// What a database is to this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// As this program needs it.
    Current,
    /// Empty, or of an older program.
    Older,
    /// Of a newer program, or of one that is not palisade.
    Other(Other),
}

/// Why a database is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// A newer palisade has changed it in ways that this one does not know.
    Newer,
    /// It was never palisade's.
    Foreign,
}

/// What a database is.
pub fn shape(db: &Connection) -> rusqlite::Result<Shape> {
    let number = |name| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (owner, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (owner, usize::try_from(version)) {
        (0, Ok(0)) if tables == 0 => Shape::Older,
        (OURS, Ok(version)) if version == ALL.len() => Shape::Current,
        (OURS, Ok(version)) if version > ALL.len() => Shape::Other(Other::Newer),
        (OURS, Ok(_)) => Shape::Older,
        _ => Shape::Other(Other::Foreign),
    })
}

/// Brings it to this program's shape, all or nothing.
pub fn apply(db: &mut Connection) -> rusqlite::Result<()> {
    let transaction = Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
    let version: i32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for migration in ALL.iter().skip(usize::try_from(version).unwrap_or(0)) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", OURS)?;
    transaction.pragma_update(None, "user_version", i32::try_from(ALL.len()).unwrap_or(i32::MAX))?;
    transaction.commit()
}
