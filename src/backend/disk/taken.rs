//! What everything of ours takes on the engine's disk.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{is, session_of};
use crate::backend::Backend;
use crate::backend::engine::VolumeFacts;
use crate::failure::Result;
use crate::session::labels;
use crate::units::{Bytes, SessionId, Untrusted};

/// What one session takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionDisk {
    /// The session.
    pub name: Untrusted,
    /// Its id.
    pub id: SessionId,
    /// Its volumes, where the engine counted.
    pub volumes: Option<u64>,
    /// What it wrote over its image, likewise.
    pub layer: Option<u64>,
    /// The cap that warns; 0 for none.
    pub soft: u64,
    /// The cap that stops it; 0 for none.
    pub hard: u64,
}

/// What everything of ours takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// By session.
    pub sessions: Vec<SessionDisk>,
    /// Volumes of sessions that are gone, and of supervisors.
    pub other_volumes: Option<u64>,
    /// The depot's volumes: its store and its counters.
    pub depot: Option<u64>,
    /// Images of ours, with layers that they share.
    pub images: u64,
    /// What `prune` would free, as far as it is known.
    pub reclaimable: u64,
    /// Why some of it is not known.
    pub unknown: Option<Untrusted>,
}

impl Backend {
    /// What everything of ours takes.
    pub async fn taken(&self) -> Result<Taken> {
        let ours = self.ours(true).await?;
        let reclaimable = self.superfluous_of(&ours)?.iter().filter_map(|found| found.bytes).sum();
        let counted = ours.counted.as_ref().ok();
        let sum = |is_meant: &dyn Fn(&VolumeFacts) -> bool| {
            let all = ours.volumes.iter().filter(|volume| is_meant(volume));
            counted.map(|counted| all.filter_map(|volume| counted.volumes.get(&volume.name)?.bytes).sum::<u64>())
        };
        let sessions: Vec<SessionDisk> = ours
            .sessions
            .iter()
            .map(|session| {
                let facts = ours.facts.iter().find(|facts| facts.id == session.container_id);
                let cap = |name| facts.and_then(|facts| facts.labels.get(name)?.raw().parse().ok()).unwrap_or(0);
                SessionDisk {
                    name: Untrusted::from(session.name.as_str()),
                    id: session.id,
                    volumes: sum(&|volume| session.id != SessionId::NIL && session_of(&volume.labels) == Some(session.id)),
                    layer: counted.map(|counted| counted.layers.get(&session.container_id).copied().unwrap_or(0)),
                    soft: cap(labels::DISK_SOFT),
                    hard: cap(labels::DISK_HARD),
                }
            })
            .collect();
        let listed: BTreeSet<SessionId> = sessions.iter().map(|session| session.id).collect();
        Ok(Taken {
            other_volumes: sum(&|volume| {
                is(&volume.labels, labels::ROLE_SUPERVISOR)
                    || (is(&volume.labels, labels::ROLE_SESSION) && session_of(&volume.labels).is_none_or(|id| !listed.contains(&id)))
            }),
            depot: sum(&|volume| is(&volume.labels, labels::ROLE_DEPOT)),
            images: ours.images.iter().map(|image| image.size.get()).sum(),
            reclaimable,
            unknown: ours.counted.as_ref().err().map(|failure| failure.message.as_str().into()),
            sessions,
        })
    }
}

/// A size in words.
pub fn size_in_words(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "unknown".to_owned(), |bytes| Bytes::new(bytes).to_string())
}
