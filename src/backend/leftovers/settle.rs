//! What becomes of each kind of work that was cut short.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::UnderWay;
use super::maker::Maker;
use super::swap::{Swap, Swapped};
use super::work::{Record, Stage, Work};
use crate::audit_log::Subject;
use crate::backend::Backend;
use crate::backend::engine::ContainerSummary;
use crate::backend::image::{BUILDING, STATE_LABEL, Unfinished, remove_superseded, remove_unfinished};
use crate::failure::{Code, Result};
use crate::policy::plan;
use crate::session::{Kind, Status, labels};
use crate::units::{SessionId, Untrusted};

/// What an engine has taken from a maker that ended is carried out by then, on all but the busiest machines.
pub(super) const SOON: Duration = Duration::from_secs(2);
/// By then an answer would have been given up by its maker, had it lived.
pub const LATE: Duration = Duration::from_mins(2);
/// An engine that is removing a container does so by then, or has failed to.
const REMOVED_WITHIN: Duration = Duration::from_secs(20);
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// A build that nobody listens to any more is given up by its engine within this.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(10);

/// A step that takes none of its time in a container.
const STEP_TAKES: Duration = Duration::from_secs(1);

/// What came of it.
pub enum Outcome {
    /// It is completed or undone, in these words; `None` where nothing had to be done.
    Settled(Option<String>),
    /// There is nothing of it now, and may yet be: an engine carries out what it has taken.
    Later,
}

/// Which piece of work made this.
pub fn work_of(all: &BTreeMap<String, Untrusted>) -> Option<&str> {
    is_ours(all).then(|| all.get(labels::MAKER)).flatten().and_then(|label| Maker::parse(label.raw())).map(|(_, work)| work)
}

fn is_ours(all: &BTreeMap<String, Untrusted>) -> bool {
    all.get(labels::SCHEMA).map(Untrusted::raw) == Some(labels::SCHEMA_VALUE)
}

pub(super) fn has(all: &BTreeMap<String, Untrusted>, name: &str, value: &str) -> bool {
    is_ours(all) && all.get(name).map(Untrusted::raw) == Some(value)
}

/// A container in which an engine makes one step of a sandbox image. One that an operator runs from such an image has its labels too.
fn is_step(listed: &ContainerSummary) -> bool {
    has(&listed.labels, labels::ROLE, labels::ROLE_IMAGE)
        && (has(&listed.labels, STATE_LABEL, BUILDING) || listed.command.raw().contains("#(nop)"))
}

impl Backend {
    /// Completes or undoes one piece of work whose maker last wrote so long ago. What ran and was stopped for it is started, unless the
    /// session that is asked for now is that one.
    pub(super) async fn settle_asked(&self, work: &mut UnderWay, quiet_for: Duration, asked: Option<&str>) -> Result<Outcome> {
        let mut told = None;
        if let Work::Update { session, name, container, ran } = work.record.work.clone() {
            let swap = Swap { name: &name, old: &container, ran };
            match self.settle_update(&work.record, swap, work.stage, quiet_for).await? {
                Swapped::Settled(outcome) => return Ok(outcome),
                Swapped::Stopped => {
                    work.becomes(Work::Restart { session, name, container, secrets: Vec::new() });
                    told = Some("the container that it had is back");
                }
            }
        }
        if !matches!(work.record.work, Work::Restart { .. }) {
            return self.settle_one(&work.record, work.stage, quiet_for).await;
        }
        let restarted = match asked {
            Some(who) if self.is_restart_of(who, work).await => self.leave_stopped(work).await?,
            _ => Box::pin(self.settle_restart(work)).await?,
        };
        Ok(match (told, restarted) {
            (Some(told), Outcome::Settled(None)) => Outcome::Settled(Some(told.to_owned())),
            (Some(told), Outcome::Settled(Some(done))) => Outcome::Settled(Some(format!("{told}: {done}"))),
            (_, restarted) => restarted,
        })
    }

    async fn settle_one(&self, record: &Record, stage: Option<Stage>, quiet_for: Duration) -> Result<Outcome> {
        match &record.work {
            // Whoever asks for these has them already.
            Work::Restart { .. } | Work::Update { .. } => Ok(Outcome::Settled(None)),
            Work::Launch { kind, .. } => self.settle_launch(record, *kind, stage, quiet_for).await,
            Work::Remove { session, container, volumes, .. } => self.settle_removal(*session, container, volumes, quiet_for).await,
            Work::Rename { container, to, .. } => {
                let container = self.engine.our_containers().await?.into_iter().find(|listed| listed.id == *container);
                let renamed = container.is_some_and(|found| found.name.raw() == format!("{}{to}", labels::CONTAINER_PREFIX));
                Ok(Outcome::Settled(renamed.then(|| "the engine has renamed it".to_owned())))
            }
            Work::Build { tag, begun, superseded } => {
                let outcome = self.settle_build(*begun, quiet_for).await?;
                remove_superseded(self.engine.as_ref(), superseded, tag, *begun - 1).await?;
                Ok(outcome)
            }
            Work::Depot { image, .. } => self.settle_depot(record, image, quiet_for).await,
            Work::Helper { .. } => {
                let containers = self.made_for(record).await?;
                self.undo_made(record, containers, quiet_for).await
            }
        }
    }

    /// A session that never ran is removed with its volumes; one whose gate may be open stays.
    async fn settle_launch(&self, record: &Record, kind: Kind, stage: Option<Stage>, quiet_for: Duration) -> Result<Outcome> {
        let (sessions, helpers): (Vec<_>, Vec<_>) =
            self.made_for(record).await?.into_iter().partition(|container| has(&container.labels, labels::ROLE, labels::ROLE_SESSION));
        if stage != Some(Stage::Opening) {
            // One that failed had been made, and does not come any more.
            let quiet_for = if stage == Some(Stage::GivenUp) { LATE } else { quiet_for };
            // The helper first: it uses the session's volumes.
            return self.undo_made(record, helpers.into_iter().chain(sessions).collect(), quiet_for).await;
        }
        for helper in helpers {
            self.remove_to_its_end(&helper.id).await?;
        }
        let Some(session) = sessions.first() else { return Ok(Outcome::Settled(None)) };
        if session.status.is_live() || kind == Kind::Persistent {
            return Ok(Outcome::Settled(Some("the session is there".to_owned())));
        }
        self.undo_made(record, sessions, quiet_for).await
    }

    /// Once the container is gone its volumes go too; one that is still there was not removed.
    async fn settle_removal(&self, session: SessionId, container: &str, volumes: &[String], quiet_for: Duration) -> Result<Outcome> {
        let soon = Instant::now() + SOON.saturating_sub(quiet_for);
        let late = Instant::now() + REMOVED_WITHIN;
        loop {
            let all = self.engine.our_containers().await?;
            let Some(found) = all.iter().find(|listed| listed.id == *container) else {
                if all.iter().any(|listed| has(&listed.labels, labels::ID, &session.to_string())) {
                    // Its home and caches are another container's of the same session now.
                    return Ok(Outcome::Settled(None));
                }
                break;
            };
            let on_its_way = found.status == Status::Removing && Instant::now() < late;
            if !on_its_way && Instant::now() >= soon {
                return Ok(if quiet_for < LATE { Outcome::Later } else { Outcome::Settled(None) });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let mut removed = false;
        for name in volumes {
            match self.engine.volume(name).await {
                Ok(volume) if has(&volume.labels, labels::ID, &session.to_string()) => {
                    self.remove_volume_once_free(name).await?;
                    removed = true;
                }
                Err(failure) if failure.code != Code::NotFound => return Err(failure),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(Outcome::Settled(removed.then(|| "what was left of it is removed".to_owned())))
    }

    /// What a build makes on its way has no maker's label, which would keep the engine from using its cache: it is known by the recipe's
    /// own label and by having been made since.
    async fn settle_build(&self, begun: i64, quiet_for: Duration) -> Result<Outcome> {
        let is_build = |record: &Record| matches!(record.work, Work::Build { .. });
        if self.journal().is_at_work(&self.engine.endpoint().uri, is_build) {
            // What another build makes looks the same.
            return Ok(if quiet_for < LATE { Outcome::Later } else { Outcome::Settled(None) });
        }
        let (mut soon, until) = (Instant::now() + SOON.saturating_sub(quiet_for), Instant::now() + GIVEN_UP_WITHIN);
        let mut removed = 0;
        // The seconds that engines list are whole ones.
        let since = begun - 1;
        loop {
            let steps = self.engine.our_containers().await?;
            let steps: Vec<_> = steps.into_iter().filter(|listed| is_step(listed) && listed.created.as_second() >= since).collect();
            let now = Instant::now();
            if steps.iter().any(|step| step.status.is_live()) && now < until {
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
            for step in &steps {
                self.remove_to_its_end(&step.id).await?;
            }
            let images = remove_unfinished(self.engine.as_ref(), since).await?;
            removed += steps.len() + images.removed;
            if !steps.is_empty() || images != Unfinished::default() {
                // An engine that was in the middle of a step may end that one before it notices.
                soon = soon.max(now + STEP_TAKES);
            }
            if now >= soon || now >= until {
                if removed > 0 && images.in_use == 0 {
                    return Ok(Outcome::Settled(Some("what it had made on its way is removed".to_owned())));
                }
                return Ok(if quiet_for < LATE { Outcome::Later } else { Outcome::Settled(None) });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// A depot that was started is any manager's to judge; one that never was goes, with the volumes that were made for it.
    async fn settle_depot(&self, record: &Record, image: &str, quiet_for: Duration) -> Result<Outcome> {
        let containers = self.made_for(record).await?;
        if containers.iter().any(|container| container.status != Status::Created && container.status != Status::Removing) {
            return Ok(Outcome::Settled(None));
        }
        let outcome = self.undo_made(record, containers, quiet_for).await?;
        if !image.is_empty() {
            // Refused where another depot stands on it.
            let _ = self.engine.remove_image(image).await;
        }
        Ok(outcome)
    }

    /// Containers that were made for a piece of work.
    pub(super) async fn made_for(&self, record: &Record) -> Result<Vec<ContainerSummary>> {
        let all = self.engine.our_containers().await?;
        Ok(all.into_iter().filter(|container| work_of(&container.labels) == Some(&record.id)).collect())
    }

    /// Removes these containers of a piece of work, and the volumes that were made for it.
    async fn undo_made(&self, record: &Record, mut containers: Vec<ContainerSummary>, quiet_for: Duration) -> Result<Outcome> {
        let soon = Instant::now() + SOON.saturating_sub(quiet_for);
        loop {
            for container in &containers {
                self.remove_to_its_end(&container.id).await?;
            }
            let volumes = self.engine.our_volumes().await?;
            let volumes = volumes.into_iter().filter(|volume| work_of(&volume.labels) == Some(&record.id)).map(|volume| volume.name);
            let mut volumes: Vec<String> = volumes.collect();
            volumes.extend(self.unlabelled_volumes(record).await?);
            for volume in &volumes {
                self.remove_volume_once_free(volume).await?;
            }
            if !containers.is_empty() {
                return Ok(Outcome::Settled(Some("what it had made is removed".to_owned())));
            }
            if Instant::now() >= soon {
                // Volumes alone are what is left where the engine itself ended in the middle.
                return Ok(match (volumes.is_empty(), quiet_for < LATE) {
                    (_, true) => Outcome::Later,
                    (true, false) => Outcome::Settled(None),
                    (false, false) => Outcome::Settled(Some("what it had made is removed".to_owned())),
                });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
            containers = self.made_for(record).await?;
        }
    }

    /// An engine makes a volume before it writes its labels down, and can end in between. No one else names one by the id of a session
    /// that never was.
    async fn unlabelled_volumes(&self, record: &Record) -> Result<Vec<String>> {
        let Work::Launch { session, .. } = &record.work else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for name in [plan::home_volume(*session), plan::cache_volume(*session)] {
            match self.engine.volume(&name).await {
                Ok(volume) if volume.labels.is_empty() => found.push(name),
                Err(failure) if failure.code != Code::NotFound => return Err(failure),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(found)
    }

    /// Removes a container, and waits for a removal that is another's. One that the engine could not remove whole, because something was
    /// still written beside it, is asked for again.
    pub(in crate::backend) async fn remove_to_its_end(&self, id: &str) -> Result<()> {
        let mut asked = self.engine.remove(id).await;
        let until = Instant::now() + REMOVED_WITHIN;
        loop {
            match (self.engine.inspect(id).await, &asked) {
                (Err(failure), _) if failure.code == Code::NotFound => return Ok(()),
                (Err(failure), Ok(())) => return Err(failure),
                (Ok(facts), Err(_)) if facts.status == Some(Status::Dead) && Instant::now() < until => {
                    tokio::time::sleep(LOOK_AGAIN).await;
                    asked = self.engine.remove(id).await;
                }
                (_, Err(_)) => return asked,
                (Ok(_), Ok(())) if Instant::now() >= until => return Ok(()),
                (Ok(_), Ok(())) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    }

    /// Removes a volume; one that a container still uses which is just going is waited for.
    pub(in crate::backend) async fn remove_volume_once_free(&self, name: &str) -> Result<()> {
        let until = Instant::now() + REMOVED_WITHIN;
        loop {
            match self.engine.remove_volume(name).await {
                Err(failure) if failure.code == Code::Conflict && Instant::now() < until => tokio::time::sleep(LOOK_AGAIN).await,
                done => return done,
            }
        }
    }

    /// The operator's log tells what was settled, by whom and when.
    pub(super) fn record_settled(&self, record: &Record, outcome: &str) {
        let subject = record.work.session().map(|(id, name)| Subject { id: id.to_string(), name: name.to_string() });
        self.record_on("settle", subject, json!({ "work": record.work, "outcome": outcome }));
    }
}
