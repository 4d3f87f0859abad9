//! What is told, looked up. Postures are kept for a while: measuring walks through `/proc`, and whoever scrapes may do so often.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::backend::Backend;
use crate::backend::disk::Taken;
use crate::depot::ledger::Summary;
use crate::failure::Result;
use crate::policy::posture::Verdict;
use crate::session::{Limits, Session, Usage};

/// How long a posture is told again before it is measured anew.
const MEASURED_EVERY: Duration = Duration::from_secs(30);

/// How long what is taken on disk is told again: the engine counts it, by walking through all that it has.
const COUNTED_EVERY: Duration = Duration::from_mins(10);
/// For the engine to count in; what takes it longer is not told.
const COUNTED_WITHIN: Duration = Duration::from_secs(5);

/// Controls of a session by what their verdict is.
pub(super) type Verdicts = BTreeMap<Verdict, u64>;

/// One look at everything.
#[derive(Debug)]
pub(super) struct Seen {
    /// The sessions, or why the engine does not tell.
    pub sessions: Result<Vec<Session>>,
    /// What those that run use, by container; without those that cannot be read.
    pub usage: BTreeMap<String, Usage>,
    /// What holds of those that run, by container.
    pub verdicts: BTreeMap<String, Verdicts>,
    /// What sessions ran into, by container.
    pub limits: BTreeMap<String, Limits>,
    /// What everything takes on disk, where the engine counted it in time.
    pub taken: Option<Taken>,
    /// What the depot counted; `None` where there is no depot, or it cannot be read.
    pub depot: Option<Summary>,
    /// How long looking took.
    pub took: Duration,
}

/// Looks again and again, and remembers what is dear.
#[derive(Debug, Default)]
pub(super) struct Watch {
    measured: Option<(Instant, Vec<String>, BTreeMap<String, Verdicts>)>,
    counted: Option<(Instant, Option<Taken>)>,
}

impl Watch {
    /// Looks at everything once.
    pub async fn look(&mut self, backend: &Backend) -> Seen {
        let began = Instant::now();
        let (sessions, depot) = tokio::join!(backend.sessions(), backend.cache_summary());
        let live: Vec<String> =
            sessions.iter().flatten().filter(|session| session.status.is_live()).map(|session| session.container_id.clone()).collect();
        let usage = backend.usage(&live).await.into_iter().filter_map(|(id, usage)| Some((id, usage.ok()?))).collect();
        let verdicts = self.verdicts(backend, &live).await;
        let all = sessions.as_deref().unwrap_or_default();
        let limits = all.iter().map(|session| session.container_id.clone()).zip(backend.limits(all).await).collect();
        let taken = if sessions.is_ok() { self.taken(backend).await } else { None };
        Seen { sessions, usage, verdicts, limits, taken, depot: depot.ok().flatten(), took: began.elapsed() }
    }

    async fn taken(&mut self, backend: &Backend) -> Option<Taken> {
        if let Some((_, known)) = self.counted.as_ref().filter(|(at, _)| at.elapsed() < COUNTED_EVERY) {
            return known.clone();
        }
        let taken = tokio::time::timeout(COUNTED_WITHIN, backend.taken()).await.ok().and_then(Result::ok);
        self.counted = Some((Instant::now(), taken.clone()));
        taken
    }

    async fn verdicts(&mut self, backend: &Backend, live: &[String]) -> BTreeMap<String, Verdicts> {
        if let Some((at, of, known)) = &self.measured
            && at.elapsed() < MEASURED_EVERY
            && of == live
        {
            return known.clone();
        }
        let inspected = backend.inspect_all(live).await;
        let facts: Vec<_> = inspected.into_iter().filter_map(|(_, facts)| Some(Arc::new(facts.ok()?))).collect();
        let postures = backend.postures(&facts).await;
        let count = |posture: crate::policy::Posture| {
            let mut verdicts = Verdicts::new();
            for control in posture.controls {
                *verdicts.entry(control.verdict).or_default() += 1;
            }
            verdicts
        };
        let verdicts: BTreeMap<String, Verdicts> =
            facts.iter().zip(postures).map(|(facts, (posture, _))| (facts.id.clone(), count(posture))).collect();
        self.measured = Some((Instant::now(), live.to_vec(), verdicts.clone()));
        verdicts
    }
}
