//! Caps on disk, looked at from outside: a session can hide from its own supervisor what it closes to its own user, and can keep it from
//! running. The engine sees everything, and counts it when asked, which is dear: for `reap`, not for a look.

use std::sync::Arc;
use std::time::Duration;

use super::Backend;
use super::engine::ContainerSummary;
use crate::failure::Result;
use crate::session::{Limit, labels};
use crate::units::Bytes;

const COUNTING: Duration = Duration::from_mins(1);
/// A supervisor sees by then what was written before it was counted, unless there is very much of it.
const SEEN_WITHIN: Duration = Duration::from_secs(3);

/// A session that takes more than it may, and goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Over {
    /// Its container.
    pub container: String,
    /// How much it takes.
    pub bytes: Bytes,
    /// The cap.
    pub cap: Bytes,
}

impl Backend {
    /// Those that run above the cap that should have stopped them. Where no session has one, the engine counts nothing; where it does not
    /// tell, that is told and no session is found.
    pub(super) async fn over_their_caps(&self) -> Result<Vec<Over>> {
        let capped: Vec<(ContainerSummary, u64)> = self
            .engine
            .our_containers()
            .await?
            .into_iter()
            .filter(|container| container.status.is_live())
            .filter_map(|container| {
                let label = |name: &str| container.labels.get(name).map(crate::units::Untrusted::raw);
                let is_session = label(labels::SCHEMA) == Some(labels::SCHEMA_VALUE) && label(labels::ROLE) == Some(labels::ROLE_SESSION);
                let cap = label(labels::DISK_HARD)?.parse().ok().filter(|cap: &u64| is_session && *cap > 0)?;
                Some((container, cap))
            })
            .collect();
        if capped.is_empty() {
            return Ok(Vec::new());
        }
        let volumes = self.engine.our_volumes().await?;
        let counted = match self.engine.disk_use(COUNTING).await {
            Ok(counted) => counted,
            Err(failure) => {
                self.warn(format!("whether sessions take more than they may is not known: {}", failure.message));
                return Ok(Vec::new());
            }
        };
        let mut over = Vec::new();
        for (container, cap) in capped {
            let id = container.labels.get(labels::ID);
            let of_it = volumes.iter().filter(|volume| id.is_some() && volume.labels.get(labels::ID) == id);
            let volumes: u64 = of_it.filter_map(|volume| counted.volumes.get(&volume.name)?.bytes).sum();
            let bytes = volumes.saturating_add(counted.layers.get(&container.id).copied().unwrap_or(0));
            if is_over(bytes, cap, Some(false)) {
                over.push(Over { container: container.id, bytes: Bytes::new(bytes), cap: Bytes::new(cap) });
            }
        }
        if !over.is_empty() {
            tokio::time::sleep(SEEN_WITHIN).await;
            let ids: Vec<String> = over.iter().map(|over| over.container.clone()).collect();
            let mut knows = self.known_to_their_supervisors(ids).await.into_iter();
            over.retain(|over| is_over(over.bytes.get(), over.cap.get(), knows.next().flatten()));
        }
        Ok(over)
    }

    /// Whether their supervisors have seen it, and end them or let them make room; `None` where that cannot be seen.
    async fn known_to_their_supervisors(&self, ids: Vec<String>) -> Vec<Option<bool>> {
        if self.engine.endpoint().socket.is_none() {
            return vec![None; ids.len()];
        }
        let reader = Arc::clone(&self.usage);
        let read = tokio::task::spawn_blocking(move || reader.limits(&ids)).await.unwrap_or_default();
        read.into_iter().map(|read| read.ok().map(|reading| reading.disk.contains_key(&Limit::DiskHard))).collect()
    }
}

/// Whether it is stopped from outside; `knows` says whether its supervisor has seen it, where that can be seen.
fn is_over(bytes: u64, cap: u64, knows: Option<bool>) -> bool {
    match knows {
        Some(true) => false,
        // What its supervisor is about to see is its own.
        Some(false) => bytes > cap.saturating_add(cap / 16),
        None => bytes / 2 > cap,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_its_supervisor_sees_to_is_left_to_it() {
        assert!(!is_over(1 << 30, 1 << 20, Some(true)));
        assert!(!is_over(165, 160, Some(false)) && is_over(171, 160, Some(false)));
        assert!(!is_over(320, 160, None) && is_over(330, 160, None));
    }
}
