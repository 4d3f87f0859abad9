//! What nobody needs any more of what everything of ours takes on the engine's disk.
//!
//! What may go is what carries our labels and nothing stands on: never a session that somebody keeps, nor its data; never what another
//! process may be making, nor what anyone built on an image of ours. The engine's own refusal of what is in use is the last word.

#![expect(clippy::disallowed_methods, reason = "an age is compared with the present moment")]

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::{Ours, is, session_of};
use crate::audit_log::Subject;
use crate::backend::Backend;
use crate::backend::engine::{ImageSummary, VolumeFacts};
use crate::backend::image::is_of_a_build;
use crate::backend::leftovers::{is_abandoned, may_be_under_way};
use crate::backend::reap::is_left;
use crate::failure::{Code, Result};
use crate::session::labels;
use crate::units::{SessionId, Untrusted};

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

impl Superfluous {
    /// Found.
    pub fn new(what: What, name: Untrusted, why: &'static str, bytes: Option<u64>) -> Self {
        Self { what, name, why, bytes, kept: None, id: String::new(), of: None }
    }
}

impl Backend {
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

    pub(super) fn superfluous_of(&self, ours: &Ours) -> Result<Vec<Superfluous>> {
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
    let untagged = |image: &&ImageSummary| is(&image.labels, labels::ROLE_IMAGE) && is_of_a_build(image, &ours.steps);
    for image in ours.images.iter().filter(untagged).filter(|image| !is_building && is_old(image) && !stood_on.contains(image.id.as_str()))
    {
        add(What::Image, image.id.as_str().into(), &image.id, "no tag leads to it", Some(image.size.get()), None);
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::backend::engine::{ContainerSummary, DiskUse, VolumeUse};
    use crate::backend::image::{BUILDING, RECIPE_LABEL, STATE_LABEL};
    use crate::session::{ContainerFacts, MountFacts};
    use crate::units::Bytes;

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
        Ours {
            volumes,
            containers: vec![container],
            facts: vec![facts],
            images: Vec::new(),
            steps: Vec::new(),
            sessions: Vec::new(),
            counted: Ok(counted),
        }
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
    #[test]
    fn of_images_without_a_tag_only_what_a_build_of_ours_left_goes() {
        let ours_of = |id: &str, parent: &str, tag: &str, more: &[(&str, &str)]| ImageSummary {
            id: id.to_owned(),
            parent: parent.to_owned(),
            tags: if tag.is_empty() { Vec::new() } else { vec![tag.into()] },
            created: Timestamp::UNIX_EPOCH,
            size: Bytes::mib(1),
            labels: of(&[&[(labels::SCHEMA, "1"), (labels::ROLE, "image")], more].concat()),
        };
        let finished = [(STATE_LABEL, "finished"), (RECIPE_LABEL, "r")];
        let all = vec![
            ours_of("begun", "base", "", &[(STATE_LABEL, BUILDING)]),
            ours_of("step", "base", "", &finished[..1]),
            ours_of("superseded", "step", "", &finished),
            ours_of("current", "step", "palisade-sandbox:latest", &finished),
            // What anyone built on it has its labels, whether the engine knows its parent or not.
            ours_of("somebodys", "current", "", &finished),
            ours_of("somebodys-too", "", "", &finished),
        ];
        let listed = Ours { images: all.iter().filter(|image| image.id != "step").cloned().collect(), steps: all, ..ours(Vec::new()) };
        let now: Timestamp = "2026-02-01T00:00:00Z".parse().unwrap();
        let names = |is_building| {
            let found = judge(&listed, "palisade-supervisor-own", is_building, now);
            found.into_iter().map(|one| one.name.raw().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(false), ["begun", "superseded"]);
        assert_eq!(names(true), [""; 0]);
    }
}
