//! What everything of ours takes on the engine's disk, and what of it nobody needs any more.
//!
//! What may go is what carries our labels and nothing stands on: never a session that somebody keeps, nor its data; never what another
//! process may be making. The engine's own refusal of what is in use is the last word.

#![expect(clippy::disallowed_methods, reason = "an age is compared with the present moment")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::Backend;
use super::engine::{ContainerSummary, DiskUse, ImageSummary, VolumeFacts};
use super::leftovers::{is_abandoned, may_be_under_way};
use super::reap::is_left;
use crate::audit_log::Subject;
use crate::failure::{Code, Failure, Result};
use crate::session::{ContainerFacts, Session, labels};
use crate::units::{Bytes, SessionId, Untrusted};

/// An engine counts by walking through all that it has.
const COUNTING: Duration = Duration::from_mins(1);
/// No build takes so long between two of its steps.
const BUILDING: Duration = Duration::from_hours(1);

/// What something of ours is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A session, with its container and volumes.
    Session,
    /// A container that is no session.
    Container,
    /// A volume.
    Volume,
    /// An image.
    Image,
}

/// Something that nobody needs any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Superfluous {
    /// What it is.
    pub what: What,
    /// What it is called.
    pub name: Untrusted,
    /// Why nobody needs it.
    pub why: &'static str,
    /// On disk, where that is known.
    pub bytes: Option<u64>,
    /// What became of it, once something did: empty for removed, else why it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<Untrusted>,
    /// By which the engine knows it.
    #[serde(skip)]
    id: String,
    /// The session that it was of.
    #[serde(skip)]
    of: Option<Subject>,
}

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

/// Everything of ours that an engine lists, at one moment.
struct Ours {
    volumes: Vec<VolumeFacts>,
    containers: Vec<ContainerSummary>,
    facts: Vec<ContainerFacts>,
    images: Vec<ImageSummary>,
    sessions: Vec<Session>,
    counted: Result<DiskUse>,
}

impl Superfluous {
    /// Found.
    pub fn new(what: What, name: Untrusted, why: &'static str, bytes: Option<u64>) -> Self {
        Self { what, name, why, bytes, kept: None, id: String::new(), of: None }
    }
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

    /// What nobody needs any more; sizes cost the engine a count, and are for who wants them.
    pub async fn superfluous(&self, with_sizes: bool) -> Result<Vec<Superfluous>> {
        let ours = self.ours(with_sizes).await?;
        self.superfluous_of(&ours)
    }

    /// Removes it, and says of each whether it went.
    pub async fn prune(&self, found: Vec<Superfluous>) -> Result<Vec<Superfluous>> {
        let mut done = Vec::with_capacity(found.len());
        for mut one in found {
            let removed = match one.what {
                What::Session => self.remove(&one.id, false).await.map(drop),
                // By the same judgement, made anew: what its maker left goes as a whole.
                What::Container => self.clear_up().await.map(drop),
                What::Volume => self.engine.remove_volume(&one.id).await,
                What::Image => self.engine.remove_image(&one.id).await,
            };
            match removed {
                Ok(()) => {
                    if one.what != What::Session {
                        self.record_on("prune", one.of.clone(), json!({ "what": one.what, "name": one.name, "why": one.why }));
                    }
                }
                // Somebody uses it.
                Err(failure) if failure.code != Code::EngineUnreachable => one.kept = Some(failure.message.into()),
                Err(failure) => return Err(failure),
            }
            done.push(one);
        }
        Ok(done)
    }

    async fn ours(&self, with_sizes: bool) -> Result<Ours> {
        // Volumes before containers: whose container is made in between has one then.
        let volumes = self.engine.our_volumes().await?;
        let images = self.engine.our_images().await?;
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
        Ok(Ours { volumes, containers, facts, images, sessions, counted })
    }

    fn superfluous_of(&self, ours: &Ours) -> Result<Vec<Superfluous>> {
        let own = self.planned_supervisor_volume()?;
        Ok(judge(ours, &own, self.is_building(), Timestamp::now()))
    }
}

fn judge(ours: &Ours, own_supervisor: &str, is_building: bool, now: Timestamp) -> Vec<Superfluous> {
    let counted = ours.counted.as_ref().ok();
    let size = |volume: &str| counted.and_then(|counted| counted.volumes.get(volume)?.bytes);
    let mut found = Vec::new();
    let mut add = |what, name: Untrusted, id: &str, why, bytes, of| {
        found.push(Superfluous { id: id.to_owned(), of, ..Superfluous::new(what, name, why, bytes) });
    };
    for session in ours.sessions.iter().filter(|session| is_left(session, now)) {
        add(What::Session, session.name.as_str().into(), &session.container_id, "it is ephemeral and has ended", None, None);
    }
    for container in ours.containers.iter().filter(|container| is_abandoned(container)) {
        add(What::Container, container.name.clone(), &container.id, "whoever made it was ended before it was done with it", None, None);
    }
    let mounted: BTreeSet<&str> = ours.facts.iter().flat_map(|facts| &facts.mounts).map(|mount| mount.name.as_str()).collect();
    let is_used = |volume: &VolumeFacts| {
        let by_others = counted.and_then(|counted| counted.volumes.get(&volume.name)?.containers).is_some_and(|count| count > 0);
        by_others || mounted.contains(volume.name.as_str()) || may_be_under_way(&volume.labels, volume.created.parse().ok())
    };
    let alive: BTreeSet<SessionId> = ours.containers.iter().filter_map(|container| session_of(&container.labels)).collect();
    for volume in ours.volumes.iter().filter(|volume| !is_used(volume)) {
        let name = Untrusted::from(volume.name.as_str());
        if is(&volume.labels, labels::ROLE_SUPERVISOR) && volume.name != own_supervisor {
            add(What::Volume, name, &volume.name, "it holds another palisade, which no session uses", size(&volume.name), None);
        } else if is(&volume.labels, labels::ROLE_SESSION)
            && let Some(id) = session_of(&volume.labels).filter(|id| !alive.contains(id))
        {
            let called = volume.labels.get(labels::NAME).map(|name| crate::units::sanitise(name.raw())).unwrap_or_default();
            let of = Some(Subject { id: id.to_string(), name: called });
            add(What::Volume, name, &volume.name, "its session has no container any more", size(&volume.name), of);
        }
    }
    let stood_on: BTreeSet<&str> = ours.facts.iter().map(|facts| facts.image_id.as_str()).collect();
    let is_old = |image: &ImageSummary| now.duration_since(image.created).unsigned_abs() > BUILDING;
    let untagged = |image: &&ImageSummary| image.tags.is_empty() && is(&image.labels, labels::ROLE_IMAGE);
    for image in ours.images.iter().filter(untagged).filter(|image| !is_building && is_old(image) && !stood_on.contains(image.id.as_str()))
    {
        add(What::Image, image.id.as_str().into(), &image.id, "no tag leads to it", Some(image.size.get()), None);
    }
    found
}

fn is(all: &BTreeMap<String, Untrusted>, role: &str) -> bool {
    let label = |name: &str| all.get(name).map(Untrusted::raw);
    label(labels::SCHEMA) == Some(labels::SCHEMA_VALUE) && label(labels::ROLE) == Some(role)
}

/// Of what session something is, where it says so.
fn session_of(all: &BTreeMap<String, Untrusted>) -> Option<SessionId> {
    all.get(labels::ID)?.raw().parse().ok().filter(|id| *id != SessionId::NIL)
}

/// A size in words.
pub fn size_in_words(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "unknown".to_owned(), |bytes| Bytes::new(bytes).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::engine::VolumeUse;
    use crate::session::MountFacts;

    const ID: &str = "01arz3ndektsv4rrffq69g5fav";
    const GONE: &str = "01bx5zzkbkactav9wevgemmvrz";

    fn of(pairs: &[(&str, &str)]) -> BTreeMap<String, Untrusted> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), Untrusted::from(*value))).collect()
    }

    fn volume(name: &str, all: &[(&str, &str)]) -> VolumeFacts {
        let created = "2026-01-01T00:00:00Z".to_owned();
        VolumeFacts { name: name.to_owned(), mountpoint: String::new(), created, labels: of(all) }
    }

    fn ours(volumes: Vec<VolumeFacts>) -> Ours {
        let all = of(&[(labels::SCHEMA, "1"), (labels::ROLE, "session"), (labels::ID, ID)]);
        let mount = MountFacts {
            kind: "volume".to_owned(),
            name: "palisade-supervisor-used".to_owned(),
            source: "".into(),
            destination: "".into(),
            read_write: false,
        };
        let facts = ContainerFacts { id: "c".to_owned(), labels: all.clone(), mounts: vec![mount], ..ContainerFacts::default() };
        let container = ContainerSummary {
            id: "c".to_owned(),
            name: "palisade-web".into(),
            image: "i".into(),
            command: "".into(),
            created: Timestamp::UNIX_EPOCH,
            status: crate::session::Status::Exited,
            status_text: "".into(),
            labels: all,
        };
        let counted = DiskUse {
            volumes: [("foreign-used".to_owned(), VolumeUse { bytes: Some(5), containers: Some(1) })].into(),
            layers: BTreeMap::new(),
        };
        Ours { volumes, containers: vec![container], facts: vec![facts], images: Vec::new(), sessions: Vec::new(), counted: Ok(counted) }
    }

    #[test]
    fn only_what_is_ours_and_of_nobody_goes() {
        let session = |id| [(labels::SCHEMA, "1"), (labels::ROLE, "session"), (labels::ID, id)];
        let supervisor = [(labels::SCHEMA, "1"), (labels::ROLE, "supervisor")];
        let kept = [
            volume("palisade-home-kept", &session(ID)),
            volume("foreign-used", &session(GONE)),
            volume("palisade-home-01bx5zzkbkactav9wevgemmvrz", &[]),
            volume("other-schema", &[(labels::SCHEMA, "2"), (labels::ROLE, "session"), (labels::ID, GONE)]),
            volume("no-id", &session("x")),
            volume("depot", &[(labels::SCHEMA, "1"), (labels::ROLE, "depot")]),
            volume("palisade-supervisor-own", &supervisor),
            volume("palisade-supervisor-used", &supervisor),
        ];
        let now: Timestamp = "2026-02-01T00:00:00Z".parse().unwrap();
        let names = |volumes: Vec<VolumeFacts>| {
            let found = judge(&ours(volumes), "palisade-supervisor-own", false, now);
            found.into_iter().map(|one| one.name.raw().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(kept.to_vec()), [""; 0]);
        let gone = vec![volume("palisade-home-gone", &session(GONE)), volume("palisade-supervisor-old", &supervisor)];
        assert_eq!(names(gone), ["palisade-home-gone", "palisade-supervisor-old"]);
    }
}
