//! How long a session lives, and moving its deadline. The supervisor keeps both; what is kept here is the key that it listens to.

#![expect(clippy::disallowed_methods, reason = "a deadline is so long from now")]

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::Backend;
use super::terminals::unexpected;
use crate::failure::{Code, Failure, Result};
use crate::session::{ContainerFacts, Session, Status, labels};
use crate::state::sessions::{self, Kept};
use crate::supervisor::life::proof;
use crate::terminal::wire::{Refusal, Told, Want, Why};
use crate::units::{Seconds, Untrusted};

/// How long a session lives, and how it was last used from this machine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Life {
    /// Seconds that it may run from each start; 0 for as long as it likes.
    pub ttl: Seconds,
    /// Seconds that nobody may use it; 0 for as long as it likes.
    pub idle: Seconds,
    /// When it is stopped, while it runs and as far as that is known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// When it was last used from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Timestamp>,
    /// How.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_use: Option<String>,
    /// What it was called before, the first name first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former_names: Vec<String>,
}

/// A session whose deadline was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewed {
    /// The session.
    pub session: Session,
    /// When it is stopped now; `None` where only its idleness begins anew.
    pub deadline: Option<Timestamp>,
}

impl Backend {
    /// Moves the deadline of a running session: to so long from now, or as long as it had from its start.
    pub async fn renew(&self, who: &str, ttl: Option<Seconds>) -> Result<Renewed> {
        let (session, _) = self.running(who).await?;
        let id = session.id;
        let key = self.kept(move |state| state.read(|db| sessions::key(db, id))).await.flatten();
        let Some(key) = key else { return Err(no_key(&session, "no key that renews it is kept here")) };
        let mut asked = self.ask_supervisor(&session.container_id, Want::Life).await?;
        let challenge = match asked.answer().await? {
            Some(Told::Life(life)) => life.challenge,
            other => return Err(unexpected(session.name.as_str(), other)),
        };
        let ttl_s = ttl.map(Seconds::get);
        let proof = proof::make(&key, &challenge, ttl_s);
        // A peer that is gone already says why in what it wrote.
        let _ = asked.ask(Want::Renew { ttl_s, proof }).await;
        let life = match asked.answer().await? {
            Some(Told::Life(life)) => life,
            Some(Told::Refused(Refusal { why: Why::Denied, message })) => return Err(no_key(&session, &message)),
            other => return Err(unexpected(session.name.as_str(), other)),
        };
        let now = Timestamp::now();
        let deadline = life.left_s.and_then(|left| now.checked_add(Seconds::new(left).duration()).ok());
        let who = self.who(&session);
        self.kept(move |state| state.write(|db| sessions::renewed(db, &who, deadline, now))).await;
        self.record("renew", &session, json!({ "ttl": ttl, "deadline": deadline }));
        Ok(Renewed { session, deadline })
    }

    /// How long a session lives, by its labels and by what is kept.
    pub(super) async fn life(&self, session: &Session, facts: &ContainerFacts) -> Life {
        let id = session.id;
        // Looking makes no database.
        let kept =
            if self.state.path().exists() { self.kept(move |state| state.read(|db| sessions::find(db, id))).await.flatten() } else { None };
        life(facts, kept, session.status.is_live())
    }

    /// The same of many.
    pub async fn lives(&self, containers: &[Arc<ContainerFacts>]) -> Vec<Life> {
        let engine = self.engine.endpoint().uri.clone();
        let kept = if self.state.path().exists() {
            self.kept(move |state| state.read(|db| sessions::all(db, &engine))).await.unwrap_or_default()
        } else {
            Vec::new()
        };
        let of = |facts: &ContainerFacts| {
            let id = facts.labels.get(labels::ID).map(|id| id.raw().to_owned())?;
            kept.iter().find(|kept| kept.who.id.to_string() == id).cloned()
        };
        containers.iter().map(|facts| life(facts, of(facts), facts.status.is_some_and(Status::is_live))).collect()
    }
}

fn life(facts: &ContainerFacts, kept: Option<Kept>, is_live: bool) -> Life {
    let (ttl, idle) = spans_of(facts);
    let mut life = Life { ttl, idle, ..Life::default() };
    // From the engine, as far as it knows; a renewal it does not know of.
    let from_start = facts.started.filter(|_| ttl.get() > 0).and_then(|started| started.checked_add(ttl.duration()).ok());
    life.deadline = kept
        .as_ref()
        .and_then(|kept| kept.deadline)
        .filter(|at| facts.started.is_none_or(|started| *at > started))
        .or(from_start)
        .filter(|_| is_live);
    if let Some(kept) = kept {
        (life.last_use, life.last_used) = kept.last_use.unzip();
        life.former_names = kept.names.into_iter().map(|(name, _)| name).collect();
    }
    life
}

/// How long a session may run and be unused, as its labels say.
pub(super) fn spans_of(facts: &ContainerFacts) -> (Seconds, Seconds) {
    let label = |name| facts.labels.get(name).map(Untrusted::raw).and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
    (label(labels::TTL), label(labels::IDLE))
}

fn no_key(session: &Session, why: &str) -> Failure {
    let name = &session.name;
    Failure::new(Code::Refused, format!("'{name}' cannot be renewed from here: {}", crate::units::sanitise(why)))
        .detail("its key is kept by whoever launched or started it last, and lost with their state database")
        .hint(format!("begin its time anew, with its home and caches: palisade restart {name}"))
}
