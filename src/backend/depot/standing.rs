//! How the container of the depot's name stands beside what is wanted: a function of what was seen, and nothing else.

use std::time::Duration;

use jiff::Timestamp;

use super::Blueprint;
use crate::depot::config::DepotConfig;
use crate::depot::token::Key;
use crate::failure::Result;
use crate::policy::audit::Requested;
use crate::session::{ContainerFacts, Status, labels};
use crate::units::Untrusted;

/// A depot that was started within this time may not listen yet; later it does, or its engine has noticed its end.
const JUST_STARTED: Duration = Duration::from_secs(10);

/// A container as it was seen.
pub struct Seen {
    /// What the engine reports.
    pub facts: ContainerFacts,
    /// Its configuration; `None` where it has none, or none that this program reads.
    pub config: Option<DepotConfig>,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It takes connections, by all that is known.
    Ready(Key),
    /// It was started a moment ago.
    Starting(Key),
    /// It is as wanted, and does not run.
    Stopped(Key),
    /// Another manager is making it, or removing it, at this moment.
    InHand,
    /// An operator has frozen it.
    Frozen,
    /// It is ours and not as wanted, for this reason.
    Outdated(&'static str),
    /// Someone else's container has its name.
    Foreign,
}

/// Whether a container is a depot of ours, by its labels.
pub fn is_ours(facts: &ContainerFacts) -> bool {
    let label = |name: &str| facts.labels.get(name).map(Untrusted::raw);
    label(labels::SCHEMA) == Some(labels::SCHEMA_VALUE) && label(labels::ROLE) == Some(labels::ROLE_DEPOT)
}

/// What a depot's label says that was asked for.
pub fn requested(facts: &ContainerFacts) -> Option<Requested> {
    serde_json::from_str(facts.labels.get(labels::REQUESTED)?.raw()).ok()
}

/// Judges what was seen. `making_takes` is how long another manager may need between creating and starting.
pub fn judge(seen: &Seen, blueprint: &Blueprint<'_>, now: Timestamp, making_takes: Duration) -> Result<Standing> {
    let facts = &seen.facts;
    if !is_ours(facts) {
        return Ok(Standing::Foreign);
    }
    let within = |moment: Option<Timestamp>, time: Duration| moment.is_some_and(|moment| now.duration_since(moment).unsigned_abs() < time);
    match facts.status {
        Some(Status::Removing) => return Ok(Standing::InHand),
        Some(Status::Created) if within(facts.created, making_takes) => return Ok(Standing::InHand),
        Some(Status::Created) => return Ok(Standing::Outdated("it was never finished")),
        Some(Status::Paused) => return Ok(Standing::Frozen),
        Some(Status::Dead | Status::Unknown) | None => return Ok(Standing::Outdated("the engine has lost hold of it")),
        Some(Status::Running | Status::Restarting | Status::Exited) => {}
    }
    if facts.labels.get(labels::PLAN).map(Untrusted::raw) != Some(blueprint.mark()?.as_str()) {
        return Ok(Standing::Outdated("it was made by another version, or for other settings"));
    }
    let Some(config) = &seen.config else { return Ok(Standing::Outdated("its configuration is not to be read")) };
    if *config != blueprint.config(config.key.clone(), config.key_made)? {
        return Ok(Standing::Outdated("the settings have changed"));
    }
    if super::measured::audit(facts, Err("not measured now")).is_weaker() {
        return Ok(Standing::Outdated("the engine reports less hardening than it was made with"));
    }
    let key = config.key.clone();
    Ok(match facts.status {
        Some(Status::Exited) => Standing::Stopped(key),
        Some(Status::Running) if !within(facts.started, JUST_STARTED) => Standing::Ready(key),
        _ => Standing::Starting(key),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{Environment, Settings};
    use crate::policy::plan::CreateRequest;
    use crate::session::{LogFacts, MountFacts, UlimitFacts};
    use crate::units::Seconds;

    const MADE: &str = "2026-01-01T00:00:00Z";
    const TAKES: Duration = Duration::from_secs(15);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn blueprint<'a>(settings: &'a Settings, environment: &'a Environment) -> Blueprint<'a> {
        Blueprint::of([1; 32], Vec::new(), settings, environment)
    }

    /// What an engine reports of a container that it gave everything that was asked for.
    fn given(create: CreateRequest) -> ContainerFacts {
        let mount = |mount: &crate::policy::plan::PlanMount| MountFacts {
            kind: "volume".to_owned(),
            name: mount.source.clone(),
            source: Untrusted::default(),
            destination: mount.target.as_str().into(),
            read_write: !mount.read_only,
        };
        let limit = |limit: &crate::policy::plan::Ulimit| {
            let value = i64::try_from(limit.limit).unwrap();
            UlimitFacts { name: limit.name.clone(), soft: value, hard: value }
        };
        ContainerFacts {
            id: "c0ffee".to_owned(),
            name: create.name.as_str().into(),
            status: Some(Status::Running),
            created: Some(at(MADE)),
            started: Some(at(MADE)),
            user: create.user.as_str().into(),
            cap_drop: create.cap_drop.into_iter().collect(),
            security_opt: create.security_opt,
            init: create.init,
            pids_limit: Some(u64::from(create.pids_limit)),
            memory: Some(create.memory),
            memory_swap: Some(create.memory_swap),
            nano_cpus: u64::try_from(create.nano_cpus).ok(),
            ulimits: create.ulimits.iter().map(limit).collect(),
            read_only_rootfs: create.read_only_rootfs,
            tmpfs: create.tmpfs,
            mounts: create.mounts.iter().map(mount).collect(),
            network_mode: create.network_mode,
            networks: vec!["bridge".into()],
            ipc_mode: create.ipc_mode,
            cgroupns_mode: create.cgroupns_mode,
            log: LogFacts { driver: create.log_driver, options: create.log_options },
            restart_policy: create.restart_policy,
            labels: create.labels.into_iter().map(|(name, value)| (name, value.into())).collect::<BTreeMap<_, _>>(),
            ..ContainerFacts::default()
        }
    }

    /// How a good depot stands after one thing was changed, an hour after it was made.
    fn after(change: impl FnOnce(&mut Seen)) -> Standing {
        after_at("2026-01-01T01:00:00Z", change)
    }

    fn after_at(now: &str, change: impl FnOnce(&mut Seen)) -> Standing {
        let (settings, environment) = (Settings::default(), Environment::default());
        let blueprint = blueprint(&settings, &environment);
        let config = blueprint.config(Key::new([7; 32]), at(MADE)).unwrap();
        let mut seen = Seen { facts: given(blueprint.create("sha256:00", 8).unwrap()), config: Some(config) };
        change(&mut seen);
        judge(&seen, &blueprint, at(now), TAKES).unwrap()
    }

    #[test]
    fn a_depot_that_is_as_wanted_is_used_with_the_key_that_it_has() {
        let key = Key::new([7; 32]);
        assert_eq!(after(|_| ()), Standing::Ready(key.clone()));
        assert_eq!(after(|seen| seen.facts.status = Some(Status::Exited)), Standing::Stopped(key.clone()));
        assert_eq!(after(|seen| seen.facts.status = Some(Status::Restarting)), Standing::Starting(key.clone()));
        assert_eq!(after_at("2026-01-01T00:00:03Z", |_| ()), Standing::Starting(key));
    }

    #[test]
    fn what_is_not_as_wanted_is_outdated() {
        let outdated = |change: &dyn Fn(&mut Seen)| assert!(matches!(after(change), Standing::Outdated(_)), "{:?}", after(change));
        outdated(&|seen| seen.config = None);
        outdated(&|seen| {
            if let Some(config) = &mut seen.config {
                config.index_ttl = Seconds::new(1);
            }
        });
        outdated(&|seen| {
            if let Some(config) = &mut seen.config {
                config.proxy = "http://proxy.example".to_owned();
            }
        });
        outdated(&|seen| {
            seen.facts.labels.insert(labels::PLAN.to_owned(), "another".into());
        });
        outdated(&|seen| seen.facts.status = Some(Status::Dead));
        outdated(&|seen| seen.facts.privileged = true);
        outdated(&|seen| seen.facts.memory = None);
        outdated(&|seen| seen.facts.restart_policy = "always".to_owned());
    }

    #[test]
    fn what_another_manager_has_in_hand_is_left_to_it_for_as_long_as_it_may_need() {
        let created = |seen: &mut Seen| {
            seen.facts.status = Some(Status::Created);
            seen.config = None;
        };
        assert_eq!(after_at("2026-01-01T00:00:14Z", created), Standing::InHand);
        assert!(matches!(after_at("2026-01-01T00:00:16Z", created), Standing::Outdated(_)));
        assert_eq!(after(|seen| seen.facts.status = Some(Status::Removing)), Standing::InHand);
        assert_eq!(after(|seen| seen.facts.status = Some(Status::Paused)), Standing::Frozen);
    }

    #[test]
    fn a_container_that_is_not_ours_is_foreign_whatever_else_it_is() {
        for label in [labels::ROLE, labels::SCHEMA] {
            for value in [None, Some("session"), Some("2")] {
                let standing = after(|seen| {
                    seen.facts.labels.remove(label);
                    if let Some(value) = value {
                        seen.facts.labels.insert(label.to_owned(), value.into());
                    }
                });
                assert_eq!(standing, Standing::Foreign, "{label} {value:?}");
            }
        }
    }
}
