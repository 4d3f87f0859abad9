//! What is seen of sessions by the way, written into the audit log where it is another than what was written last: how they measure, what
//! their plans would be today, what the depot refused them. Whoever notices writes it down, however many notice.

#![expect(clippy::disallowed_methods, reason = "what is seen has a time")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Backend;
use super::drift::Made;
use crate::audit_log::{Deed, Subject};
use crate::depot::ledger::{Summary, refused};
use crate::failure::Result;
use crate::policy::Posture;
use crate::policy::drift::{Standing, Terms, outdated};
use crate::session::{ContainerFacts, Session, Status};
use crate::state::Database;
use crate::state::observed::{self, Refused, What};
use crate::units::SessionId;

/// Refusals that one entry lists: a sandbox can have as many as it likes.
const LISTED: usize = 50;

/// What this process knows to be written already.
#[derive(Debug, Default)]
pub(super) struct Noticed(Mutex<BTreeMap<(SessionId, What), String>>);

/// How a session measures and stands, in one line that is another only where that is. What could not be read says nothing.
fn verdict(posture: &Posture, standing: &Standing) -> String {
    let mut line = String::new();
    for control in posture.failing() {
        let _ = write!(line, "{}={} ", control.control, control.verdict);
    }
    let escaping: BTreeSet<String> = posture.deviants.iter().map(|deviant| deviant.control.to_string()).collect();
    for control in escaping {
        let _ = write!(line, "process:{control} ");
    }
    for (side, differences) in [("drifted", &standing.drifted), ("outdated", &standing.outdated)] {
        for difference in differences {
            let _ = write!(line, "{side}:{}={} ", difference.field, difference.now.raw());
        }
    }
    line
}

impl Backend {
    /// The operator measured a session: that is written down whatever came of it.
    pub(super) async fn was_verified(&self, session: &Session, posture: &Posture, standing: &Standing) {
        self.record("verify", session, json!({ "posture": posture, "drift": standing }));
        self.evidently(session, posture).await;
        self.now_known(session, What::Verdict, verdict(posture, standing)).await;
    }

    /// A session was measured for another reason: only what is another than before is written down.
    pub async fn noticed(&self, facts: &ContainerFacts, posture: &Posture, standing: &Standing) {
        // Of what does not run nothing is measured.
        let Some(session) = super::listing::session_from_facts(facts).filter(|_| facts.status == Some(Status::Running)) else { return };
        let detail = || json!({ "posture": posture, "drift": standing, "changed": true });
        if self.changed(&session, What::Verdict, verdict(posture, standing), String::new(), "verify", |_| detail()).await {
            self.evidently(&session, posture).await;
        }
    }

    /// Today's plan for a session was looked up.
    pub(super) async fn planned(&self, made: &Made, facts: &ContainerFacts, today: &Terms) {
        let Some(session) = super::listing::session_from_facts(facts) else { return };
        let (usual, differs) = (made.terms.digest(), outdated(&made.terms, today));
        let value = if differs.is_empty() { usual.clone() } else { today.digest() };
        let profile = &made.asked.profile;
        let detail = |before: &str| json!({ "profile": profile, "then": before, "now": value, "differs": differs });
        self.changed(&session, What::Plan, value.clone(), usual, "policy", detail).await;
    }

    /// Writes down what is another than what was written last, or than what is usual where nothing was. Whether it was.
    async fn changed(
        &self,
        session: &Session,
        what: What,
        value: String,
        usual: String,
        action: &'static str,
        detail: impl Fn(&str) -> Value + Send,
    ) -> bool {
        let (id, key) = (session.id, (session.id, what));
        let is_known = |value: &String| self.noticed.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) == Some(value);
        // Where there is no state, nothing but the usual was ever seen.
        if id == SessionId::NIL || is_known(&value) || (value == usual && !self.state.path().exists()) {
            return false;
        }
        let before = self.kept(move |state| state.read(|db| observed::last(db, id, what))).await;
        let Some(before) = before.map(|before| before.unwrap_or(usual)) else { return false };
        let mut written = false;
        if before != value {
            let (log, detail) = (self.audit_log(), detail(&before));
            let deed = Deed { action, session: Some(Subject { id: id.to_string(), name: session.name.to_string() }), detail };
            let (now, value) = (Timestamp::now(), value.clone());
            let write = move |state: &Database| {
                let mut told: Option<std::io::Result<()>> = None;
                state.write(|db| {
                    // Another may have seen it meanwhile.
                    if observed::last(db, id, what)?.is_none_or(|last| last == before) {
                        told.get_or_insert_with(|| log.append(&deed, now).map(drop));
                        observed::saw(db, id, what, &value, now)?;
                    }
                    Ok(())
                })?;
                Ok(told)
            };
            match self.kept(write).await.flatten() {
                Some(Ok(())) => written = true,
                Some(Err(error)) => self.warn(format!("'{action}' is not in the audit log: {error}")),
                None => {}
            }
        }
        self.noticed.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, value);
        written
    }

    /// What stands in the log already.
    async fn now_known(&self, session: &Session, what: What, value: String) {
        let (id, now) = (session.id, Timestamp::now());
        let key = (id, what);
        let is_known = self.noticed.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, value.clone()).as_ref() == Some(&value);
        if id != SessionId::NIL && !is_known && (!value.is_empty() || self.state.path().exists()) {
            self.kept(move |state| state.write(|db| observed::saw(db, id, what, &value, now))).await;
        }
    }

    /// What the depot refused a session, by its journal: what the log does not tell of yet is written down.
    pub async fn note_refusals(&self, id: SessionId, name: Option<&str>, journal: &[u8]) {
        let found = refused(journal);
        if found.rejected == 0 && found.denied == 0 {
            return;
        }
        let subject = Subject { id: id.to_string(), name: name.map_or_else(|| id.to_string(), str::to_owned) };
        let (log, now) = (self.audit_log(), Timestamp::now());
        let write = move |state: &Database| {
            let mut told: Option<std::io::Result<()>> = None;
            state.write(|db| {
                let mut before = observed::refused(db, id)?;
                if before.rejected > found.rejected || before.denied > found.denied {
                    // The depot's volume was made anew, and it counts from the beginning.
                    before = Refused::default();
                }
                let (rejected, denied) = (found.rejected - before.rejected, found.denied - before.denied);
                if rejected > 0 || denied > 0 {
                    told.get_or_insert_with(|| {
                        let listed = found.clone().last(rejected, denied);
                        let latest = &listed[listed.len().saturating_sub(LISTED)..];
                        let detail = json!({ "rejected": rejected, "denied": denied, "latest": latest });
                        log.append(&Deed { action: "reject", session: Some(subject.clone()), detail }, now).map(drop)
                    });
                    observed::told(db, id, Refused { rejected: found.rejected, denied: found.denied }, now)?;
                }
                Ok(())
            })?;
            Ok(told)
        };
        if let Some(Some(Err(error))) = self.kept(write).await {
            self.warn(format!("what the depot refused is not in the audit log: {error}"));
        }
    }

    /// The same of every session that the depot counts, by its summary: of those alone that it refused more than the log tells of, the
    /// journal is read.
    pub async fn note_refusals_in(&self, summary: &Summary, sessions: &[Session]) -> Result<()> {
        let counted = summary.sessions.iter().map(|(id, by)| {
            let sum = |of: fn(&crate::depot::ledger::Counters) -> u64| by.values().map(of).fold(0_u64, u64::saturating_add);
            (*id, Refused { rejected: sum(|counters| counters.rejected), denied: sum(|counters| counters.denied) })
        });
        let counted: Vec<(SessionId, Refused)> = counted.filter(|(_, refused)| *refused != Refused::default()).collect();
        if counted.is_empty() {
            return Ok(());
        }
        let ids: Vec<SessionId> = counted.iter().map(|(id, _)| *id).collect();
        let look_up =
            move |state: &Database| state.read(|db| ids.iter().map(|id| observed::refused(db, *id)).collect::<Result<Vec<_>, _>>());
        let told = self.kept(look_up).await.unwrap_or_default();
        for ((id, refused), told) in counted.into_iter().zip(told) {
            if (refused.rejected > told.rejected || refused.denied > told.denied)
                && let Some(journal) = self.cache_journal(id).await?
            {
                let name = sessions.iter().find(|session| session.id == id).map(|session| session.name.as_str());
                self.note_refusals(id, name, &journal).await;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::controls::Control;
    use crate::policy::drift::{Difference, Needs};
    use crate::policy::posture::Deviant;
    use crate::policy::{ControlPosture, Verdict};

    #[test]
    fn a_verdict_is_another_where_something_fails_or_differs_and_not_for_what_cannot_be_read() {
        let control = |verdict| ControlPosture {
            control: Control::PidsLimit,
            requested: "100".into(),
            engine: "100".into(),
            kernel: "?".into(),
            verdict,
            reason: None,
        };
        let posture = |verdict| Posture { controls: vec![control(verdict)], deviants: Vec::new() };
        let current = Standing::default();
        assert_eq!(verdict(&posture(Verdict::Enforced), &current), "");
        assert_eq!(verdict(&posture(Verdict::Unknown), &current), "");
        let weaker = verdict(&posture(Verdict::Weaker), &current);
        assert_eq!(weaker, "pids_limit=weaker ");
        let deviant = |pid| Deviant { control: Control::PidsLimit, pid, container_pid: None, name: "x".into(), reason: "y".into() };
        let with = |pids: &[u32]| Posture { deviants: pids.iter().map(|pid| deviant(*pid)).collect(), ..posture(Verdict::Weaker) };
        assert_eq!(verdict(&with(&[1]), &current), verdict(&with(&[2, 3]), &current), "numbers come and go");
        assert_ne!(verdict(&with(&[1]), &current), weaker);
        let networks = Difference { field: "networks".to_owned(), then: "none".into(), now: "lab".into(), needs: Needs::Live };
        let drifted = Standing { drifted: vec![networks], ..Standing::default() };
        assert_eq!(verdict(&posture(Verdict::Enforced), &drifted), "drifted:networks=lab ");
    }
}
