//! Two kinds, one hardening; and nothing below the floor: over generated policies and requests.

use std::collections::{BTreeMap, BTreeSet};

use palisade::depot;
use palisade::policy::drift::{Terms, outdated};
use palisade::policy::plan::{CACHE, DEPOT_DIR, HOME, SUPERVISOR_DIR, plan};
use palisade::policy::{
    Asked, DiskCap, ImageFacts, LogCap, Network, PidsLimit, Plan, Policy, Request, RunAs, Seccomp, SecretSource, Terminal, Timeout,
    WorkspaceMode, WorkspaceMount, controls::ADDABLE_CAPABILITIES,
};
use palisade::session::{Kind, labels};
use palisade::units::{Bytes, Cpus, Seconds, SessionId};
use proptest::prelude::*;
use serde_json::Value;

fn policies() -> impl Strategy<Value = Policy> {
    let names = prop::sample::subsequence(ADDABLE_CAPABILITIES.to_vec(), 0..=ADDABLE_CAPABILITIES.len());
    let network = prop::sample::select(vec![Network::None, Network::Packages, Network::Open]);
    let switches = (any::<bool>(), network, any::<bool>(), any::<bool>());
    let sizes = (16u64..1 << 20, 1u64..1 << 16, 1u64..1 << 16, 1u64..1 << 16);
    (names, switches, sizes, 16u64..=4096, 10u32..64_000, 64u32..1 << 20, prop::option::of(1u64..1 << 30), 0u64..3600, env()).prop_map(
        |(caps, (strict, network, rw_root, ro_workspace), (memory, tmp, run, shm), pids, milli, nofile, timeout, grace, env)| Policy {
            profile: "generated".to_owned(),
            image: "image:tag".to_owned(),
            cap_add: caps.iter().map(|name| name.parse().unwrap()).collect(),
            seccomp: if strict { Seccomp::Strict } else { Seccomp::Default },
            pids_limit: PidsLimit::new(pids).unwrap(),
            memory: Bytes::mib(memory),
            cpus: Cpus::milli(milli),
            cpuset: String::new(),
            nofile,
            read_only_rootfs: !rw_root,
            tmp_size: Bytes::mib(tmp),
            run_size: Bytes::mib(run),
            shm_size: Bytes::mib(shm),
            network,
            min_age: Seconds::new(grace),
            min_age_allow: BTreeSet::from(["npm:left-pad".to_owned()]),
            log: LogCap { max_size: Bytes::mib(1), max_file: 3 },
            timeout: timeout.map_or(Timeout::Never, |s| Timeout::After(Seconds::new(s))),
            stop_grace: Seconds::new(grace),
            ttl: Seconds::new(grace),
            idle: Seconds::new(grace),
            disk: DiskCap { soft: Bytes::mib(tmp), hard: Bytes::mib(run) },
            terminal: Terminal { title: strict, clipboard: network == Network::None, idle: Seconds::new(grace) },
            env,
            workspace_read_only: ro_workspace,
        },
    )
}

fn env() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map("[A-Z_]{1,8}", "[^\\x00]{0,16}", 0..4)
}

fn requests() -> impl Strategy<Value = Request> {
    let workspace = prop::option::of(("/[a-z]{1,8}", any::<u64>(), any::<u64>(), any::<bool>()));
    let text = "[^\\x00]{0,12}";
    (
        (any::<u64>(), any::<u128>(), "[a-z][a-z0-9_.-]{0,30}"),
        prop::collection::vec(text, 1..5),
        env(),
        (1u32.., 1u32..),
        workspace,
        prop::collection::btree_map("[A-Z]{1,6}", "[A-Z]{1,6}", 0..3),
        prop::collection::vec("/(data|srv|opt)/[a-z]{1,6}", 0..3),
        (prop::option::of(any::<u32>()), prop::option::of("palisade-[a-z]{1,8}")),
    )
        .prop_map(|((time, random, name), command, env, (uid, gid), workspace, secrets, volumes, (home_uid, depot_socket_volume))| {
            Request {
                id: SessionId::from_parts(time & ((1 << 48) - 1), random & ((1 << 80) - 1)),
                name: name.parse().unwrap(),
                kind: Kind::Persistent,
                image: ImageFacts {
                    reference: "image:tag".to_owned(),
                    id: "sha256:00".to_owned(),
                    volumes,
                    home_uid,
                    ..Default::default()
                },
                command,
                tty: uid % 2 == 0,
                env,
                run_as: RunAs::new(uid, gid).unwrap(),
                workspace: workspace.map(|(source, device, inode, ro)| WorkspaceMount {
                    source,
                    device,
                    inode,
                    mode: if ro { WorkspaceMode::ReadOnly } else { WorkspaceMode::ReadWrite },
                }),
                secrets: secrets.into_iter().map(|(name, env)| (name, SecretSource { env })).collect(),
                working_dir: String::new(),
                creator: "1000@host".to_owned(),
                asked: Asked::default(),
                replaces: None,
                supervisor_volume: "palisade-supervisor-x".to_owned(),
                depot_socket_volume,
            }
        })
}

/// JSON pointers at which two documents differ.
fn differences(a: &Value, b: &Value, at: &str, found: &mut BTreeSet<String>) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                let missing = Value::String("(missing)".to_owned());
                differences(a.get(key).unwrap_or(&missing), b.get(key).unwrap_or(&missing), &format!("{at}/{key}"), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differences(a, b, &format!("{at}/{index}"), found);
            }
        }
        _ if a == b => {}
        _ => {
            found.insert(at.to_owned());
        }
    }
}

/// What may differ between the kinds, and must.
fn defines_the_kind(plan: &Plan) -> BTreeSet<String> {
    let at = |target: &str| plan.create.mounts.iter().position(|mount| mount.target == target).unwrap();
    [
        "/kind".to_owned(),
        "/create/auto_remove".to_owned(),
        "/create/stdin_once".to_owned(),
        "/create/labels/palisade.session.kind".to_owned(),
        // The hash of all this.
        "/create/labels/palisade.session.plan".to_owned(),
        format!("/create/mounts/{}/source", at(HOME)),
        format!("/create/mounts/{}/source", at(CACHE)),
    ]
    .into()
}

fn assert_floor(plan: &Plan) {
    let create = &plan.create;
    assert_eq!(create.cap_drop, ["ALL"]);
    assert!(create.cap_add.iter().all(|cap| ADDABLE_CAPABILITIES.contains(&cap.as_str())));
    assert_eq!(create.security_opt.first().map(String::as_str), Some("no-new-privileges"));
    assert!(create.security_opt.iter().all(|option| !option.contains("unconfined")));
    assert!(create.init && !create.privileged);
    assert!((16..=4096).contains(&create.pids_limit));
    assert!(create.memory > 0 && create.memory_swap == create.memory && create.nano_cpus > 0);
    let (uid, gid) = create.user.split_once(':').unwrap();
    assert!(uid.parse::<u32>().unwrap() > 0 && gid.parse::<u32>().unwrap() > 0);
    assert_eq!(create.network_mode, if plan.policy.network == Network::Open { "bridge" } else { "none" });
    let socket = create.mounts.iter().find(|mount| mount.target == DEPOT_DIR);
    assert!(socket.is_none_or(|mount| mount.read_only && plan.policy.network != Network::None));
    assert_eq!(create.env.iter().any(|line| line.starts_with("PIP_INDEX_URL=")), socket.is_some());
    assert_eq!((create.ipc_mode.as_str(), create.cgroupns_mode.as_str(), create.restart_policy.as_str()), ("private", "private", "no"));
    assert!(create.ulimits.iter().any(|limit| limit.name == "core" && limit.limit == 0));
    assert!(create.ulimits.iter().any(|limit| limit.name == "nofile"));
    assert!(create.tmpfs.values().all(|options| options.contains("nosuid,nodev") && options.contains("size=")));
    assert!(create.log_options.contains_key("max-size") && create.log_options.contains_key("max-file"));
    assert!(create.mounts.iter().filter(|mount| mount.target == SUPERVISOR_DIR).all(|mount| mount.read_only));
    // A label that the plan leaves out is one that an image may bring: `start` would read its secrets for it.
    assert!(create.labels.contains_key(labels::SECRETS));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn the_kinds_differ_only_in_what_defines_them(policy in policies(), request in requests()) {
        let persistent = plan(&policy, &request).unwrap();
        let ephemeral = plan(&policy, &Request { kind: Kind::Ephemeral, ..request }).unwrap();
        let mut found = BTreeSet::new();
        let (a, b) = (serde_json::to_value(&persistent).unwrap(), serde_json::to_value(&ephemeral).unwrap());
        differences(&a, &b, "", &mut found);
        prop_assert_eq!(found, defines_the_kind(&persistent));
    }

    #[test]
    fn no_policy_and_no_request_reach_below_the_floor(policy in policies(), request in requests(), ephemeral in any::<bool>()) {
        let kind = if ephemeral { Kind::Ephemeral } else { Kind::Persistent };
        assert_floor(&plan(&policy, &Request { kind, ..request }).unwrap());
    }

    #[test]
    fn equal_inputs_give_equal_bytes(policy in policies(), request in requests()) {
        let once = plan(&policy, &request).unwrap();
        let again = plan(&policy.clone(), &request.clone()).unwrap();
        prop_assert_eq!(once.canonical_json(), again.canonical_json());
        prop_assert_eq!(once.hash(), once.create.labels["palisade.session.plan"].clone());
    }

    #[test]
    fn the_same_again_differs_in_nothing(policy in policies(), request in requests()) {
        let terms = |plan: Plan| Terms::read(&plan.create.labels[labels::TERMS]).unwrap();
        let (once, again) = (terms(plan(&policy, &request).unwrap()), terms(plan(&policy.clone(), &request.clone()).unwrap()));
        prop_assert!(outdated(&once, &again).is_empty());
    }

    #[test]
    fn whatever_differs_between_two_policies_is_named(policy in policies(), other in policies(), request in requests()) {
        let (a, b) = (plan(&policy, &request).unwrap(), plan(&other, &request).unwrap());
        let terms = |plan: &Plan| Terms::read(&plan.create.labels[labels::TERMS]).unwrap();
        let named = outdated(&terms(&a), &terms(&b));
        // A variable that the request sets is the same in both plans, whatever the profile says.
        let covered = policy.env == other.env || !request.env.is_empty();
        prop_assert!(named.is_empty() == (a.hash() == b.hash()) || covered, "{:?}", named);
    }

    #[test]
    fn no_secret_value_has_a_place_in_a_plan(policy in policies(), request in requests()) {
        let json = plan(&policy, &request).unwrap().canonical_json();
        for (name, source) in &request.secrets {
            let label = format!("{name}={}", source.env);
            prop_assert!(json.contains(&label));
        }
    }
}

#[test]
fn clients_relay_and_depot_agree_on_where_they_meet() {
    assert_eq!(DEPOT_DIR, depot::SOCKET_DIR);
    let defaults = include_str!("../../src/policy/plan/variables.rs");
    for path in ["npm/", "pypi/simple/"] {
        assert!(defaults.contains(&format!("\"http://{}/{path}\"", depot::RELAY)), "{path}");
    }
}
