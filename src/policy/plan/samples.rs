//! A policy and a request for tests to change one thing of.

use std::collections::{BTreeMap, BTreeSet};

use crate::policy::{Asked, DiskCap, ImageFacts, LogCap, Network, PidsLimit, Policy, Request, RunAs, Seccomp, Terminal, Timeout};
use crate::session::Kind;
use crate::units::{Bytes, Cpus, Seconds, SessionId};

pub(in crate::policy) fn policy() -> Policy {
    Policy {
        profile: "default".to_owned(),
        image: "image:tag".to_owned(),
        cap_add: BTreeSet::new(),
        seccomp: Seccomp::Default,
        pids_limit: PidsLimit::new(100).unwrap(),
        memory: Bytes::gib(4),
        cpus: Cpus::milli(2000),
        cpuset: String::new(),
        nofile: 4096,
        read_only_rootfs: true,
        tmp_size: Bytes::gib(1),
        run_size: Bytes::mib(64),
        shm_size: Bytes::mib(64),
        network: Network::Packages,
        min_age: Seconds::new(0),
        min_age_allow: BTreeSet::new(),
        log: LogCap { max_size: Bytes::mib(10), max_file: 3 },
        timeout: Timeout::Never,
        stop_grace: Seconds::new(10),
        ttl: Seconds::new(0),
        idle: Seconds::new(0),
        disk: DiskCap { soft: Bytes::new(0), hard: Bytes::new(0) },
        terminal: Terminal { title: false, clipboard: false, idle: Seconds::new(12 * 3600) },
        env: BTreeMap::new(),
        workspace_read_only: false,
    }
}

pub(in crate::policy) fn request() -> Request {
    Request {
        id: SessionId::NIL,
        name: "web".parse().unwrap(),
        kind: Kind::Persistent,
        image: ImageFacts { reference: "image:tag".to_owned(), id: "sha256:00".to_owned(), ..ImageFacts::default() },
        command: vec!["true".to_owned()],
        tty: false,
        env: BTreeMap::new(),
        run_as: RunAs::SANDBOX,
        workspace: None,
        secrets: BTreeMap::new(),
        working_dir: String::new(),
        creator: "1000@host".to_owned(),
        asked: Asked::default(),
        replaces: None,
        supervisor_volume: "palisade-supervisor-x".to_owned(),
        depot_socket_volume: Some("palisade-depot-socket".to_owned()),
    }
}
