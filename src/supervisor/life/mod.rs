//! How long the session lives: its deadline, and that somebody uses it.
//!
//! Both are kept here, inside, so that they hold when no manager is there. What moves the deadline is a key that came through the gate
//! and never leaves this process, which the sandbox's processes cannot look into; whoever asks proves to have it without showing it, because
//! the way to ask leads through the sandbox.

mod activity;
/// Proving to have a key without showing it.
pub mod proof;
mod span;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::terminal::wire;
use crate::units::{Seconds, hex};
use activity::Activity;
pub(super) use activity::cpu;
pub use span::Due;
use span::Span;

/// A session's life, shared by who keeps it and who answers about it.
#[derive(Clone)]
pub struct Life {
    kept: Arc<Mutex<Kept>>,
    changed: Arc<Notify>,
}

/// Somebody from outside is there for as long as this is.
pub struct Visit(#[expect(dead_code, reason = "it is counted")] Arc<()>);

struct Kept {
    /// One more of it for each visit.
    visits: Arc<()>,
    span: Span,
    key: Option<Vec<u8>>,
    asked: u64,
    activity: Activity,
}

impl Life {
    /// From now on.
    pub fn new(ttl: Option<Duration>, unused: Option<Duration>, key: Option<Vec<u8>>) -> Self {
        let now = Instant::now();
        let kept = Kept { visits: Arc::default(), span: Span::new(ttl, unused, now), key, asked: 0, activity: Activity::new(now) };
        Self { kept: Arc::new(Mutex::new(kept)), changed: Arc::default() }
    }

    /// Has whoever keeps it look, for something else that is due.
    pub fn wake(&self) {
        self.changed.notify_one();
    }

    /// Waits until the deadline was moved, or there is something to look at.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// When to look again.
    pub fn next(&self) -> Option<Instant> {
        self.with(|kept| kept.span.next())
    }

    /// The deadline.
    pub fn ends(&self) -> Option<Instant> {
        self.with(|kept| kept.span.ends())
    }

    /// What is due now.
    pub fn look(&self) -> Due {
        self.with(|kept| {
            let now = Instant::now();
            let Kept { visits, span, activity, .. } = kept;
            span.look(now, || activity.is_quiet(now) && Arc::strong_count(visits) == 1)
        })
    }

    /// Whether somebody is there who came by no exec.
    #[cfg(test)]
    pub fn is_visited(&self) -> bool {
        self.with(|kept| Arc::strong_count(&kept.visits) > 1)
    }

    /// Somebody has come by no exec, which would be seen.
    pub fn visit(&self) -> Visit {
        self.with(|kept| Visit(Arc::clone(&kept.visits)))
    }

    /// What is told, with a challenge that is never told again.
    pub fn tell(&self) -> wire::Life {
        self.with(|kept| {
            kept.asked += 1;
            let challenge = kept.key.as_ref().map(|key| hex(&proof::challenge(key, kept.asked))).unwrap_or_default();
            wire::Life { challenge, ..kept.span.told(Instant::now()) }
        })
    }

    /// Moves the deadline for whoever proves to have the key; otherwise why not.
    pub fn renew(&self, challenge: &str, ttl_s: Option<u64>, proof: &str) -> Result<wire::Life, String> {
        let life = self.with(|kept| {
            let key = kept.key.as_ref().filter(|_| !challenge.is_empty()).ok_or("nothing renews this run of it")?;
            if !proof::holds(key, challenge, ttl_s, proof) {
                return Err("whoever asks does not have the key that renews it".to_owned());
            }
            let now = Instant::now();
            kept.span.renew(ttl_s.map(|seconds| Seconds::new(seconds).duration()), now)?;
            Ok(kept.span.told(now))
        })?;
        self.changed.notify_one();
        Ok(life)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
