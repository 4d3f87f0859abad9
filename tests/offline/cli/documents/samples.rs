//! A session and what is known of it, as the documents show them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use palisade::failure::{Code, Failure};
use palisade::headless::cache::document::CacheShare;
use palisade::headless::document::{Drift, ErrorBody};
use palisade::policy::controls::Control;
use palisade::policy::drift::{Difference, Needs, Standing};
use palisade::policy::plan::{CreateRequest, PlanMount, PlanMountKind, Ulimit};
use palisade::policy::posture::Deviant;
use palisade::policy::{
    ControlPosture, DiskCap, ImageFacts, LogCap, Network, PidsLimit, Plan, Policy, Posture, Seccomp, Terminal, Timeout, Verdict,
    WorkspaceMount,
};
use palisade::session::{ContainerFacts, ExitFacts, Kind, Limit, LimitHit, Limits, LogFacts, MountFacts, Session, Status, UlimitFacts};
use palisade::units::{Bytes, Cpus, Seconds, SessionId, Untrusted};

pub fn session() -> Session {
    Session {
        id: SessionId::NIL,
        name: "web".parse().unwrap(),
        kind: Kind::Persistent,
        profile: "default".into(),
        status: Status::Running,
        status_text: "Up 5 minutes".into(),
        created: Timestamp::UNIX_EPOCH,
        image: "evil\u{1b}[2J\u{202e}".into(),
        command: "sleep 1".into(),
        container_id: "0123".into(),
    }
}

pub fn posture() -> Posture {
    let controls = Control::ALL
        .into_iter()
        .map(|control| ControlPosture {
            control,
            requested: "100".into(),
            engine: "100".into(),
            kernel: "500".into(),
            verdict: if control == Control::PidsLimit { Verdict::Weaker } else { Verdict::Enforced },
            reason: (control == Control::PidsLimit).then(|| "500 is more than 100".into()),
        })
        .collect();
    let deviant = |container_pid| Deviant { control: Control::User, pid: 4, container_pid, name: "sh".into(), reason: "uid 0".into() };
    Posture { controls, deviants: vec![deviant(None), deviant(Some(7))] }
}

pub fn failure() -> ErrorBody {
    ErrorBody::from(&Failure::new(Code::NotFound, "no session 'x'").detail("a").hint("b"))
}

pub fn policy(timeout: Timeout) -> Policy {
    Policy {
        profile: "default".into(),
        image: "palisade/sandbox:latest".into(),
        cap_add: BTreeSet::from(["NET_RAW".parse().unwrap()]),
        seccomp: Seccomp::Strict,
        pids_limit: PidsLimit::new(100).unwrap(),
        memory: Bytes::gib(4),
        cpus: Cpus::milli(1500),
        cpuset: "0-1".into(),
        nofile: 4096,
        read_only_rootfs: true,
        tmp_size: Bytes::mib(512),
        run_size: Bytes::mib(64),
        shm_size: Bytes::mib(64),
        network: Network::None,
        min_age: Seconds::new(0),
        min_age_allow: BTreeSet::from(["pypi:requests".into()]),
        log: LogCap { max_size: Bytes::mib(10), max_file: 3 },
        timeout,
        stop_grace: Seconds::new(10),
        ttl: Seconds::new(3600),
        idle: Seconds::new(0),
        disk: DiskCap { soft: Bytes::gib(1), hard: Bytes::new(0) },
        terminal: Terminal { title: false, clipboard: true, idle: Seconds::new(3600) },
        env: BTreeMap::from([("CI".into(), "1".into())]),
        workspace_read_only: false,
    }
}

pub fn plan(workspace: Option<WorkspaceMount>, timeout: Timeout) -> Plan {
    let mount = |labels: BTreeMap<String, String>| PlanMount {
        kind: PlanMountKind::Volume,
        source: "v".into(),
        target: "/home/sandbox".into(),
        read_only: false,
        labels,
    };
    Plan {
        schema: 1,
        id: SessionId::NIL,
        name: "web".parse().unwrap(),
        kind: Kind::Ephemeral,
        policy: policy(timeout),
        image: ImageFacts { reference: "i".into(), ..ImageFacts::default() },
        workspace,
        create: CreateRequest {
            name: "palisade-web".into(),
            image: "sha256:0".into(),
            entrypoint: vec!["/palisade/palisade".into()],
            env: vec!["A=b".into()],
            user: "1000:1000".into(),
            working_dir: "/workspace".into(),
            hostname: "web".into(),
            labels: BTreeMap::from([("palisade.schema".into(), "1".into())]),
            open_stdin: true,
            stdin_once: true,
            stop_timeout_s: 10,
            auto_remove: true,
            init: true,
            privileged: false,
            cap_drop: vec!["ALL".into()],
            cap_add: vec![],
            security_opt: vec!["no-new-privileges".into()],
            pids_limit: 100,
            memory: 1,
            memory_swap: 1,
            nano_cpus: 1,
            cpuset_cpus: String::new(),
            ulimits: vec![Ulimit { name: "core".into(), limit: 0 }],
            read_only_rootfs: true,
            tmpfs: BTreeMap::from([("/tmp".into(), "size=1".into())]),
            shm_size: 1,
            mounts: vec![mount(BTreeMap::new()), mount(BTreeMap::from([("a".into(), "b".into())]))],
            network_mode: "none".into(),
            ipc_mode: "private".into(),
            cgroupns_mode: "private".into(),
            log_driver: "json-file".into(),
            log_options: BTreeMap::new(),
            restart_policy: "no".into(),
        },
    }
}

pub fn container() -> ContainerFacts {
    ContainerFacts {
        status: Some(Status::Exited),
        pid: Some(1),
        exit: Some(ExitFacts { finished: Some(Timestamp::UNIX_EPOCH), ..ExitFacts::default() }),
        created: Some(Timestamp::UNIX_EPOCH),
        started: Some(Timestamp::UNIX_EPOCH),
        labels: BTreeMap::from([("a".into(), Untrusted::from("b"))]),
        pids_limit: Some(100),
        memory: Some(1),
        memory_swap: Some(1),
        nano_cpus: Some(1),
        ulimits: vec![UlimitFacts { name: "nofile".into(), soft: -1, hard: 5 }],
        mounts: vec![MountFacts {
            kind: "bind".into(),
            name: String::new(),
            source: "/a".into(),
            destination: "/b".into(),
            read_write: true,
        }],
        log: LogFacts { driver: "json-file".into(), options: BTreeMap::from([("max-size".into(), "10m".into())]) },
        masked_paths: Some(vec!["/proc/kcore".into()]),
        readonly_paths: Some(Vec::new()),
        ..ContainerFacts::default()
    }
}

pub fn share() -> CacheShare {
    CacheShare::Counted { hits: 3, misses: 1, hit_rate: Some(0.75), saved_bytes: 1, saved_ms_estimated: 2 }
}

pub fn drift() -> Drift {
    let difference = |needs| Difference { field: "pids_limit".into(), then: "100".into(), now: "200".into(), needs };
    let standing = Standing {
        drifted: vec![difference(Needs::Live), difference(Needs::Restart)],
        outdated: vec![difference(Needs::Recreate)],
        another_palisade: true,
        unknown: Some("the image is gone".into()),
    };
    standing.into()
}

/// Each limit, with and without a bound.
pub fn limits() -> Limits {
    let hit = |(at, limit)| LimitHit { limit, place: "/tmp\u{1b}".into(), count: 2, bound: (at % 2 == 0).then_some(1 << 40) };
    Limits { hits: Limit::ALL.into_iter().enumerate().map(hit).collect(), unknown: Some("it is elsewhere".into()) }
}
