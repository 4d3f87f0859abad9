//! One container of a session taking the place of another, cut short at any point.
//!
//! The new one is made under a name that no session has, then the old one is put aside under such a name, then the new one gets the
//! session's. Home and caches are volumes of their own, which both have: nothing of them is touched, whichever stays.

use std::time::Duration;

use tokio::time::Instant;

use super::settle::{LATE, LOOK_AGAIN, Outcome, SOON, has};
use super::work::{Record, Stage};
use crate::backend::Backend;
use crate::backend::engine::ContainerSummary;
use crate::failure::Result;
use crate::session::labels;
use crate::units::SessionName;

/// What takes the place of what.
pub(super) struct Swap<'a> {
    pub name: &'a SessionName,
    /// The container that is replaced.
    pub old: &'a str,
    /// Whether that ran.
    pub ran: bool,
}

/// What came of it.
pub(super) enum Swapped {
    /// This.
    Settled(Outcome),
    /// The container that the session had is back; it ran, and may have been stopped: it is to run again.
    Stopped,
}

/// Whether a container is to take another's place and has not yet.
pub fn is_half_made(container: &ContainerSummary) -> bool {
    container.name.raw().starts_with(labels::NEXT_PREFIX)
}

impl Backend {
    /// The new one stays where it has the name and was known to be right: its gate was opened, if the old one ran. Otherwise the old one is as
    /// it was, but that it may have been stopped.
    pub(super) async fn settle_update(
        &self,
        record: &Record,
        swap: Swap<'_>,
        stage: Option<Stage>,
        quiet_for: Duration,
    ) -> Result<Swapped> {
        let settled = |told| Ok(Swapped::Settled(Outcome::Settled(Some(told))));
        let back = |old: &ContainerSummary| match stage {
            // Its maker had heard that it was stopped.
            Some(Stage::GivenUp) if swap.ran && !old.status.is_live() => Ok(Swapped::Stopped),
            Some(Stage::Stopping) if swap.ran => Ok(Swapped::Stopped),
            _ => settled(is_back(&swap, old)),
        };
        let soon = Instant::now() + SOON.saturating_sub(quiet_for);
        let name = format!("{}{}", labels::CONTAINER_PREFIX, swap.name);
        loop {
            let made = self.made_for(record).await?;
            let (sessions, helpers): (Vec<_>, Vec<_>) =
                made.into_iter().partition(|container| has(&container.labels, labels::ROLE, labels::ROLE_SESSION));
            for helper in helpers {
                self.remove_to_its_end(&helper.id).await?;
            }
            let old = self.engine.our_containers().await?.into_iter().find(|listed| listed.id == swap.old);
            let is_aside = old.as_ref().is_some_and(|old| old.name.raw().starts_with(labels::OLD_PREFIX));
            match (old, sessions.into_iter().next()) {
                (Some(old), Some(new)) => {
                    let has_place = is_aside && !is_half_made(&new);
                    if has_place && stage == Some(Stage::Opening) {
                        self.remove_to_its_end(&old.id).await?;
                        return settled(has_its_place(&swap, &new));
                    }
                    self.remove_to_its_end(&new.id).await?;
                    if is_aside {
                        self.engine.rename(&old.id, &name).await?;
                    }
                    return back(&old);
                }
                (Some(old), None) if is_aside => {
                    self.engine.rename(&old.id, &name).await?;
                    return back(&old);
                }
                (None, Some(new)) => {
                    if is_half_made(&new) {
                        self.engine.rename(&new.id, &name).await?;
                    }
                    return settled(has_its_place(&swap, &new));
                }
                (None, None) => return Ok(Swapped::Settled(Outcome::Settled(None))),
                // The new one is gone already: who settled this before was cut short.
                (Some(old), None) if swap.ran && matches!(stage, Some(Stage::Stopping | Stage::GivenUp)) => return back(&old),
                // What the engine has taken may yet be carried out.
                (Some(old), None) if Instant::now() >= soon => {
                    let is_stopped = swap.ran && !old.status.is_live();
                    let told = is_stopped.then(|| is_back(&swap, &old));
                    return Ok(Swapped::Settled(if quiet_for < LATE && !is_stopped { Outcome::Later } else { Outcome::Settled(told) }));
                }
                (Some(_), None) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    }

    /// Containers that an update put aside and whose maker is known to have ended, where no journal here tells of it.
    pub(super) async fn sweep_put_aside(&self) -> Result<Vec<String>> {
        let all = self.engine.our_containers().await?;
        let mut settled = Vec::new();
        for old in all.iter().filter(|container| container.name.raw().starts_with(labels::OLD_PREFIX)) {
            let new = all.iter().find(|new| has(&new.labels, labels::REPLACES, &old.id));
            match new {
                Some(new) if !super::has_ended(&new.labels) || is_half_made(new) => {}
                Some(_) => {
                    self.remove_to_its_end(&old.id).await?;
                    settled.push(format!("container {}", old.name));
                }
                None => {
                    let Some(name) = old.labels.get(labels::NAME) else { continue };
                    self.engine.rename(&old.id, &format!("{}{}", labels::CONTAINER_PREFIX, name.raw())).await?;
                }
            }
        }
        Ok(settled)
    }
}

fn has_its_place(swap: &Swap<'_>, new: &ContainerSummary) -> String {
    if swap.ran && !new.status.is_live() {
        return format!("the new container has its place, stopped; it goes on with: palisade start {}", swap.name);
    }
    "the new container has its place".to_owned()
}

fn is_back(swap: &Swap<'_>, old: &ContainerSummary) -> String {
    if swap.ran && !old.status.is_live() {
        return format!("the container that it had is back, stopped; it goes on with: palisade start {}", swap.name);
    }
    "the container that it had is as it was".to_owned()
}
