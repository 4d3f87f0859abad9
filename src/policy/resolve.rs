//! Layers of profiles to one policy.

use std::collections::BTreeSet;

use super::cpuset::CpuList;
use super::{DiskCap, LogCap, PidsLimit, Policy, Terminal, Timeout, fault, narrow, package, profile::Profile, range};
use crate::failure::{Code, Failure, Result};
use crate::units::{Capability, Seconds};

/// One profile and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// What it says.
    pub profile: Profile,
    /// The name that errors use: `.palisade.toml`, `profile strict`, `the command line`.
    pub origin: String,
    /// How far it is trusted.
    pub trust: Trust,
}

/// How far a layer is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Embedded, the operator's own folder, or the command line: may widen, never below the floor.
    Operator,
    /// Found in a project folder: may only narrow what the layers below it give.
    Project,
}

/// The layers, lowest first, as one policy. The lowest decides every field (the embedded default does).
///
/// `base` and `description` say nothing here: whoever finds the layers has followed the bases already.
pub fn resolve(name: &str, layers: &[Layer]) -> Result<Policy> {
    let Some((lowest, above)) = layers.split_first() else {
        return Err(Failure::new(Code::Internal, "a policy was asked for without a single layer"));
    };
    let mut merged = Profile { cap_add: Some(Vec::new()), ..Profile::default() };
    lay(&mut merged, lowest)?;
    let undecided = undecided(&merged);
    if lowest.trust != Trust::Operator || !undecided.is_empty() {
        let lowest = Failure::new(Code::Internal, format!("the lowest layer, {}, does not decide every field", lowest.origin));
        return Err(undecided.into_iter().fold(lowest, |failure, field| failure.detail(format!("'{field}' is not set"))));
    }
    for layer in above {
        lay(&mut merged, layer)?;
    }
    policy(name, merged)
}

/// Lays one layer over what is below, or says everything that is wrong with it.
fn lay(below: &mut Profile, layer: &Layer) -> Result<()> {
    let mut faults = range::faults(&layer.profile);
    if layer.trust == Trust::Project {
        // A capability that no session can have is one that the base does not give; once is enough.
        for fault in narrow::faults(&layer.profile, below) {
            if !faults.iter().any(|named| named.same_value(&fault)) {
                faults.push(fault);
            }
        }
    }
    if let Some(failure) = fault::failure(&layer.origin, &faults) {
        return Err(failure);
    }
    let above = &layer.profile;
    macro_rules! take {
        ($($field:ident)*) => { $(if above.$field.is_some() { below.$field.clone_from(&above.$field); })* };
    }
    take!(image seccomp pids_limit memory cpus cpuset nofile read_only_rootfs tmp_size run_size shm_size network);
    take!(log_max_size log_max_file timeout ttl idle stop_grace workspace_read_only min_age min_age_allow);
    let mut capabilities: BTreeSet<Capability> = below.cap_add.take().into_iter().flatten().collect();
    capabilities.extend(above.cap_add.iter().flatten());
    capabilities.retain(|capability| !above.cap_drop.iter().flatten().any(|dropped| dropped == capability));
    below.cap_add = Some(capabilities.into_iter().collect());
    if let Some(above) = above.disk {
        let below = below.disk.get_or_insert_default();
        below.soft = above.soft.or(below.soft);
        below.hard = above.hard.or(below.hard);
    }
    if let Some(above) = above.terminal {
        let below = below.terminal.get_or_insert_default();
        below.title = above.title.or(below.title);
        below.clipboard = above.clipboard.or(below.clipboard);
        below.idle = above.idle.or(below.idle);
    }
    if let Some(env) = &above.env {
        below.env.get_or_insert_default().extend(env.clone());
    }
    Ok(())
}

/// Fields that nothing has decided.
fn undecided(profile: &Profile) -> Vec<&'static str> {
    let mut fields = Vec::new();
    macro_rules! need {
        ($($field:ident)*) => { $(if profile.$field.is_none() { fields.push(stringify!($field)); })* };
    }
    need!(image seccomp pids_limit memory cpus cpuset nofile read_only_rootfs tmp_size run_size shm_size network);
    need!(log_max_size log_max_file timeout ttl idle stop_grace workspace_read_only min_age min_age_allow);
    let terminal = profile.terminal.unwrap_or_default();
    let disk = profile.disk.unwrap_or_default();
    let undecided = [
        ("disk.soft", disk.soft.is_none()),
        ("disk.hard", disk.hard.is_none()),
        ("terminal.title", terminal.title.is_none()),
        ("terminal.clipboard", terminal.clipboard.is_none()),
        ("terminal.idle", terminal.idle.is_none()),
    ];
    fields.extend(undecided.iter().filter(|(_, is_open)| *is_open).map(|(field, _)| field));
    fields
}

/// A profile that decides every field, each in its range, as the policy.
fn policy(name: &str, profile: Profile) -> Result<Policy> {
    let internal = || Failure::new(Code::Internal, "a profile that decides every field was checked and is not whole");
    let timeout = profile.timeout.ok_or_else(internal)?;
    let terminal = profile.terminal.ok_or_else(internal)?;
    let disk = profile.disk.ok_or_else(internal)?;
    Ok(Policy {
        profile: name.to_owned(),
        image: profile.image.ok_or_else(internal)?,
        cap_add: profile.cap_add.into_iter().flatten().collect(),
        seccomp: profile.seccomp.ok_or_else(internal)?,
        pids_limit: profile.pids_limit.and_then(|limit| PidsLimit::new(limit).ok()).ok_or_else(internal)?,
        memory: profile.memory.ok_or_else(internal)?,
        cpus: profile.cpus.ok_or_else(internal)?,
        cpuset: profile.cpuset.and_then(|list| list.parse::<CpuList>().ok()).ok_or_else(internal)?.to_string(),
        nofile: profile.nofile.and_then(|limit| u32::try_from(limit).ok()).ok_or_else(internal)?,
        read_only_rootfs: profile.read_only_rootfs.ok_or_else(internal)?,
        tmp_size: profile.tmp_size.ok_or_else(internal)?,
        run_size: profile.run_size.ok_or_else(internal)?,
        shm_size: profile.shm_size.ok_or_else(internal)?,
        network: profile.network.ok_or_else(internal)?,
        min_age: profile.min_age.ok_or_else(internal)?,
        min_age_allow: package::identities(&profile.min_age_allow.ok_or_else(internal)?),
        log: LogCap {
            max_size: profile.log_max_size.ok_or_else(internal)?,
            max_file: profile.log_max_file.and_then(|count| u32::try_from(count).ok()).ok_or_else(internal)?,
        },
        timeout: if timeout == Seconds::new(0) { Timeout::Never } else { Timeout::After(timeout) },
        ttl: profile.ttl.ok_or_else(internal)?,
        idle: profile.idle.ok_or_else(internal)?,
        stop_grace: profile.stop_grace.ok_or_else(internal)?,
        disk: DiskCap { soft: disk.soft.ok_or_else(internal)?, hard: disk.hard.ok_or_else(internal)? },
        terminal: Terminal {
            title: terminal.title.ok_or_else(internal)?,
            clipboard: terminal.clipboard.ok_or_else(internal)?,
            idle: terminal.idle.ok_or_else(internal)?,
        },
        env: profile.env.unwrap_or_default(),
        workspace_read_only: profile.workspace_read_only.ok_or_else(internal)?,
    })
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn operator(toml: &str) -> Layer {
        Layer { profile: toml::from_str(toml).unwrap(), origin: "profile mine".to_owned(), trust: Trust::Operator }
    }

    fn project(toml: &str) -> Layer {
        Layer { profile: toml::from_str(toml).unwrap(), origin: "sandbox.toml".to_owned(), trust: Trust::Project }
    }

    fn resolved(layers: &[Layer]) -> Result<Policy> {
        let lowest = operator(include_str!("../../config/profiles/default.toml"));
        resolve("mine", &[&[lowest], layers].concat())
    }

    #[test]
    fn the_shipped_default_is_what_the_manual_promises() {
        let policy = resolved(&[]).unwrap();
        assert_eq!((policy.pids_limit.get(), policy.memory.get(), policy.cpus.as_milli(), policy.nofile), (100, 4 << 30, 2000, 4096));
        assert_eq!((policy.network, policy.timeout, policy.read_only_rootfs), (super::super::Network::Packages, Timeout::Never, true));
        assert!(policy.cap_add.is_empty() && policy.env.is_empty());
    }

    #[test]
    fn a_higher_layer_of_the_operators_wins_field_by_field() {
        let below = operator("pids_limit = 200\ncap_add = ['CHOWN', 'NET_RAW']\ncpuset = '1,0'\nenv = { A = '1', B = '1' }");
        let above = operator("memory = '8GiB'\ncap_add = ['CAP_KILL']\ncap_drop = ['net_raw']\nenv = { B = '2' }\ntimeout = '1h'");
        let policy = resolved(&[below, above]).unwrap();
        assert_eq!((policy.pids_limit.get(), policy.memory.get(), policy.cpuset.as_str()), (200, 8 << 30, "0-1"));
        assert_eq!(policy.cap_add.iter().map(ToString::to_string).collect::<Vec<_>>(), ["CHOWN", "KILL"]);
        assert_eq!(policy.env.into_iter().collect::<Vec<_>>(), [("A".into(), "1".into()), ("B".into(), "2".into())]);
        assert_eq!(policy.timeout, Timeout::After(Seconds::new(3600)));
    }

    #[test]
    fn a_project_that_asks_for_a_capability_is_told_the_field_the_file_the_value_and_the_way_out() {
        let error = resolved(&[project("cap_add = ['NET_ADMIN']")]).unwrap_err();
        assert_eq!(error.code, Code::Refused);
        let expected = "the profile asks for a capability that its base does not give\n  'cap_add' in sandbox.toml: NET_ADMIN\n\
                        hint: allow it in your own config, or pass --cap-add NET_ADMIN";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn everything_that_a_project_asks_for_too_much_is_named_at_once() {
        let wide = "cap_add = ['CHOWN']\npids_limit = 101\nmemory = '4.5GiB'\ncpus = 2.5\nnofile = 4097\nread_only_rootfs = false\n\
                    tmp_size = '2GiB'\nrun_size = '65MiB'\nshm_size = '65MiB'\nnetwork = 'open'\nmin_age = '2d'\nmin_age_allow = ['pypi:Requests', 'left-pad']\nlog_max_size = '11MiB'\n\
                    log_max_file = 4\ntimeout = 0\nttl = 0\nidle = '3h'\nstop_grace = 11\nimage = 'evil:1'\nseccomp = 'default'\n\
                    workspace_read_only = false\ncpuset = '0-7'\nenv = { LD_PRELOAD = '/workspace/x.so' }\n\
                    [disk]\nsoft = 0\nhard = '1024TiB'\n\
                    [terminal]\ntitle = true\nclipboard = true\nidle = 0";
        let tight = operator(
            "timeout = '1h'\nttl = '8h'\nidle = '2h'\nmin_age = '3d'\nmin_age_allow = ['requests', 'npm:left-pad']\nseccomp = 'strict'\nworkspace_read_only = true\ncpuset = '0-1'\n[disk]\nsoft = '1GiB'\nhard = '2GiB'",
        );
        let error = resolved(&[tight, project(wide)]).unwrap_err();
        let mut fields: Vec<_> = error.details.iter().map(|line| line.split('\'').nth(1).unwrap()).collect();
        fields.sort_unstable();
        let mut all: Vec<_> = super::super::profile::KEYS
            .iter()
            .map(|(key, _)| *key)
            .filter(|key| !["base", "description", "cap_drop"].contains(key))
            .collect();
        all.sort_unstable();
        assert_eq!(fields, all);
        assert_eq!(error.code, Code::Refused);
        assert!(
            error.details.contains(&"'memory' in sandbox.toml: 4831838208 bytes (above 4 GiB)".to_owned())
                || error.to_string().contains("4.5 GiB (above 4 GiB)")
        );
        assert!(!error.to_string().contains("x.so"), "a value of the environment is not shown");
    }

    #[test]
    fn a_project_may_say_the_same_or_less() {
        let same = "pids_limit = 100\nmemory = '4GiB'\nnetwork = 'packages'\nmin_age = 0\nmin_age_allow = []\ntimeout = 0\nimage = 'palisade-sandbox:latest'\nseccomp = 'default'\n\
                    cpuset = ''\nread_only_rootfs = true\nworkspace_read_only = false\nstop_grace = '10s'\ncap_add = []\nenv = {}";
        assert_eq!(resolved(&[project(same)]), resolved(&[]));
        let less = "pids_limit = 16\nmemory = '1GiB'\ntimeout = '5m'\nseccomp = 'strict'\ncpuset = '0'\nworkspace_read_only = true\ncap_drop = ['CHOWN']";
        let policy = resolved(&[
            operator("cap_add = ['CHOWN', 'KILL']\nenv = { A = '1' }"),
            project(less),
            project("env = { A = '1' }\ncap_add = ['KILL']"),
        ]);
        let policy = policy.unwrap();
        assert_eq!(policy.cap_add.len(), 1);
        assert_eq!(policy.timeout, Timeout::After(Seconds::new(300)));
    }

    #[test]
    fn the_operators_own_flag_widens_above_a_project_and_a_second_project_layer_sees_the_first() {
        assert_eq!(resolved(&[project("memory = '1GiB'"), operator("memory = '2GiB'")]).unwrap().memory.get(), 2 << 30);
        assert!(resolved(&[project("memory = '1GiB'"), project("memory = '2GiB'")]).is_err());
    }

    #[test]
    fn nobody_gets_a_capability_that_reaches_past_the_session() {
        for capability in ["SYS_ADMIN", "SYS_PTRACE", "BPF", "SYS_MODULE", "MKNOD", "DAC_READ_SEARCH"] {
            let error = resolved(&[operator(&format!("cap_add = ['{capability}']"))]).unwrap_err();
            assert_eq!(error.code, Code::Refused);
            assert!(error.to_string().contains(&format!("'cap_add' in profile mine: {capability}")), "{error}");
        }
        assert_eq!(resolved(&[project("cap_add = ['SYS_ADMIN']")]).unwrap_err().details.len(), 1);
    }

    #[test]
    fn a_list_made_to_flood_the_terminal_is_cut_short() {
        let error = resolved(&[project(&format!("cap_add = [{}]", "'NET_RAW',".repeat(5000)))]).unwrap_err();
        assert!(error.to_string().len() < 4000 && error.hint.unwrap().ends_with("pass --cap-add NET_RAW"));
    }

    #[test]
    fn a_value_out_of_range_is_bad_config_whoever_writes_it() {
        let error = resolved(&[operator("pids_limit = 0\ntmp_size = 0")]).unwrap_err();
        assert_eq!((error.code, error.details.len()), (Code::InvalidConfig, 2));
        assert_eq!(error.details[0], "'pids_limit' in profile mine: 0 (takes a whole number from 16 to 4096, never unlimited)");
    }

    #[test]
    fn layers_that_leave_a_field_open_or_begin_with_a_project_are_our_own_fault() {
        assert_eq!(resolve("x", &[]).unwrap_err().code, Code::Internal);
        assert!(resolve("x", &[operator("pids_limit = 100")]).unwrap_err().details.contains(&"'memory' is not set".to_owned()));
        let untrusted = Layer { trust: Trust::Project, ..operator(include_str!("../../config/profiles/default.toml")) };
        assert!(resolve("x", &[untrusted]).is_err());
    }

    #[test]
    fn a_policy_read_back_as_a_profile_is_the_same_policy() {
        let policy = resolved(&[operator("cap_add = ['KILL']\ncpuset = '0'\nenv = { A = '1' }\ntimeout = 60")]).unwrap();
        let whole = Layer { profile: Profile::from(&policy), origin: "itself".to_owned(), trust: Trust::Operator };
        assert_eq!(resolve("mine", &[whole]).unwrap(), policy);
    }
}
