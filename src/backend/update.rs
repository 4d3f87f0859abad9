//! A session made as today's plan has it: live where the engine can, else by another container in the place of the one it has.
//!
//! ```text
//! create the new one beside the old ─▶ inspect ─▶ audit ─▶ stop the old ─▶ put it aside ─▶ the new one gets the name
//!                                                                      ─▶ start ─▶ measure ─▶ audit ─▶ remove the old
//! ```
//!
//! All or nothing: what fails on the way or is cut short is undone in reverse, and the old one is back, and runs if it ran. Home and caches
//! are volumes of their own, which both containers have; the id, the name and what was asked for stay.

use std::path::Path;

use serde_json::json;

use super::drift::Made;
use super::engine::Limits;
use super::evidence::Seen;
use super::leftovers::{Stage, UnderWay, Work};
use super::listing::session_from_facts;
use super::measure::{refuse, requested_of};
use super::{Backend, Reporter, Today};
use crate::failure::{Code, Failure, Result};
use crate::policy::Posture;
use crate::policy::audit::audit;
use crate::policy::drift::{Change, Needs, Standing, Terms};
use crate::policy::plan::{Plan, cache_volume, home_volume};
use crate::session::{ContainerFacts, Kind, Session, Status, labels};
use crate::units::{Cpus, SessionName};

/// What an update is, or was.
#[derive(Debug, Clone)]
pub struct Update {
    /// The session; after it was made anew, as it is then.
    pub session: Session,
    /// Field by field; none where it is current.
    pub changes: Vec<Change>,
    /// As measured before its command began again, where it did.
    pub posture: Option<Posture>,
}

impl Update {
    /// The most that any of its changes takes.
    pub fn needs(&self) -> Option<Needs> {
        self.changes.iter().map(|change| change.needs).max()
    }
}

/// A session with everything that an update decides by.
struct Found {
    session: Session,
    facts: ContainerFacts,
    made: Made,
    today: Terms,
    standing: Standing,
}

impl Backend {
    /// Whether a session was launched by this operator, whose profiles are known.
    pub async fn is_own(&self, who: &str) -> Result<bool> {
        let session = self.find(who).await?;
        let facts = self.engine.inspect(&session.container_id).await?;
        Ok(facts.labels.get(labels::CREATOR).is_some_and(|creator| creator.raw() == self.environment.operator()))
    }

    /// What an update would change.
    pub async fn planned_update(&self, who: &str, today: &Today) -> Result<Update> {
        let found = self.found_for_update(who, today).await?;
        Ok(Update { session: found.session, changes: found.standing.changes(), posture: None })
    }

    /// Makes a session as today's plan has it. One that runs is stopped and started again only where `restart` says so.
    pub async fn update(&self, who: &str, restart: bool, reporter: &dyn Reporter) -> Result<Update> {
        self.settle().await;
        let found = self.found_for_update(who, &Today::default()).await?;
        let mut update = Update { session: found.session.clone(), changes: found.standing.changes(), posture: None };
        let Some(needs) = update.needs() else { return Ok(update) };
        may_be(&found, needs, restart)?;
        match needs {
            Needs::Live => self.change_live(&found, &update.changes).await?,
            Needs::Restart => {
                self.change_live(&found, &update.changes).await?;
                update.posture = Some(self.begin_again(&found.session, &found.facts, None, &[], "update").await?.posture);
            }
            Needs::Recreate => update.posture = Box::pin(self.recreate(&found, reporter)).await?,
        }
        if let Some(name) = update.changes.iter().find(|change| change.field == "name") {
            update.session.name = name.to.raw().parse().unwrap_or(update.session.name);
        }
        if needs == Needs::Recreate {
            update.session = self.find(&found.made.id.to_string()).await?;
        }
        self.record("update", &update.session, json!({ "changes": update.changes, "needs": needs }));
        Ok(update)
    }

    async fn found_for_update(&self, who: &str, today: &Today) -> Result<Found> {
        let session = self.find(who).await?;
        let facts = self.engine.inspect(&session.container_id).await?;
        let unknown = |why: crate::units::Untrusted, hint: &str| {
            Failure::new(Code::Conflict, format!("what '{}' would be today is not known", session.name)).detail(why.to_string()).hint(hint)
        };
        let made = Made::read(&facts.labels).map_err(|why| unknown(why, "launch a new session in its place, then palisade rm it"))?;
        let terms = self.terms_today(&made, today).await;
        let terms = terms.map_err(|why| unknown(why, "palisade inspect tells what it was made from"))?;
        let (_, kernel) = self.measured(&facts).await;
        let standing = Standing::new(&made.terms, self.drifted_from(&made, &facts, kernel.as_ref()).await, Ok(&terms));
        Ok(Found { session, facts, made, today: terms, standing })
    }

    /// In an order in which what may fail comes first, so that it is undone by one call.
    async fn change_live(&self, found: &Found, changes: &[Change]) -> Result<()> {
        let (id, is) = (&found.facts.id, |field: &str| changes.iter().any(|change| change.field == field && change.needs == Needs::Live));
        let renamed = if is("name") {
            let name = self.name_by_plan(&found.made, &found.facts).await;
            self.engine.rename(id, &format!("{}{name}", labels::CONTAINER_PREFIX)).await?;
            true
        } else {
            false
        };
        let done = self.change_limits(found, &is).await;
        if let (Err(failure), true) = (&done, renamed) {
            let back = self.engine.rename(id, found.facts.name.raw()).await;
            return Err(match back {
                Ok(()) => failure.clone(),
                Err(error) => failure.clone().detail(format!("it could not be given back the name that it had: {}", error.message)),
            });
        }
        done
    }

    async fn change_limits(&self, found: &Found, is: &impl Fn(&str) -> bool) -> Result<()> {
        let (id, today) = (&found.facts.id, &found.today);
        let wanted = Limits {
            pids_limit: today.number("pids_limit").filter(|_| is("pids_limit")),
            memory: today.number("memory").filter(|_| is("memory") || is("memory_swap")),
            nano_cpus: today
                .get("cpus")
                .and_then(|cpus| cpus.parse::<Cpus>().ok())
                .map(|cpus| cpus.as_nano().unsigned_abs())
                .filter(|_| is("cpus")),
            cpuset_cpus: today.get("cpuset").map(str::to_owned).filter(|_| is("cpuset")),
            restart_policy: is("restart_policy").then(|| "no".to_owned()),
        };
        if wanted != Limits::default() {
            self.engine.update(id, &wanted).await?;
        }
        if is("networks") {
            let keeps_bridge = today.get("network") == Some("open");
            for network in found.facts.networks.iter().filter(|name| !(keeps_bridge && name.raw() == "bridge")) {
                self.engine.disconnect(id, network.raw()).await?;
            }
        }
        Ok(())
    }

    async fn recreate(&self, found: &Found, reporter: &dyn Reporter) -> Result<Option<Posture>> {
        let Found { facts, made, .. } = found;
        let ran = is_live(facts);
        if ran {
            // Before anything is stopped: it could not be started again.
            self.secret_values(&super::lifecycle::secrets_of(facts, &[])?)?;
        }
        let name = self.name_by_plan(made, facts).await;
        let name: SessionName = name.parse().map_err(|error| Failure::new(Code::Internal, format!("{error}")))?;
        let beside = made.asked.project.as_deref().map(Path::new);
        let order = made.order(&facts.env);
        let plan = self.prepare_again(&order, beside, (made.id, name.clone(), facts.id.clone()), reporter).await?;
        if plan.create.user != facts.user.raw() {
            return Err(Failure::new(
                Code::Conflict,
                format!("'{}' would run as {}, and its home is of {}", found.session.name, plan.create.user, facts.user),
            )
            .hint("launch a new session for the folder as it is now, and copy what it needs with palisade cp"));
        }
        let work = Work::Update { session: made.id, name, container: facts.id.clone(), ran };
        let mut work = self.begin(work)?;
        reporter.step(&format!("making '{}' anew", found.session.name));
        match self.swap(facts, &plan, ran, &mut work).await {
            Ok(posture) => {
                let removed = self.engine.remove(&facts.id).await;
                work.ended(&removed);
                removed.map(|()| posture)
            }
            Err(failure) => {
                work.given_up();
                let failure = self.abandon(work, failure).await;
                Err(Failure { message: format!("the update was undone: {}", failure.message), ..failure })
            }
        }
    }

    /// Until the new container has the session's name and, where the old one ran, runs.
    async fn swap(&self, old: &ContainerFacts, plan: &Plan, ran: bool, work: &mut UnderWay) -> Result<Option<Posture>> {
        let mut create = plan.create.clone().made_by(&work.label());
        create.name = format!("{}{}", labels::NEXT_PREFIX, plan.id);
        let new = self.engine.create(&create).await?.id;
        let had = |volume: &str| old.mounts.iter().any(|mount| mount.name == volume);
        if !had(&home_volume(plan.id)) || !had(&cache_volume(plan.id)) {
            self.give_volumes_to_their_user(&new, plan, &work.label()).await?;
        }
        let facts = self.engine.inspect(&new).await?;
        let paper = audit(requested_of(&facts).as_ref(), &facts, Err("not started yet"));
        if paper.is_weaker() {
            return Err(refuse(&plan.name, &paper));
        }
        self.go_on()?;
        if ran {
            work.reached(Stage::Stopping);
            self.engine.stop(&old.id, None).await?;
            if let Some(session) = session_from_facts(old) {
                self.container_ended(&session, Seen::by("update")).await;
            }
        }
        self.engine.rename(&old.id, &format!("{}{}", labels::OLD_PREFIX, plan.id)).await?;
        self.engine.rename(&new, &plan.create.name).await?;
        let posture = if ran { Some(Box::pin(self.start_as(&new, &[], Some(plan), Some(work))).await?.posture) } else { None };
        work.reached(Stage::Opening);
        Ok(posture)
    }
}

fn is_live(facts: &ContainerFacts) -> bool {
    facts.status.is_some_and(Status::is_live)
}

/// Whether it may be done now, and the way out where it may not.
fn may_be(found: &Found, needs: Needs, restart: bool) -> Result<()> {
    let name = &found.session.name;
    let refuse = |why: String, hint: String| Err(Failure::new(Code::Conflict, why).hint(hint));
    if needs == Needs::Live {
        return Ok(());
    }
    if found.session.kind == Kind::Ephemeral {
        let hint = "it ends with its command; the next launch follows today's plan".to_owned();
        return refuse(format!("'{name}' is ephemeral: its home would go with its container"), hint);
    }
    match found.facts.status {
        Some(Status::Paused) => refuse(format!("'{name}' is paused"), format!("first let it go on with: palisade unpause {name}")),
        Some(status) if status.is_live() && !restart => {
            let word = if needs == Needs::Restart { "a restart" } else { "another container in its place" };
            refuse(
                format!("'{name}' is {status}, and the update takes {word}"),
                format!(
                    "palisade update --restart {name} stops it and starts it again; palisade update --dry-run {name} tells what differs"
                ),
            )
        }
        _ => Ok(()),
    }
}
