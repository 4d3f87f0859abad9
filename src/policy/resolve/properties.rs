//! What holds for every profile that anyone could write: nothing reaches below the floor, and a project only narrows.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option::{of, weighted};
use proptest::prelude::*;

use super::*;
use crate::policy::controls::ADDABLE_CAPABILITIES;
use crate::policy::profile::Disk;
use crate::policy::{Network, Seccomp};
use crate::units::{Bytes, Cpus};

/// Mostly values that matter, sometimes any at all.
fn number(ends: &'static [u64]) -> impl Strategy<Value = u64> {
    let near = (prop::sample::select(ends), -2i64..=2).prop_map(|(end, by)| end.saturating_add_signed(by));
    let within = (ends[0]..=ends[1]).boxed();
    prop_oneof![6 => within, 2 => near, 1 => any::<u64>()]
}

fn capability() -> impl Strategy<Value = Capability> {
    let addable = prop::sample::select(&ADDABLE_CAPABILITIES[..]);
    let any = prop::sample::select(&["SYS_ADMIN", "SYS_PTRACE", "BPF", "NET_BROADCAST", "CHOWN"][..]);
    prop_oneof![12 => addable, 1 => any].prop_map(|name| name.parse().unwrap())
}

fn env() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(prop_oneof![8 => "[A-C]", 1 => "HOME|PALISADE_X|A B|"], "[x-y]{0,1}", 0..3)
}

fn profile() -> impl Strategy<Value = Profile> {
    let seccomp = prop::sample::select(&[Seccomp::Default, Seccomp::Strict][..]);
    let network = prop::sample::select(&[Network::None, Network::Packages, Network::Open][..]);
    let cpuset = prop_oneof![8 => "|0|0-1|0-3|1,3|2-3", 1 => "[0-9,-]{0,4}|all"];
    let bytes = |ends| weighted(0.3, number(ends).prop_map(Bytes::new));
    let limits = (
        weighted(0.3, number(&[16, 4096])),
        bytes(&[16 << 20, 1 << 50]),
        weighted(0.3, number(&[10, 1_024_000]).prop_map(|milli| Cpus::milli(u32::try_from(milli).unwrap_or(u32::MAX)))),
        weighted(0.3, cpuset),
        weighted(0.3, number(&[64, 1 << 20])),
    );
    let sizes = (
        bytes(&[1 << 20, 1 << 40]),
        bytes(&[1 << 20, 1 << 40]),
        bytes(&[1 << 20, 1 << 40]),
        bytes(&[64 << 10, 10 << 30]),
        weighted(0.3, number(&[1, 100])),
    );
    let spans = (
        weighted(0.3, prop_oneof![Just(0), number(&[1, 315_360_000])].prop_map(Seconds::new)),
        weighted(0.3, number(&[0, 3600]).prop_map(Seconds::new)),
        weighted(0.3, number(&[0, 315_360_000]).prop_map(Seconds::new)),
        weighted(0.3, vec(prop_oneof![8 => "(npm:|pypi:|)[a-b](\\.c)?", 1 => "@s/x|-|a b"], 0..3)),
    );
    let rights = (of(vec(capability(), 0..3)), of(vec(capability(), 0..3)), of(seccomp), of(network), of(any::<bool>()), of(any::<bool>()));
    let rest = (weighted(0.1, "[a-c]:1|-x|"), weighted(0.2, env()));
    (limits, sizes, spans, rights, rest).prop_map(|(limits, sizes, spans, rights, rest)| Profile {
        pids_limit: limits.0,
        memory: limits.1,
        cpus: limits.2,
        cpuset: limits.3,
        nofile: limits.4,
        tmp_size: sizes.0,
        run_size: sizes.1,
        shm_size: sizes.2,
        log_max_size: sizes.3,
        log_max_file: sizes.4,
        timeout: spans.0,
        stop_grace: spans.1,
        ttl: spans.0,
        idle: spans.0,
        disk: sizes.0.map(|soft| Disk { soft: Some(soft), hard: sizes.1 }),
        min_age: spans.2,
        min_age_allow: spans.3,
        cap_add: rights.0,
        cap_drop: rights.1,
        seccomp: rights.2,
        network: rights.3,
        read_only_rootfs: rights.4,
        workspace_read_only: rights.5,
        image: rest.0,
        env: rest.1,
        ..Profile::default()
    })
}

/// A profile cut down to what the layers below would let a project say, so that the interesting cases are common.
fn tamed(mut profile: Profile, below: &Policy) -> Profile {
    let given = Profile::from(below);
    macro_rules! at_most {
        ($($field:ident)*) => { $(if profile.$field > given.$field { profile.$field = given.$field; })* };
    }
    at_most!(pids_limit memory cpus nofile tmp_size run_size shm_size log_max_size log_max_file stop_grace);
    if profile.min_age < given.min_age {
        profile.min_age = given.min_age;
    }
    profile.min_age_allow = None;
    profile.disk = None;
    profile.cap_add = None;
    profile.image = None;
    profile.env = None;
    profile
}

fn operator(profile: Profile) -> Layer {
    Layer { profile, origin: "mine".to_owned(), trust: Trust::Operator }
}

fn project(profile: Profile) -> Layer {
    Layer { profile, origin: ".palisade.toml".to_owned(), trust: Trust::Project }
}

fn lowest() -> Layer {
    operator(toml::from_str(include_str!("../../../config/profiles/default.toml")).unwrap())
}

fn assert_on_the_floor(policy: &Policy) {
    assert!((16..=4096).contains(&policy.pids_limit.get()));
    assert!((16 << 20..=1 << 50).contains(&policy.memory.get()));
    assert!((10..=1_024_000).contains(&policy.cpus.as_milli()));
    assert!((64..=1 << 20).contains(&policy.nofile));
    for size in [policy.tmp_size, policy.run_size, policy.shm_size] {
        assert!((1 << 20..=1 << 40).contains(&size.get()), "a tmpfs of size 0 has no limit");
    }
    assert!((64 << 10..=10 << 30).contains(&policy.log.max_size.get()) && (1..=100).contains(&policy.log.max_file));
    assert!(policy.stop_grace.get() <= 3600 && policy.min_age.get() <= 315_360_000);
    assert!(policy.min_age_allow.iter().all(|name| package::parse(name).unwrap() == [name.clone()].into()), "each is one name");
    assert!(policy.cap_add.iter().all(|capability| ADDABLE_CAPABILITIES.contains(&capability.name())));
    assert!(policy.env.keys().all(|name| name != "HOME" && !name.starts_with("PALISADE_") && !name.contains(' ') && !name.is_empty()));
    assert!(!policy.image.is_empty() && !policy.image.starts_with('-'));
    assert_eq!(policy.cpuset.parse::<CpuList>().unwrap().to_string(), policy.cpuset);
}

fn assert_no_wider(with: &Policy, without: &Policy) {
    assert!(with.cap_add.is_subset(&without.cap_add));
    assert!(with.seccomp >= without.seccomp && with.network <= without.network);
    assert!(with.pids_limit <= without.pids_limit && with.memory <= without.memory && with.cpus <= without.cpus);
    assert!(with.nofile <= without.nofile && with.stop_grace <= without.stop_grace);
    assert!(with.tmp_size <= without.tmp_size && with.run_size <= without.run_size && with.shm_size <= without.shm_size);
    assert!(with.log.max_size <= without.log.max_size && with.log.max_file <= without.log.max_file);
    assert!(with.read_only_rootfs >= without.read_only_rootfs && with.workspace_read_only >= without.workspace_read_only);
    assert!(with.cpuset.parse::<CpuList>().unwrap().is_within(&without.cpuset.parse().unwrap()));
    assert!(with.min_age >= without.min_age && with.min_age_allow.is_subset(&without.min_age_allow));
    match (with.timeout, without.timeout) {
        (_, Timeout::Never) => {}
        (Timeout::After(with), Timeout::After(without)) => assert!(with <= without),
        (Timeout::Never, Timeout::After(_)) => panic!("a project took the deadline away"),
    }
    assert_eq!((&with.image, &with.env, &with.profile), (&without.image, &without.env, &without.profile));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_layers_reach_below_the_floor(profiles in vec((profile(), any::<bool>()), 0..4)) {
        let above = profiles.into_iter().map(|(profile, trusted)| if trusted { operator(profile) } else { project(profile) });
        if let Ok(policy) = resolve("any", &std::iter::once(lowest()).chain(above).collect::<Vec<_>>()) {
            assert_on_the_floor(&policy);
        }
    }

    #[test]
    fn a_project_never_weakens_a_field(below in profile(), asked in profile(), tame in any::<bool>(), above in of(profile())) {
        let mut layers = vec![lowest(), operator(below)];
        prop_assume!(resolve("any", &layers).is_ok() || layers.pop().is_some());
        let base = resolve("any", &layers).unwrap();
        let asked = if tame { tamed(asked, &base) } else { asked };
        let above: Vec<Layer> = above.map(operator).filter(|above| resolve("any", &[&layers[..], std::slice::from_ref(above)].concat()).is_ok()).into_iter().collect();
        let without = resolve("any", &[&layers[..], &above].concat()).unwrap();
        layers.push(project(asked));
        layers.extend(above);
        if let Ok(with) = resolve("any", &layers) {
            assert_no_wider(&with, &without);
            assert_on_the_floor(&with);
        }
    }

    #[test]
    fn what_a_project_is_refused_would_have_changed_something(below in profile(), asked in profile(), tame in any::<bool>()) {
        let layers = [lowest(), operator(below)];
        let Ok(base) = resolve("any", &layers) else { return Ok(()) };
        let asked = if tame { tamed(asked, &base) } else { asked };
        let trusted = resolve("any", &[&layers[..], &[operator(asked.clone())]].concat());
        let distrusted = resolve("any", &[&layers[..], &[project(asked)]].concat());
        match (trusted, distrusted) {
            (Ok(trusted), Ok(distrusted)) => prop_assert_eq!(trusted, distrusted),
            (Ok(trusted), Err(_)) => prop_assert_ne!(trusted, base),
            (Err(_), distrusted) => prop_assert!(distrusted.is_err()),
        }
    }
}
