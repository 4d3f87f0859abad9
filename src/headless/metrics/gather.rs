//! What is told, looked up. Postures are kept for a while: measuring walks through `/proc`, and whoever scrapes may do so often.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::backend::Backend;
use crate::depot::ledger::Summary;
use crate::failure::Result;
use crate::policy::posture::Verdict;
use crate::session::{Session, Usage};

/// How long a posture is told again before it is measured anew.
const MEASURED_EVERY: Duration = Duration::from_secs(30);

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
    /// What the depot counted; `None` where there is no depot, or it cannot be read.
    pub depot: Option<Summary>,
    /// How long looking took.
    pub took: Duration,
}

/// Looks again and again, and remembers what is dear.
#[derive(Debug, Default)]
pub(super) struct Watch {
    measured: Option<(Instant, Vec<String>, BTreeMap<String, Verdicts>)>,
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
        Seen { sessions, usage, verdicts, depot: depot.ok().flatten(), took: began.elapsed() }
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
