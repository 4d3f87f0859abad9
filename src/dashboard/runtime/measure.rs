//! Sessions inspected and measured, one batch after the other: what is asked for twice meanwhile is done once.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::Link;
use crate::backend::Backend;
use crate::dashboard::app::Message;
use crate::dashboard::app::row::{ContainerId, Measured};

/// Sessions measured in one go: the first of many are on the screen before the last are asked for.
const BATCH: usize = 25;

/// Measures whatever is asked for.
pub async fn measure(link: Link, mut wanted: mpsc::UnboundedReceiver<Vec<ContainerId>>) {
    let mut queue: Vec<ContainerId> = Vec::new();
    loop {
        if queue.is_empty() {
            match wanted.recv().await {
                Some(ids) => queue.extend(ids),
                None => return,
            }
        }
        while let Ok(ids) = wanted.try_recv() {
            // What was asked for last is what the operator looks at.
            queue.splice(0..0, ids);
        }
        let mut seen = BTreeSet::new();
        queue.retain(|id| seen.insert(id.clone()));
        let batch: Vec<ContainerId> = queue.drain(..queue.len().min(BATCH)).collect();
        let mut found = Vec::new();
        let mut facts = Vec::new();
        for (id, inspected) in link.backend.inspect_all(&batch).await {
            match inspected {
                Ok(container) => facts.push(Arc::new(container)),
                Err(failure) => found.push((id, Err(failure))),
            }
        }
        let postures = link.backend.postures(&facts).await;
        for (facts, posture) in facts.into_iter().zip(postures) {
            let network = Backend::network_of(&facts);
            found.push((facts.id.clone(), Ok(Measured { facts, posture: Arc::new(posture), network })));
        }
        link.tell(Message::MeasuredAll(found)).await;
    }
}
