use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;

use crate::depot::names::Project;
use crate::depot::token::Claims;
use crate::units::SessionId;

/// Answers on their way at once for one session; further requests wait their turn.
const REQUESTS: usize = 32;
/// Artifacts fetched at once for one session.
const FETCHES: usize = 16;
/// Queries of one session at once, bodies that still arrive included: a client has one.
const QUERIES: usize = 1;
/// Connections of one session. Its relay keeps to half as many.
const CONNECTIONS: usize = 128;

/// What sessions hold while they are connected.
#[derive(Default)]
pub struct Sessions(Mutex<HashMap<SessionId, Arc<Bounds>>>);

/// What one session may hold, however many connections it has.
pub struct Bounds {
    /// Answers.
    pub requests: Arc<Semaphore>,
    /// Fetches.
    pub fetches: Arc<Semaphore>,
    /// Queries.
    pub queries: Arc<Semaphore>,
    connections: AtomicUsize,
}

/// One connection of a session whose token was right.
pub struct Session {
    /// What its token says.
    pub claims: Claims,
    /// Shared by its connections.
    pub bounds: Arc<Bounds>,
}

impl Sessions {
    /// Takes up a connection; `None` where the session has as many as it may.
    pub fn enter(&self, claims: Claims) -> Option<Session> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that left long ago are let go while the lock is held anyway; the map is as large as what is connected.
        if sessions.len() > 64 {
            sessions.retain(|_, bounds| Arc::strong_count(bounds) > 1);
        }
        let bounds = sessions.entry(claims.session).or_insert_with(|| {
            let semaphore = |permits| Arc::new(Semaphore::new(permits));
            Arc::new(Bounds {
                requests: semaphore(REQUESTS),
                fetches: semaphore(FETCHES),
                queries: semaphore(QUERIES),
                connections: AtomicUsize::new(0),
            })
        });
        let bounds = Arc::clone(bounds);
        drop(sessions);
        if bounds.connections.fetch_add(1, Ordering::Relaxed) >= CONNECTIONS {
            bounds.connections.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Session { claims, bounds })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.bounds.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Session {
    /// The moment after which a project's files are too young for this session; `None` where none is.
    pub fn not_after(&self, project: &Project, now: Timestamp) -> Option<Timestamp> {
        let age = self.claims.min_age.get();
        let either = &project.name;
        let named = project.to_string();
        if age == 0 || self.claims.min_age_allow.iter().any(|allowed| allowed == either || *allowed == named) {
            return None;
        }
        let age = SignedDuration::from_secs(i64::try_from(age).unwrap_or(i64::MAX));
        Some(now.saturating_sub(age).unwrap_or(Timestamp::MIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::depot::promise::Ecosystem;
    use crate::units::Seconds;

    fn claims(min_age: u64, allow: &[&str]) -> Claims {
        Claims {
            session: SessionId::NIL,
            min_age: Seconds::new(min_age),
            min_age_allow: allow.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn a_session_has_so_many_connections_and_gets_them_back() {
        let sessions = Sessions::default();
        let mut held: Vec<_> = (0..CONNECTIONS).map(|_| sessions.enter(claims(0, &[])).unwrap()).collect();
        assert!(sessions.enter(claims(0, &[])).is_none());
        held.pop();
        assert!(sessions.enter(claims(0, &[])).is_some());
    }

    #[test]
    fn an_age_counts_from_now_and_not_for_what_is_allowed() {
        let sessions = Sessions::default();
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(100);
        let project = |ecosystem, name: &str| Project { ecosystem, name: name.to_owned() };
        let session = sessions.enter(claims(3600, &["npm:left-pad", "six"])).unwrap();
        assert_eq!(session.not_after(&project(Ecosystem::Npm, "express"), now), Some(now - SignedDuration::from_hours(1)));
        assert_eq!(session.not_after(&project(Ecosystem::Npm, "left-pad"), now), None);
        assert!(session.not_after(&project(Ecosystem::Pypi, "left-pad"), now).is_some());
        assert_eq!(session.not_after(&project(Ecosystem::Pypi, "six"), now), None);
        let session = sessions.enter(claims(u64::MAX, &[])).unwrap();
        assert_eq!(session.not_after(&project(Ecosystem::Pypi, "six"), now), Some(Timestamp::MIN));
    }
}
