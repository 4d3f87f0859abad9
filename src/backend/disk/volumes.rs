//! What volumes of ours take, those of each session apart: the least that an engine can be asked to count.

use std::collections::BTreeMap;

use super::{COUNTING, session_of};
use crate::backend::Backend;
use crate::failure::Result;
use crate::units::{Bytes, SessionId};

/// What volumes of ours take on the engine's disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VolumesTaken {
    /// All of them.
    pub total: Bytes,
    /// Those of each session: what its caps are held against.
    pub sessions: BTreeMap<SessionId, Bytes>,
}

impl Backend {
    /// What volumes of ours take. The engine walks through them.
    pub async fn volumes_taken(&self) -> Result<VolumesTaken> {
        let volumes = self.engine.our_volumes().await?;
        let names: Vec<String> = volumes.iter().map(|volume| volume.name.clone()).collect();
        let sizes = self.engine.volume_sizes(&names, COUNTING).await?;
        let mut taken = VolumesTaken { total: sum(sizes.values().copied()), ..VolumesTaken::default() };
        for volume in &volumes {
            if let (Some(session), Some(bytes)) = (session_of(&volume.labels), sizes.get(&volume.name)) {
                let so_far = taken.sessions.entry(session).or_default();
                *so_far = sum([so_far.get(), *bytes]);
            }
        }
        Ok(taken)
    }
}

fn sum(sizes: impl IntoIterator<Item = u64>) -> Bytes {
    Bytes::new(sizes.into_iter().fold(0, u64::saturating_add))
}
