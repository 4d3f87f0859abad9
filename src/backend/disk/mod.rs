//! What everything of ours takes on the engine's disk, and what of it nobody needs any more.

mod superfluous;
mod taken;
mod volumes;

use std::collections::BTreeMap;
use std::time::Duration;

use super::Backend;
use super::engine::{ContainerSummary, DiskUse, ImageSummary, VolumeFacts};
use crate::failure::{Code, Failure, Result};
use crate::session::{ContainerFacts, Session, labels};
use crate::units::{SessionId, Untrusted};

pub use superfluous::{Superfluous, What};
pub use taken::{SessionDisk, Taken, size_in_words};
pub use volumes::VolumesTaken;

/// An engine counts by walking through all that it has.
const COUNTING: Duration = Duration::from_mins(1);

/// Everything of ours that an engine lists, at one moment.
struct Ours {
    volumes: Vec<VolumeFacts>,
    containers: Vec<ContainerSummary>,
    facts: Vec<ContainerFacts>,
    images: Vec<ImageSummary>,
    /// With those that have no name and that others stand on.
    steps: Vec<ImageSummary>,
    sessions: Vec<Session>,
    counted: Result<DiskUse>,
}

impl Backend {
    async fn ours(&self, with_sizes: bool) -> Result<Ours> {
        // Volumes before containers: whose container is made in between has one then.
        let volumes = self.engine.our_volumes().await?;
        let images = self.engine.our_images().await?;
        let steps = self.engine.our_images_and_steps().await?;
        let containers = self.engine.our_containers().await?;
        let sessions = self.sessions().await?;
        let ids: Vec<String> = containers.iter().map(|container| container.id.clone()).collect();
        let mut facts = Vec::with_capacity(ids.len());
        for (_, inspected) in self.inspect_all(&ids).await {
            match inspected {
                Ok(found) => facts.push(found),
                Err(failure) if failure.code == Code::NotFound => {}
                // What it uses is not known.
                Err(failure) => return Err(failure),
            }
        }
        let counted = if with_sizes { self.engine.disk_use(COUNTING).await } else { Err(Failure::new(Code::Internal, "not asked for")) };
        Ok(Ours { volumes, containers, facts, images, steps, sessions, counted })
    }
}

fn is(all: &BTreeMap<String, Untrusted>, role: &str) -> bool {
    let label = |name: &str| all.get(name).map(Untrusted::raw);
    label(labels::SCHEMA) == Some(labels::SCHEMA_VALUE) && label(labels::ROLE) == Some(role)
}

/// Of what session something is, where it says so.
fn session_of(all: &BTreeMap<String, Untrusted>) -> Option<SessionId> {
    all.get(labels::ID)?.raw().parse().ok().filter(|id| *id != SessionId::NIL)
}
