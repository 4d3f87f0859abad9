//! The evidence of a run, gathered when its end is seen, by whoever sees it: `run`, `stop`, `rm`, an update, `reap`, the dashboard.
//!
//! What began here is told once. What an ephemeral session's own `run` waits for is that one's to tell for as long as it lives: it alone
//! hears the exit code.

#![expect(clippy::disallowed_methods, reason = "an end has a time")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Backend;
use super::leftovers::Maker;
use super::limits::of_facts;
use super::measure::requested_of;
use crate::audit_log::Subject;
use crate::config::{Environment, Paths};
use crate::depot::ledger::{Log, fetched};
use crate::evidence::{Begun, End, Evidence, Image, Run, SCHEMA, Shelf};
use crate::failure::Code;
use crate::policy::Posture;
use crate::policy::plan::Plan;
use crate::session::{ContainerFacts, Kind, Limits, Session, Status, labels};
use crate::state::limits as kept_limits;
use crate::units::{SessionId, Untrusted};

/// Packages that one file lists; of the rest it says how many there are.
const LISTED: usize = 5_000;

/// How the end of a run is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// By what.
    pub by: &'static str,
    /// Where the one who sees it heard it itself.
    pub exit_code: Option<i64>,
}

impl Seen {
    pub(super) const fn by(by: &'static str) -> Self {
        Self { by, exit_code: None }
    }
}

/// The evidence of whoever runs this program.
pub(super) fn shelf_of(paths: &Paths, environment: &Environment) -> Shelf {
    Shelf::new(&paths.state, super::record::log_of(paths, environment))
}

impl Backend {
    /// The operator's evidence.
    pub fn evidence(&self) -> Shelf {
        shelf_of(&self.paths, &self.environment)
    }

    /// Writes down that a run begins. `plan` is `None` for a container that is started again.
    pub(super) async fn run_began(&self, session: &Session, facts: &ContainerFacts, posture: &Posture, plan: Option<&Plan>) {
        let Some(mut run) = self.run_of(session, facts) else { return };
        run.plan = plan.and_then(|plan| serde_json::to_value(plan).ok()).unwrap_or_default();
        (run.posture, run.measured) = (serde_json::to_value(posture).unwrap_or_default(), Some(Timestamp::now()));
        let depot = requested_of(facts).is_none_or(|requested| requested.network.has_depot());
        let begun = Begun { run, maker: Maker::this_process().label("run"), depot };
        self.on_shelf(move |shelf| shelf.begin(begun)).await;
    }

    /// A session was measured again.
    pub(super) async fn evidently(&self, session: &Session, posture: &Posture) {
        let (id, container) = (session.id.to_string(), session.container_id.clone());
        let (posture, now) = (serde_json::to_value(posture).unwrap_or_default(), Timestamp::now());
        self.on_shelf(move |shelf| shelf.measured(&id, &container, posture, now)).await;
    }

    /// A run has ended: what is evident of it is written down, unless that was done. `facts` is what the engine reported last.
    pub(super) async fn run_ended(&self, session: &Session, facts: Option<&ContainerFacts>, seen: Seen) {
        let id = session.id.to_string();
        let open = self.on_shelf(move |shelf| shelf.open_of(&id)).await.flatten();
        let is_its = |begun: &Begun| facts.is_none_or(|facts| facts.id == begun.run.container);
        Box::pin(self.tell_end(session, open.filter(is_its), facts, seen)).await;
    }

    /// The same by its container, of which the engine is asked.
    pub(super) async fn container_ended(&self, session: &Session, seen: Seen) {
        match self.engine.inspect(&session.container_id).await {
            Ok(facts) if facts.status.is_some_and(Status::is_live) => {}
            Ok(facts) => self.run_ended(session, Some(&facts), seen).await,
            Err(failure) if failure.code == Code::NotFound => self.run_ended(session, None, seen).await,
            // Whoever looks next finds it.
            Err(_) => {}
        }
    }

    /// Tells the ends of sessions that ended while nobody looked: of those that began here and are none of these that run. `heard` are
    /// exit codes by container, as far as the engine told them.
    pub async fn note_ends(&self, by: &'static str, sessions: &[Session], heard: &BTreeMap<String, i64>) {
        let Some(open) = self.on_shelf(Shelf::open).await else { return };
        for begun in open.into_iter().filter(|begun| begun.run.engine == self.engine.endpoint().uri) {
            let container = begun.run.container.clone();
            if sessions.iter().any(|session| session.container_id == container && session.status.is_live()) {
                continue;
            }
            let Some(session) = session_of(&begun) else { continue };
            let seen = Seen { by, exit_code: heard.get(&container).copied() };
            // Not as listed: it may have begun since.
            match self.engine.inspect(&container).await {
                Ok(facts) if facts.status.is_some_and(Status::is_live) => {}
                Ok(facts) => Box::pin(self.tell_end(&session, Some(begun), Some(&facts), seen)).await,
                Err(failure) if failure.code == Code::NotFound => Box::pin(self.tell_end(&session, Some(begun), None, seen)).await,
                Err(_) => return,
            }
        }
    }

    /// Removes evidence that is more or older than the settings say.
    pub(super) async fn expire_evidence(&self) {
        let (keep, longest) = (self.settings.evidence.keep, self.settings.evidence.max_age.duration());
        let now = Timestamp::now();
        self.on_shelf(move |shelf| shelf.expire(usize::try_from(keep).unwrap_or(usize::MAX), longest, now)).await;
    }

    async fn tell_end(&self, session: &Session, open: Option<Begun>, facts: Option<&ContainerFacts>, seen: Seen) {
        if open.as_ref().is_some_and(|begun| is_anothers(begun, session.kind)) {
            return;
        }
        let has_depot = match (&open, facts) {
            (Some(begun), _) => begun.depot,
            (None, Some(facts)) => requested_of(facts).is_none_or(|requested| requested.network.has_depot()),
            (None, None) => false,
        };
        let Some(mut run) = open.map(|begun| begun.run).or_else(|| facts.and_then(|facts| self.run_of(session, facts))) else { return };
        if self.evidence().is_told(&run) {
            return;
        }
        run.session.name = session.name.to_string();
        if run.plan.is_null() {
            let terms = facts.and_then(|facts| facts.labels.get(labels::TERMS)).and_then(|terms| serde_json::from_str(terms.raw()).ok());
            run.plan = json!({ "terms": terms.unwrap_or(Value::Null) });
        }
        let now = Timestamp::now();
        let exit = facts.filter(|facts| !facts.status.is_some_and(Status::is_live)).and_then(|facts| facts.exit.as_ref());
        let (packages, packages_unlisted) = if has_depot { self.packages_of(session).await } else { (json!([]), Some(0)) };
        let end = End {
            ended: exit.and_then(|exit| exit.finished).unwrap_or(now),
            exit_code: seen.exit_code.or(exit.map(|exit| exit.code)),
            out_of_memory: exit.is_some_and(|exit| exit.oom_killed),
            seen_by: seen.by.to_owned(),
            by: self.environment.operator(),
            limits: self.limits_of_ended(&run.container, facts).await,
            packages,
            packages_unlisted,
        };
        let evidence = Evidence { run, end };
        self.on_shelf(move |shelf| shelf.end(&evidence, now)).await;
    }

    /// What the engine reports of a run that was begun; `None` where it never was.
    fn run_of(&self, session: &Session, facts: &ContainerFacts) -> Option<Run> {
        let started = facts.started.filter(|_| session.id != SessionId::NIL)?;
        Some(Run {
            schema: SCHEMA,
            session: Subject { id: session.id.to_string(), name: session.name.to_string() },
            kind: session.kind.to_string(),
            profile: session.profile.raw().to_owned(),
            engine: self.engine.endpoint().uri.clone(),
            container: facts.id.clone(),
            image: Image { name: session.image.raw().to_owned(), digest: facts.image_id.clone() },
            started,
            plan: Value::Null,
            posture: Value::Null,
            measured: None,
        })
    }

    /// What it fetched, and what the depot refused it goes into the log.
    async fn packages_of(&self, session: &Session) -> (Value, Option<u64>) {
        let journal = match self.journal_of(session.id).await {
            Ok(journal) => journal.unwrap_or_default(),
            Err(_) => return (json!([]), None),
        };
        self.note_refusals(session.id, Some(session.name.as_str()), &journal).await;
        let Log { artifacts, unlisted, .. } = fetched(&journal);
        let over = u64::try_from(artifacts.len().saturating_sub(LISTED)).unwrap_or(u64::MAX);
        let listed = artifacts.into_iter().take(LISTED).map(|artifact| {
            json!({
                "ecosystem": artifact.ecosystem, "project": artifact.project, "version": artifact.version, "file": artifact.file,
                "digest": artifact.digest, "complete": artifact.complete > 0,
            })
        });
        (listed.collect(), Some(unlisted.saturating_add(over)))
    }

    async fn limits_of_ended(&self, container: &str, facts: Option<&ContainerFacts>) -> Value {
        let mut limits = Limits::default();
        // A command in the foreground makes no database for this alone.
        if self.state.path().exists() {
            let container = container.to_owned();
            let seen = self.kept(move |state| state.read(|db| kept_limits::of(db, &container))).await;
            seen.unwrap_or_default().into_iter().for_each(|hit| limits.add(hit));
        }
        facts.map(of_facts).unwrap_or_default().into_iter().for_each(|hit| limits.add(hit));
        serde_json::to_value(limits.hits).unwrap_or_default()
    }

    /// On a thread that may wait for files. `None` where that cannot be: [`Self::unrecorded`] says why.
    async fn on_shelf<T: Send + 'static>(&self, work: impl FnOnce(&Shelf) -> std::io::Result<T> + Send + 'static) -> Option<T> {
        let evidence = self.evidence();
        match tokio::task::spawn_blocking(move || work(&evidence)).await {
            Ok(Ok(done)) => Some(done),
            Ok(Err(error)) => {
                self.warn(format!("the evidence of what ends is not kept: {error}"));
                None
            }
            // The work broke: a fault of ours, which the panic has told.
            Err(_) => None,
        }
    }
}

/// Whether another process that still runs is the one to tell it.
fn is_anothers(begun: &Begun, kind: Kind) -> bool {
    let maker = Maker::parse(&begun.maker).map(|(maker, _)| maker);
    kind == Kind::Ephemeral && maker.is_some_and(|maker| maker.runs_elsewhere())
}

/// A session that began here, as it was then.
fn session_of(begun: &Begun) -> Option<Session> {
    let run = &begun.run;
    Some(Session {
        id: run.session.id.parse().ok()?,
        name: run.session.name.parse().ok()?,
        kind: run.kind.parse().ok()?,
        profile: run.profile.as_str().into(),
        status: Status::Exited,
        status_text: Untrusted::default(),
        created: run.started,
        image: run.image.name.as_str().into(),
        command: Untrusted::default(),
        container_id: run.container.clone(),
    })
}
