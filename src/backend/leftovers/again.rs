//! A session that was stopped to be started again, cut short at any point: it ran, and is to run.

use super::UnderWay;
use super::settle::Outcome;
use super::work::{Stage, Work};
use crate::backend::{Backend, Launched};
use crate::failure::{Code, Result};
use crate::session::Status;

/// How a container is found.
enum Found {
    /// Its command has begun, or may have.
    Begun(Option<Status>),
    /// It is stopped, and its command has not begun since.
    Stopped,
    Gone,
}

impl Backend {
    /// Stopped to its end and started; one whose command may have begun again is not begun a second time.
    pub(super) async fn settle_restart(&self, work: &mut UnderWay) -> Result<Outcome> {
        let Work::Restart { name, container, secrets, .. } = work.record.work.clone() else { return Ok(Outcome::Settled(None)) };
        let done = match self.stopped(&container, work.stage).await? {
            Found::Gone => return Ok(Outcome::Settled(None)),
            Found::Begun(Some(status)) if status.is_live() => "it runs again".to_owned(),
            Found::Begun(_) => format!("it ran again and has ended; it goes on with: palisade start {name}"),
            Found::Stopped => match self.started_again(&container, &secrets, work).await {
                Ok(_) => "it runs again".to_owned(),
                Err(failure) if failure.code == Code::EngineUnreachable => return Err(failure),
                Err(failure) => {
                    format!("it is stopped and could not be started ({}); it goes on with: palisade start {name}", failure.message)
                }
            },
        };
        Ok(Outcome::Settled(Some(done)))
    }

    async fn started_again(&self, container: &str, secrets: &[String], work: &mut UnderWay) -> Result<Launched> {
        match self.start_as(container, secrets, None, Some(work)).await {
            Err(failure) if failure.code != Code::EngineUnreachable && work.stage < Some(Stage::Opening) => {
                // The start that its maker asked for may have come in between, with a gate that nobody will open.
                self.engine.stop(container, None).await?;
                self.start_as(container, secrets, None, Some(work)).await
            }
            started => started,
        }
    }

    /// Whether this piece of work is the restart of the session that is meant.
    pub(super) async fn is_restart_of(&self, who: &str, work: &UnderWay) -> bool {
        let Work::Restart { container, .. } = &work.record.work else { return false };
        self.find(who).await.is_ok_and(|session| session.container_id == *container)
    }

    /// Without starting it.
    pub(super) async fn leave_stopped(&self, work: &UnderWay) -> Result<Outcome> {
        if let Work::Restart { container, .. } = &work.record.work {
            self.stopped(container, work.stage).await?;
        }
        Ok(Outcome::Settled(None))
    }

    /// What still runs may be about to be stopped, by an engine that was asked to, or wait at a gate that nobody will open: asking again
    /// waits for the end of either.
    async fn stopped(&self, container: &str, stage: Option<Stage>) -> Result<Found> {
        let facts = match self.engine.inspect(container).await {
            Err(failure) if failure.code == Code::NotFound => return Ok(Found::Gone),
            inspected => inspected?,
        };
        if stage >= Some(Stage::Opening) {
            return Ok(Found::Begun(facts.status));
        }
        self.engine.stop(container, None).await?;
        Ok(Found::Stopped)
    }
}
