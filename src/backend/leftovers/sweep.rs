//! What no journal here tells of: by its maker's label where the maker can be looked for, by age where it cannot.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::maker::{Life, Maker};
use super::settle::work_of;
use super::swap::is_half_made;
use super::work::Work;
use crate::backend::Backend;
use crate::backend::engine::{ContainerSummary, VolumeFacts};
use crate::failure::{Code, Result};
use crate::session::{Kind, Status, labels};
use crate::units::Untrusted;

/// No helper of a manager elsewhere takes so long: a probe, the slowest, gives up long before.
const HELPER_TAKES: Duration = Duration::from_mins(2);
/// Nor does one that brings up a session over a slow line, from creating to starting it.
const LAUNCH_TAKES: Duration = Duration::from_mins(15);
/// Helpers that no manager keeps.
const HELPERS: [&str; 3] = [labels::ROLE_SUPERVISOR, labels::ROLE_PROBE, labels::ROLE_HOME];

/// Whether a container of ours is one that its maker never finished, and will not.
///
/// A session that was never started is; one that was may have run. An ephemeral one that an engine began to remove and could not is gone for
/// all but its remains. A container without a maker's label is of an older palisade, and a helper then.
pub fn is_abandoned(container: &ContainerSummary) -> bool {
    let label = |name: &str| container.labels.get(name).map(Untrusted::raw);
    if label(labels::SCHEMA) != Some(labels::SCHEMA_VALUE) {
        return false;
    }
    let role = label(labels::ROLE);
    let is_helper = role.is_some_and(|role| HELPERS.contains(&role));
    // One that took another's place in an update is whole, started or not.
    let is_whole = label(labels::REPLACES).is_some_and(|replaced| !replaced.is_empty()) && !is_half_made(container);
    let is_unstarted = role == Some(labels::ROLE_SESSION) && container.status == Status::Created && !is_whole;
    let is_ephemeral = label(labels::KIND).and_then(|kind| kind.parse().ok()) == Some(Kind::Ephemeral);
    let is_unremoved = role == Some(labels::ROLE_SESSION) && is_ephemeral && container.status == Status::Dead;
    let maker = label(labels::MAKER).and_then(Maker::parse).map(|(maker, _)| maker.life());
    match maker {
        Some(Life::Runs) => false,
        Some(Life::Ended) => is_helper || is_unstarted || is_unremoved,
        Some(Life::Elsewhere) | None if is_unremoved => true,
        Some(Life::Elsewhere) => {
            (is_helper && older_than(container.created, HELPER_TAKES)) || (is_unstarted && older_than(container.created, LAUNCH_TAKES))
        }
        None => is_helper && older_than(container.created, HELPER_TAKES),
    }
}

/// Whether the maker of what has these labels is known to have ended.
pub fn has_ended(all: &BTreeMap<String, Untrusted>) -> bool {
    maker_of(all) == Some(Life::Ended)
}

/// Whether it is known to be at work still.
pub fn is_at_work(all: &BTreeMap<String, Untrusted>) -> bool {
    maker_of(all) == Some(Life::Runs)
}

fn maker_of(all: &BTreeMap<String, Untrusted>) -> Option<Life> {
    all.get(labels::MAKER).and_then(|label| Maker::parse(label.raw())).map(|(maker, _)| maker.life())
}

/// Whether what has these labels, and was made then, may yet be put to use by its maker.
pub fn may_be_under_way(all: &BTreeMap<String, Untrusted>, created: Option<jiff::Timestamp>) -> bool {
    match maker_of(all) {
        Some(Life::Runs) => true,
        Some(Life::Ended) => false,
        Some(Life::Elsewhere) | None => created.is_none_or(|created| !older_than(created, LAUNCH_TAKES)),
    }
}

#[expect(clippy::disallowed_methods, reason = "an age needs the present moment")]
fn older_than(created: jiff::Timestamp, age: Duration) -> bool {
    jiff::Timestamp::now().duration_since(created).unsigned_abs() > age
}

impl Backend {
    /// Removes what makers left that have another journal, or none: helpers, sessions that were never started, and their volumes. Says
    /// what it removed.
    pub(in crate::backend) async fn sweep(&self) -> Result<Vec<String>> {
        let abandoned: Vec<ContainerSummary> = self.engine.our_containers().await?.into_iter().filter(is_abandoned).collect();
        let volumes: Vec<VolumeFacts> = self.engine.our_volumes().await?.into_iter().filter(is_sessions).collect();
        let (mut removed, mut unused, mut under_way) = (Vec::new(), Vec::new(), Vec::new());
        for container in &abandoned {
            let of_it = unused_with(container, &volumes);
            if let Some(work) = removal_of(container, &of_it) {
                // What is swept by labels is told by none of them once the container is gone.
                under_way.push(self.begin(work)?);
            }
            unused.extend(of_it);
            self.remove_to_its_end(&container.id).await?;
            removed.push(format!("container {}", container.name));
        }
        // After every container: a helper of a session's uses its volumes.
        for volume in unused {
            self.remove_volume_once_free(&volume).await?;
            removed.push(format!("volume {volume}"));
        }
        for work in under_way {
            work.done();
        }
        removed.extend(self.sweep_put_aside().await?);
        removed.extend(self.sweep_nameless(volumes).await?);
        if !removed.is_empty() {
            self.record_on("sweep", None, json!({ "removed": removed, "why": "its maker was ended before it was done with it" }));
        }
        Ok(removed)
    }

    /// As [`Self::sweep`], beside what was asked for: that is done whatever becomes of this.
    pub(in crate::backend) async fn sweep_beside(&self) {
        if let Err(failure) = self.sweep().await {
            self.tell_later(format!("what a killed palisade left cannot be removed yet: {}", failure.message));
        }
    }

    /// Everything that can be cleared away: by the journal, then by labels. Says what went by labels; [`Self::settled`] says the rest.
    pub async fn clear_up(&self) -> Result<Vec<String>> {
        self.settle().await;
        self.sweep().await
    }

    /// Volumes without a name of their own go with their container, unless the engine ended in between.
    async fn sweep_nameless(&self, mut volumes: Vec<VolumeFacts>) -> Result<Vec<String>> {
        let is_nameless = |volume: &VolumeFacts| volume.name.len() == 64 && volume.name.bytes().all(|byte| byte.is_ascii_hexdigit());
        volumes.retain(|volume| is_nameless(volume) && has_ended(&volume.labels));
        if volumes.is_empty() {
            return Ok(Vec::new());
        }
        let containers = self.engine.our_containers().await?;
        let session = |all: &BTreeMap<String, Untrusted>| all.get(labels::ID).map(|id| id.raw().to_owned());
        let mut removed = Vec::new();
        for volume in volumes {
            let of = session(&volume.labels);
            if of.is_some() && containers.iter().all(|container| session(&container.labels) != of) {
                match self.engine.remove_volume(&volume.name).await {
                    Ok(()) => removed.push(format!("volume {}", volume.name)),
                    // Somebody's container uses it.
                    Err(failure) if failure.code == Code::Conflict => {}
                    Err(failure) => return Err(failure),
                }
            }
        }
        Ok(removed)
    }
}

/// What was made with a session that was never started was never used; a home that was there before has another maker.
fn unused_with(container: &ContainerSummary, volumes: &[VolumeFacts]) -> Vec<String> {
    let is_session = container.labels.get(labels::ROLE).map(Untrusted::raw) == Some(labels::ROLE_SESSION);
    let Some(work) = work_of(&container.labels).filter(|_| is_session) else { return Vec::new() };
    volumes.iter().filter(|volume| work_of(&volume.labels) == Some(work)).map(|volume| volume.name.clone()).collect()
}

/// The removal of a session with volumes.
fn removal_of(container: &ContainerSummary, volumes: &[String]) -> Option<Work> {
    let label = |name: &str| container.labels.get(name).map(Untrusted::raw);
    let (session, name) = (label(labels::ID)?.parse().ok()?, label(labels::NAME)?.parse().ok()?);
    let volumes = volumes.to_vec();
    (!volumes.is_empty()).then(|| Work::Remove { session, name, container: container.id.clone(), volumes })
}

fn is_sessions(volume: &VolumeFacts) -> bool {
    volume.labels.get(labels::ROLE).map(Untrusted::raw) == Some(labels::ROLE_SESSION)
        && volume.labels.get(labels::SCHEMA).map(Untrusted::raw) == Some(labels::SCHEMA_VALUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(role: &str, status: Status, maker: Option<&str>, age_s: i64) -> ContainerSummary {
        #[expect(clippy::disallowed_methods, reason = "an age needs the present moment")]
        let now = jiff::Timestamp::now();
        let mut all: BTreeMap<String, Untrusted> =
            [(labels::SCHEMA, "1"), (labels::ROLE, role)].map(|(name, value)| (name.to_owned(), value.into())).into();
        if let Some(maker) = maker {
            all.insert(labels::MAKER.to_owned(), maker.into());
        }
        ContainerSummary {
            id: "c0ffee".to_owned(),
            name: "palisade-x".into(),
            image: "i".into(),
            command: "".into(),
            created: now - Duration::from_secs(age_s.unsigned_abs()),
            status,
            status_text: "".into(),
            labels: all,
        }
    }

    #[test]
    fn a_maker_is_at_work_until_it_has_ended_and_nothing_is_known_of_one_elsewhere() {
        let alive = Maker::this_process().label("w");
        let of = |maker: &str| [(labels::MAKER.to_owned(), maker.into())].into();
        assert!(is_at_work(&of(&alive)) && !has_ended(&of(&alive)));
        assert!(!is_at_work(&of("another/1/2/3/w")) && !has_ended(&of("another/1/2/3/w")));
        assert!(!is_at_work(&BTreeMap::new()) && !has_ended(&BTreeMap::new()));
    }

    #[test]
    fn only_what_was_never_finished_goes_and_only_once_its_maker_has_ended() {
        let alive = Maker::this_process().label("w");
        // No process has the highest number there is; the rest is this machine's.
        let ended: String = {
            let mut parts: Vec<&str> = alive.split('/').collect();
            parts[2] = "2147483647";
            parts.join("/")
        };
        let elsewhere = "another/1/2/3/w";
        let goes = |role, status, maker, age| is_abandoned(&container(role, status, maker, age));
        let day = 24 * 3600;
        for role in HELPERS {
            assert!(!goes(role, Status::Created, Some(&alive), day), "{role}");
            assert!(goes(role, Status::Created, Some(&ended), 0) && goes(role, Status::Running, Some(&ended), 0), "{role}");
            assert!(!goes(role, Status::Created, Some(elsewhere), 60) && goes(role, Status::Created, Some(elsewhere), 180), "{role}");
            assert!(!goes(role, Status::Created, None, 60) && goes(role, Status::Created, None, 180), "{role}");
        }
        let session = labels::ROLE_SESSION;
        assert!(goes(session, Status::Created, Some(&ended), 0) && !goes(session, Status::Created, Some(&alive), day));
        assert!(!goes(session, Status::Created, Some(elsewhere), 180) && goes(session, Status::Created, Some(elsewhere), day));
        assert!(!goes(session, Status::Created, None, day), "an older palisade's is left to its operator");
        for status in [Status::Running, Status::Exited, Status::Paused, Status::Dead] {
            assert!(!goes(session, status, Some(&ended), day) && !goes(session, status, Some(elsewhere), day), "{status}");
        }
        for role in [labels::ROLE_DEPOT, labels::ROLE_IMAGE, "other"] {
            assert!(!goes(role, Status::Created, Some(&ended), day), "{role}");
        }
        let kind = |kind: Kind, maker| {
            let mut dead = container(session, Status::Dead, maker, day);
            dead.labels.insert(labels::KIND.to_owned(), kind.to_string().as_str().into());
            is_abandoned(&dead)
        };
        assert!(kind(Kind::Ephemeral, Some(&ended)) && kind(Kind::Ephemeral, Some(elsewhere)) && kind(Kind::Ephemeral, None));
        assert!(!kind(Kind::Ephemeral, Some(&alive)) && !kind(Kind::Persistent, Some(&ended)), "its home is not ours to judge");
        let mut foreign = container(session, Status::Created, Some(&ended), day);
        foreign.labels.remove(labels::SCHEMA);
        assert!(!is_abandoned(&foreign));
    }
}
