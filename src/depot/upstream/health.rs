use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// For this long after a failure nobody asks again for what is kept: while a registry is away, every request for a stored
/// package is answered at once, instead of after a timeout each.
const REST: SignedDuration = SignedDuration::from_secs(5);

/// Whether a registry answers, as far as the last requests showed.
#[derive(Debug, Default)]
pub struct Health(Mutex<Option<Away>>);

#[derive(Debug, Clone)]
struct Away {
    since: Timestamp,
    last: Timestamp,
    reason: String,
}

impl Health {
    /// It answered.
    pub fn answered(&self) {
        *self.state() = None;
    }

    /// It did not.
    pub fn failed(&self, now: Timestamp, reason: &str) {
        let mut state = self.state();
        let since = state.as_ref().map_or(now, |away| away.since);
        *state = Some(Away { since, last: now, reason: reason.to_owned() });
    }

    /// Why it need not be asked just now.
    pub fn known_away(&self, now: Timestamp) -> Option<String> {
        self.state().as_ref().filter(|away| now.duration_since(away.last) < REST).map(|away| away.reason.clone())
    }

    /// Since when it has been away, and how that showed.
    pub fn away(&self) -> Option<(Timestamp, String)> {
        self.state().as_ref().map(|away| (away.since, away.reason.clone()))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Option<Away>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_failed_is_left_alone_for_a_moment_and_remembered_until_it_answers() {
        let health = Health::default();
        let then = Timestamp::UNIX_EPOCH;
        health.failed(then, "no route");
        assert_eq!(health.known_away(then + SignedDuration::from_secs(4)).as_deref(), Some("no route"));
        let later = then + REST;
        assert_eq!(health.known_away(later), None);
        health.failed(later, "timed out");
        assert_eq!(health.away(), Some((then, "timed out".to_owned())));
        health.answered();
        assert_eq!(health.away(), None);
    }
}
