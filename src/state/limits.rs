//! The limits that sessions ran into, as whoever watched them saw it: the kernel's counts end with the container's group.

use jiff::Timestamp;
use rusqlite::{Connection, Result, params};

use crate::session::{Limit, LimitHit};

pub(super) const TABLE: &str = "
    CREATE TABLE limits (
        container TEXT NOT NULL,
        name TEXT NOT NULL,
        place TEXT NOT NULL,
        count INTEGER NOT NULL,
        bound INTEGER,
        seen_ms INTEGER NOT NULL,
        PRIMARY KEY (container, name, place)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX limits_by_time ON limits (seen_ms);
";

/// What nobody has seen for so long goes: of containers that others removed nobody tells us.
const KEPT_MS: i64 = 90 * 24 * 3600 * 1000;

/// A limit was run into. Several who watch see the same: of their counts the highest stays.
pub fn saw(db: &Connection, container: &str, hit: &LimitHit, now: Timestamp) -> Result<()> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let now = now.as_millisecond();
    db.execute("DELETE FROM limits WHERE seen_ms < ?1", [now.saturating_sub(KEPT_MS)])?;
    db.execute(
        "INSERT INTO limits (container, name, place, count, bound, seen_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (container, name, place) DO UPDATE SET count = max(count, ?4), bound = coalesce(?5, bound), seen_ms = ?6",
        params![container, hit.limit.name(), hit.place.raw(), number(hit.count), hit.bound.map(number), now],
    )?;
    Ok(())
}

/// What a container ran into. A limit of a newer palisade's is passed over.
pub fn of(db: &Connection, container: &str) -> Result<Vec<LimitHit>> {
    let mut rows = db.prepare("SELECT name, place, count, bound FROM limits WHERE container = ?1 ORDER BY seen_ms, name, place")?;
    let hits = rows.query_map([container], |row| {
        let (name, place): (String, String) = (row.get(0)?, row.get(1)?);
        let (count, bound): (i64, Option<i64>) = (row.get(2)?, row.get(3)?);
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        Ok(Limit::named(&name).map(|limit| LimitHit { limit, place: place.into(), count: number(count), bound: bound.map(number) }))
    })?;
    hits.filter_map(Result::transpose).collect()
}

/// A container is gone.
pub fn forget(db: &Connection, container: &str) -> Result<()> {
    db.execute("DELETE FROM limits WHERE container = ?1", [container]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_several_saw_the_highest_count_stays_until_the_container_goes() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(TABLE).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        let hit = |count, place: &str| LimitHit { limit: Limit::Tmpfs, place: place.into(), count, bound: Some(1 << 20) };
        for (second, count, place) in [(1, 2, "/tmp"), (2, 7, "/tmp"), (3, 5, "/tmp"), (4, 1, "/run")] {
            saw(&db, "a", &hit(count, place), at(second)).unwrap();
        }
        assert_eq!(of(&db, "a").unwrap(), [hit(7, "/tmp"), hit(1, "/run")]);
        assert_eq!(of(&db, "b").unwrap(), []);
        saw(&db, "b", &hit(1, "/tmp"), at(100 * 24 * 3600)).unwrap();
        assert_eq!(of(&db, "a").unwrap(), [], "seen too long ago");
        forget(&db, "b").unwrap();
        assert_eq!(of(&db, "b").unwrap(), []);
    }
}
