//! What no supervisor could end and no engine removed: sessions that were frozen past their deadline or hid what they take, ephemeral ones that are still there, and
//! what killed managers left. Only what carries our labels.

#![expect(clippy::disallowed_methods, reason = "a deadline is compared with the present moment")]

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::Backend;
use super::leftovers::is_abandoned;
use crate::failure::{Code, Result};
use crate::session::{Kind, Session, Status};

/// An engine removes an ephemeral session within moments of its end, and `run` still asks for its exit code.
const REMOVAL_TAKES: Duration = Duration::from_mins(10);

/// What was ended or removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reaped {
    /// The session, container or volume.
    pub name: String,
    /// What was done to it: `stopped` or `removed`.
    pub done: &'static str,
    /// Why.
    pub why: String,
}

impl Backend {
    /// Ends and removes it; with `dry_run`, only says what would be.
    pub async fn reap(&self, dry_run: bool) -> Result<Vec<Reaped>> {
        let now = Timestamp::now();
        let mut reaped = Vec::new();
        let sessions = self.sessions().await?;
        if !dry_run {
            self.note_ends("reap", &sessions, &BTreeMap::new()).await;
            // A depot that cannot be read is no reason to let sessions run on; the next sweep reads it.
            if let Ok(Some(summary)) = self.cache_summary().await {
                let _ = self.note_refusals_in(&summary, &sessions).await;
            }
            self.expire_evidence().await;
        }
        for session in sessions {
            match self.reap_one(&session, now, dry_run).await {
                Ok(done) => reaped.extend(done),
                // Somebody else was quicker.
                Err(failure) if failure.code == Code::NotFound => {}
                Err(failure) => return Err(failure),
            }
        }
        for over in self.over_their_caps().await? {
            // One that has ended meanwhile is no more to be stopped.
            let Ok(session) = self.find(&over.container).await else { continue };
            if !session.status.is_live() {
                continue;
            }
            let why = format!("its files take {}, more than the {} that stop it", over.bytes, over.cap);
            if !dry_run {
                // What its supervisor did not see it may not hear of either.
                self.stop(&over.container, Some(0)).await?;
                self.record("reap", &session, json!({ "done": "stopped", "why": why }));
            }
            reaped.push(Reaped { name: session.name.to_string(), done: "stopped", why });
        }
        let left: Vec<String> = if dry_run {
            let containers = self.engine.our_containers().await?;
            containers.iter().filter(|container| is_abandoned(container)).map(|container| format!("container {}", container.name)).collect()
        } else {
            self.clear_up().await?
        };
        let why = "whoever made it was ended before it was done with it";
        reaped.extend(left.into_iter().map(|name| Reaped { name, done: "removed", why: why.to_owned() }));
        Ok(reaped)
    }

    async fn reap_one(&self, session: &Session, now: Timestamp, dry_run: bool) -> Result<Option<Reaped>> {
        let (done, why) = if session.status == Status::Paused && self.is_past_its_deadline(session, now).await? {
            if !dry_run {
                // No grace: its time is over, and it is frozen.
                self.stop(&session.container_id, Some(0)).await?;
            }
            ("stopped", "its deadline passed while it was paused")
        } else if is_left(session, now) {
            if !dry_run {
                self.remove(&session.container_id, true).await?;
            }
            ("removed", "it is ephemeral and has ended, and the engine did not remove it")
        } else {
            return Ok(None);
        };
        if !dry_run {
            self.record("reap", session, json!({ "done": done, "why": why }));
        }
        Ok(Some(Reaped { name: session.name.to_string(), done, why: why.to_owned() }))
    }

    async fn is_past_its_deadline(&self, session: &Session, now: Timestamp) -> Result<bool> {
        let facts = self.engine.inspect(&session.container_id).await?;
        Ok(self.life(session, &facts).await.deadline.is_some_and(|deadline| deadline < now))
    }
}

/// Whether an ephemeral session is still there that the engine should have removed.
pub(super) fn is_left(session: &Session, now: Timestamp) -> bool {
    // One that is dead is among what was abandoned.
    let has_ended = session.status == Status::Exited;
    // Of one that was started long ago the engine may be about to remove what ended just now; the next sweep finds the rest.
    session.kind == Kind::Ephemeral && has_ended && now.duration_since(session.created).unsigned_abs() > REMOVAL_TAKES
}
