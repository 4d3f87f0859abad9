//! What every long-lived container of ours has in common, sandbox or depot: one function, so that neither can drift.

use std::collections::{BTreeMap, BTreeSet};

use super::{CreateRequest, Ulimit, strict_seccomp};
use crate::policy::{LogCap, PidsLimit, Seccomp};
use crate::units::{Bytes, Capability, Cpus};

/// The limits in which containers differ.
pub(super) struct Limits<'a> {
    pub(super) cap_add: &'a BTreeSet<Capability>,
    pub(super) seccomp: Seccomp,
    pub(super) pids_limit: PidsLimit,
    pub(super) memory: Bytes,
    pub(super) cpus: Cpus,
    pub(super) cpuset: &'a str,
    pub(super) nofile: u32,
    pub(super) shm_size: Bytes,
    pub(super) log: LogCap,
}

/// A request with every hardening field decided. What it is, runs, mounts and reaches is the caller's to add.
pub(super) fn hardened(limits: &Limits<'_>) -> CreateRequest {
    CreateRequest {
        name: String::new(),
        image: String::new(),
        entrypoint: Vec::new(),
        env: Vec::new(),
        user: String::new(),
        working_dir: String::new(),
        hostname: String::new(),
        labels: BTreeMap::new(),
        open_stdin: false,
        stdin_once: false,
        stop_timeout_s: 0,
        auto_remove: false,
        init: true,
        privileged: false,
        cap_drop: vec!["ALL".to_owned()],
        cap_add: limits.cap_add.iter().map(ToString::to_string).collect(),
        security_opt: security_opt(limits.seccomp),
        pids_limit: limits.pids_limit.get(),
        memory: limits.memory.get(),
        memory_swap: limits.memory.get(),
        nano_cpus: limits.cpus.as_nano(),
        cpuset_cpus: limits.cpuset.to_owned(),
        ulimits: vec![Ulimit { name: "core".to_owned(), limit: 0 }, Ulimit { name: "nofile".to_owned(), limit: u64::from(limits.nofile) }],
        read_only_rootfs: true,
        tmpfs: BTreeMap::new(),
        shm_size: limits.shm_size.get(),
        mounts: Vec::new(),
        network_mode: "none".to_owned(),
        ipc_mode: "private".to_owned(),
        cgroupns_mode: "private".to_owned(),
        log_driver: "json-file".to_owned(),
        log_options: BTreeMap::from([
            ("max-file".to_owned(), limits.log.max_file.to_string()),
            ("max-size".to_owned(), limits.log.max_size.get().to_string()),
        ]),
        restart_policy: "no".to_owned(),
    }
}

fn security_opt(seccomp: Seccomp) -> Vec<String> {
    let mut options = vec!["no-new-privileges".to_owned()];
    match seccomp {
        Seccomp::Default => {}
        Seccomp::Strict => options.push(format!("seccomp={}", strict_seccomp())),
    }
    options
}
