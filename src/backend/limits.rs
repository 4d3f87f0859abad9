//! Limits that sessions run into, told as they are run into: the kernel's counters and file systems are looked at once a second, where
//! they are this machine's, by whoever shows or writes down what happens. The engine is asked nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Backend;
use crate::kernel::{Unreadable, UsageReader};
use crate::session::{EngineEvent, EventKind, Limit, LimitHit, LimitReading, Limits, Session, labels};
use crate::units::Untrusted;

/// How often limits are looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What goes on is told again no sooner than this: a fork bomb is refused thousands of times a second.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// From where on what a session ran into is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// From its start.
    Start,
    /// From the first look on; what is reached at that moment counts.
    Now,
}

/// Sessions whose limits are watched.
pub struct LimitWatch {
    reader: Arc<UsageReader>,
    /// Whether the engine's files can be this machine's at all.
    is_local: bool,
    followed: BTreeMap<String, Followed>,
}

#[derive(Debug)]
struct Followed {
    name: Untrusted,
    since: Since,
    last: Option<LimitReading>,
    told: BTreeMap<(Limit, Untrusted), Timestamp>,
}

impl Backend {
    /// A watch over no session yet.
    pub fn limit_watch(&self) -> LimitWatch {
        LimitWatch { reader: Arc::clone(&self.usage), is_local: self.engine.endpoint().socket.is_some(), followed: BTreeMap::new() }
    }
}

impl Backend {
    /// What these sessions ran into, in the order given.
    pub async fn limits(&self, sessions: &[Session]) -> Vec<Limits> {
        let live: Vec<String> =
            sessions.iter().filter(|session| session.status.is_live()).map(|session| session.container_id.clone()).collect();
        let mut read = self.limit_readings(live).await;
        let told = |session: &Session| {
            if !session.status.is_live() {
                return Limits { hits: Vec::new(), unknown: Some("it does not run: what nobody saw meanwhile is not known".into()) };
            }
            match read.remove(&session.container_id).unwrap_or(Err(Unreadable::NotLocal)) {
                Ok(reading) => Limits { hits: reading.hits(), unknown: reading.hidden.map(Into::into) },
                Err(error) => Limits { hits: Vec::new(), unknown: Some(error.to_string().into()) },
            }
        };
        sessions.iter().map(told).collect()
    }

    async fn limit_readings(&self, ids: Vec<String>) -> BTreeMap<String, Result<LimitReading, Unreadable>> {
        if self.engine.endpoint().socket.is_none() || ids.is_empty() {
            return BTreeMap::new();
        }
        let reader = Arc::clone(&self.usage);
        let read = tokio::task::spawn_blocking(move || {
            reader.limits(&ids).into_iter().enumerate().map(|(at, read)| (ids[at].clone(), read)).collect()
        });
        read.await.unwrap_or_default()
    }
}

impl LimitWatch {
    /// Follows those of these sessions that have processes, and nobody else.
    pub fn follow_all(&mut self, sessions: &[Session], since: Since) {
        let live = || sessions.iter().filter(|session| session.status.is_live());
        self.followed.retain(|id, _| live().any(|session| session.container_id == *id));
        for session in live() {
            self.follow(&session.container_id, &format!("{}{}", labels::CONTAINER_PREFIX, session.name).into(), since);
        }
    }

    /// What the engine told of a container: one that ended, or began anew, is not followed any more.
    pub fn hear(&mut self, event: &EngineEvent) {
        if matches!(event.what, EventKind::Started | EventKind::Died { .. } | EventKind::Destroyed) {
            self.followed.remove(&event.container);
        }
        if let (EventKind::Renamed { .. }, Some(followed)) = (&event.what, self.followed.get_mut(&event.container)) {
            followed.name = event.name.clone();
        }
    }

    /// Follows one container.
    pub fn follow(&mut self, container: &str, name: &Untrusted, since: Since) {
        if self.is_local {
            let new = || Followed { name: name.clone(), since, last: None, told: BTreeMap::new() };
            self.followed.entry(container.to_owned()).or_insert_with(new);
        }
    }

    /// Looks once, and tells what was run into since the look before.
    pub async fn look(&mut self, now: Timestamp) -> Vec<EngineEvent> {
        if self.followed.is_empty() {
            return Vec::new();
        }
        let ids: Vec<String> = self.followed.keys().cloned().collect();
        let reader = Arc::clone(&self.reader);
        let read = tokio::task::spawn_blocking(move || {
            let read = reader.limits(&ids);
            ids.into_iter().zip(read).collect::<Vec<_>>()
        });
        self.told(read.await.unwrap_or_default(), now)
    }

    fn told(&mut self, read: Vec<(String, Result<LimitReading, Unreadable>)>, now: Timestamp) -> Vec<EngineEvent> {
        let mut events = Vec::new();
        for (id, reading) in read {
            let (Some(followed), Ok(reading)) = (self.followed.get_mut(&id), reading) else { continue };
            for hit in followed.hits(reading, now) {
                events.push(EngineEvent {
                    at: now,
                    container: id.clone(),
                    name: followed.name.clone(),
                    what: EventKind::LimitReached { hit },
                });
            }
        }
        events
    }
}

impl Followed {
    fn hits(&mut self, reading: LimitReading, now: Timestamp) -> Vec<LimitHit> {
        // Kernel counts that went back are of a group made anew.
        let before = self.last.take().filter(|before| before.periods <= reading.periods && before.refused <= reading.refused);
        let mut hits = match (before, self.since) {
            (Some(before), _) => reading.since(&before),
            (None, Since::Start) => reading.hits(),
            // What was counted is told already; what is full is full now.
            (None, Since::Now) => {
                let counted = LimitReading { full: BTreeMap::new(), files: None, ..reading.clone() };
                reading.since(&counted)
            }
        };
        // Held back for a second is held back hard only where it goes on.
        self.last = Some(reading);
        hits.retain(|hit| {
            let key = (hit.limit, hit.place.clone());
            let is_new = self.told.get(&key).is_none_or(|told| now.duration_since(*told) >= AGAIN);
            if is_new {
                self.told.insert(key, now);
            }
            is_new
        });
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(since: Since) -> Followed {
        Followed { name: "palisade-x".into(), since, last: None, told: BTreeMap::new() }
    }

    fn reading(refused: u64) -> LimitReading {
        LimitReading { refused, pids: Some(16), ..LimitReading::default() }
    }

    #[test]
    fn what_goes_on_is_told_once_and_again_after_a_while() {
        let mut one = followed(Since::Start);
        let mut at = |second: i64, refused| one.hits(reading(refused), Timestamp::from_second(second).unwrap()).len();
        assert_eq!([at(0, 0), at(1, 5), at(2, 9), at(3, 9), at(32, 20), at(33, 21), at(70, 21)], [0, 1, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn what_was_counted_before_is_told_to_who_watches_from_the_start_alone() {
        let now = Timestamp::UNIX_EPOCH;
        let full = LimitReading { full: BTreeMap::from([("/tmp".to_owned(), 1)]), ..reading(7) };
        assert_eq!(followed(Since::Start).hits(full.clone(), now).len(), 2);
        let told = followed(Since::Now).hits(full, now);
        assert_eq!((told.len(), told[0].limit), (1, Limit::Tmpfs));
    }
}
