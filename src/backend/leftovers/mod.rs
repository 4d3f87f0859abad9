//! What a palisade that was killed left half made: found, and completed or undone.
//!
//! Whoever is about to ask an engine for something that takes more than one request writes down first what that is, in a file of the
//! [`journal`] that its process holds locked. A file that can be locked is of a process that has ended: the next command that changes
//! something settles it. What an engine makes carries the same word in a label ([`maker`]), for managers that have another journal.
//!
//! Nothing goes but what says that it was made for the very piece of work that is settled, and of a session's volumes only those of a
//! session whose gate nobody had begun to open.

mod again;
mod journal;
mod maker;
mod settle;
mod swap;
mod sweep;
mod work;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Backend;
use super::prepare::mint;
use crate::failure::{Code, Failure, Result};
use journal::{Held, Journal};
use settle::Outcome;
use work::Record;

pub(super) use maker::Maker;
pub(super) use sweep::{has_ended, is_abandoned, is_at_work, may_be_under_way};
pub(super) use work::{Stage, Work};

/// What was settled and what could not be, until someone tells the operator.
#[derive(Debug, Default)]
pub(super) struct Settled(Mutex<Vec<String>>);

/// Work under way. Dropped without [`Self::done`] it is left to be settled, as if its process had ended.
#[derive(Debug)]
pub(super) struct UnderWay {
    record: Record,
    /// `None` where the journal cannot be written: labels alone tell then.
    held: Option<Held>,
    stage: Option<Stage>,
}

impl UnderWay {
    /// The value of the label that what is made for it carries.
    pub fn label(&self) -> String {
        self.record.maker.label(&self.record.id)
    }

    /// Writes down how far it came.
    pub fn reached(&mut self, stage: Stage) {
        self.stage = self.stage.max(Some(stage));
        if let Some(held) = &mut self.held {
            held.note(stage);
        }
    }

    /// What was begun is to be undone, wherever it failed.
    pub fn given_up(&mut self) {
        // Before that it is undone whoever settles it.
        if self.stage >= Some(Stage::Opening) {
            self.reached(Stage::GivenUp);
        }
    }

    /// Writes down that something else is left to do from here on.
    fn becomes(&mut self, work: Work) {
        self.record.work = work;
        self.stage = None;
        if let Some(held) = &mut self.held {
            // Best effort: what cannot be written is not known to whoever settles it in place of us.
            let _ = held.becomes(&self.record);
        }
    }

    /// It ended like this: done, unless the engine was lost in the middle and with it what had become of it.
    pub fn ended<T>(self, how: &Result<T>) {
        if how.as_ref().err().is_none_or(|failure| failure.code != Code::EngineUnreachable) {
            self.done();
        }
    }

    /// Nothing of it is left to do.
    pub fn done(self) {
        if let Some(held) = self.held {
            held.remove();
        }
    }
}

impl Backend {
    /// Writes down what is about to be done.
    pub(super) fn begin(&self, work: Work) -> Result<UnderWay> {
        let (id, maker) = (mint()?.to_string(), Maker::this_process());
        let record = Record::new(id, self.engine.endpoint().uri.clone(), maker, work);
        let held = match self.journal().add(&record) {
            Ok(held) => Some(held),
            Err(error) => {
                self.tell_later(format!("what is under way cannot be written to {}: {error}", self.journal().folder().display()));
                None
            }
        };
        Ok(UnderWay { record, held, stage: None })
    }

    /// Completes or undoes what processes that have ended left half done, by this machine's journal. Costs the engine nothing where there
    /// is nothing. What cannot be settled now is left for later, and told: it is no reason not to do what was asked for.
    pub(super) async fn settle(&self) {
        self.settle_before(None).await;
    }

    /// The same, before a session is started or stopped: one that was to be started again is then as is asked for now.
    pub(super) async fn settle_before(&self, asked: Option<&str>) {
        for (record, held) in self.journal().left(&self.engine.endpoint().uri) {
            let (stage, quiet_for) = (held.stage(), held.quiet_for());
            let mut work = UnderWay { record: record.clone(), held: Some(held), stage };
            let what = &record.work;
            match self.settle_asked(&mut work, quiet_for, asked).await {
                Ok(Outcome::Settled(done)) => {
                    if let Some(done) = done {
                        self.record_settled(&record, &done);
                        self.tell_later(format!("{what} was cut short when its palisade ended: {done}"));
                    }
                    work.done();
                }
                Ok(Outcome::Later) => work.reached(Stage::LookedFor),
                Err(failure) => {
                    self.tell_later(format!("{what} was cut short and cannot be settled yet: {}", failure.message));
                }
            }
        }
    }

    /// Undoes work of this process that failed, and adds to its failure what is left of it. What is, the next command settles.
    pub(super) async fn abandon(&self, mut work: UnderWay, failure: Failure) -> Failure {
        // What was lost with a connection may yet be carried out.
        let quiet_for = if failure.code == Code::EngineUnreachable { Duration::ZERO } else { settle::LATE };
        match self.settle_asked(&mut work, quiet_for, None).await {
            Ok(Outcome::Settled(done)) => {
                // What ran was stopped for it.
                let again = done.filter(|_| matches!(work.record.work, Work::Restart { .. }));
                work.done();
                again.into_iter().fold(failure, Failure::detail)
            }
            Ok(Outcome::Later) => failure,
            Err(error) => failure
                .detail(format!("left behind: what was made of it, and cannot be removed now: {}", error.message))
                .hint("once the engine answers, the next palisade command that changes something clears it up"),
        }
    }

    /// What was settled since this was last asked, for the operator.
    pub fn settled(&self) -> Vec<String> {
        std::mem::take(&mut *self.settled.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Pieces of work on this engine that processes which have ended left half done, and that nobody has looked for yet.
    pub(super) fn unsettled(&self) -> usize {
        let left = self.journal().left(&self.engine.endpoint().uri);
        left.into_iter().filter(|(_, held)| held.stage() != Some(Stage::LookedFor)).count()
    }

    /// Whether an image is being built here, with steps that no tag leads to yet.
    pub(super) fn is_building(&self) -> bool {
        self.journal().is_at_work(&self.engine.endpoint().uri, |record| matches!(record.work, Work::Build { .. }))
    }

    fn tell_later(&self, text: String) {
        let mut settled = self.settled.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !settled.contains(&text) {
            settled.push(text);
        }
    }

    fn journal(&self) -> Journal {
        Journal::new(&self.paths.state)
    }
}
