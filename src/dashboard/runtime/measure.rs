//! Sessions inspected and measured, one batch after the other: what is asked for twice meanwhile is done once. Those on the screen
//! are measured again now and then, without a word to the engine: no event tells of a process that was put in from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::Link;
use crate::backend::Backend;
use crate::dashboard::app::Message;
use crate::dashboard::app::row::{ContainerId, Measured};
use crate::failure::Failure;
use crate::session::ContainerFacts;

/// Sessions measured in one go: the first of many are on the screen before the last are asked for.
const BATCH: usize = 25;
/// Between a batch and the next, where nobody waits.
const APART: Duration = Duration::from_millis(100);
/// How often what is on the screen is measured again.
const AGAIN: Duration = Duration::from_secs(30);

/// What the engine reported last, by container.
type Known = BTreeMap<ContainerId, Arc<ContainerFacts>>;

/// Measures whatever is asked for, and again what stands in `on_screen`.
pub async fn measure(link: Link, mut wanted: mpsc::UnboundedReceiver<Vec<ContainerId>>, on_screen: watch::Receiver<Vec<ContainerId>>) {
    let mut queue: Vec<ContainerId> = Vec::new();
    let mut known = Known::new();
    let mut again = interval(AGAIN);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    again.reset();
    loop {
        if queue.is_empty() {
            tokio::select! {
                ids = wanted.recv() => match ids {
                    Some(ids) => queue.extend(ids),
                    None => return,
                },
                _ = again.tick() => {
                    let ids = on_screen.borrow().clone();
                    known.retain(|id, _| ids.contains(id));
                    let facts: Vec<Arc<ContainerFacts>> = known.values().cloned().collect();
                    if !facts.is_empty() {
                        let found = postures(&link, facts).await;
                        link.tell(Message::MeasuredAll(found)).await;
                    }
                    continue;
                }
            }
        }
        while let Ok(ids) = wanted.try_recv() {
            // What was asked for last is what the operator looks at.
            queue.splice(0..0, ids);
        }
        let mut seen = BTreeSet::new();
        queue.retain(|id| seen.insert(id.clone()));
        let batch: Vec<ContainerId> = queue.drain(..queue.len().min(BATCH)).collect();
        let mut failed = Vec::new();
        let mut facts = Vec::new();
        for (id, inspected) in link.backend.inspect_all(&batch).await {
            match inspected {
                Ok(container) => {
                    let container = Arc::new(container);
                    known.insert(id, Arc::clone(&container));
                    facts.push(container);
                }
                Err(failure) => {
                    known.remove(&id);
                    failed.push((id, Err(failure)));
                }
            }
        }
        let mut found = postures(&link, facts).await;
        found.extend(failed);
        link.tell(Message::MeasuredAll(found)).await;
        // A sandbox can give cause without end: who was measured just now waits for its turn.
        if queue.is_empty() {
            sleep(APART).await;
        }
    }
}

async fn postures(link: &Link, facts: Vec<Arc<ContainerFacts>>) -> Vec<(ContainerId, Result<Measured, Failure>)> {
    let postures = link.backend.postures(&facts).await;
    let lives = link.backend.lives(&facts).await;
    let measured = |((facts, (posture, drifted)), life): ((Arc<ContainerFacts>, (_, _)), _)| {
        let network = Backend::network_of(&facts);
        (facts.id.clone(), Ok(Measured { facts, posture: Arc::new(posture), network, drifted: Arc::new(drifted), life }))
    };
    facts.into_iter().zip(postures).zip(lives).map(measured).collect()
}
