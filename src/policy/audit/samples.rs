//! A hardened session as three sources show it on Docker 20.10, for tests to spoil one thing at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::Requested;
use crate::policy::{Network, Seccomp};
use crate::session::{
    CgroupFacts, CgroupVersion, ContainerFacts, IdMap, InitProof, KernelFacts, KernelMount, KernelSource, LimitFact, LogFacts, Membership,
    MountFacts, NamespaceFact, ProcessFacts, ResourceLimits, SeccompMode, UlimitFacts, WorkspaceProof,
};
use crate::units::{Bytes, CapSet, Seconds, Untrusted};

pub(super) fn requested() -> Requested {
    Requested {
        cap_add: Vec::new(),
        seccomp: Seccomp::Default,
        user: (1000, 1000),
        pids_limit: 100,
        memory: Bytes::gib(4).get(),
        nano_cpus: 2_000_000_000,
        cpuset: String::new(),
        nofile: 4096,
        read_only_rootfs: true,
        tmpfs: [("/tmp".to_owned(), Bytes::mib(64).get())].into(),
        mounts: [("/palisade".to_owned(), true), ("/workspace".to_owned(), false)].into(),
        workspace: Some((65024, 42)),
        network: Network::None,
        min_age: Seconds::new(0),
        min_age_allow: BTreeSet::new(),
        terminal: crate::terminal::Grants::default(),
        log: (Bytes::mib(10).get(), 3),
    }
}

pub(super) fn engine() -> ContainerFacts {
    let words = |paths: &[&str]| Some(paths.iter().map(|path| (*path).to_owned()).collect());
    ContainerFacts {
        user: "1000:1000".into(),
        runtime: "runc".to_owned(),
        cap_drop: ["ALL".to_owned()].into(),
        security_opt: vec!["no-new-privileges".to_owned()],
        init: true,
        pids_limit: Some(100),
        memory: Some(Bytes::gib(4).get()),
        memory_swap: Some(Bytes::gib(4).get()),
        nano_cpus: Some(2_000_000_000),
        ulimits: vec![
            UlimitFacts { name: "core".to_owned(), soft: 0, hard: 0 },
            UlimitFacts { name: "nofile".to_owned(), soft: 4096, hard: 4096 },
        ],
        read_only_rootfs: true,
        tmpfs: [("/tmp".to_owned(), "rw,nosuid,nodev,size=64m".to_owned())].into(),
        mounts: vec![
            bind("bind", "/srv/project", "/workspace", true),
            bind("volume", "/var/lib/docker/volumes/palisade/_data", "/palisade", false),
        ],
        network_mode: "none".to_owned(),
        ipc_mode: "private".to_owned(),
        cgroupns_mode: "private".to_owned(),
        log: LogFacts {
            driver: "json-file".to_owned(),
            options: BTreeMap::from([("max-size", "10m"), ("max-file", "3")].map(|(name, value)| (name.to_owned(), value.to_owned()))),
        },
        restart_policy: "no".to_owned(),
        masked_paths: words(&[
            "/proc/asound",
            "/proc/acpi",
            "/proc/kcore",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/timer_list",
            "/proc/timer_stats",
            "/proc/sched_debug",
            "/proc/scsi",
            "/sys/firmware",
        ]),
        readonly_paths: words(&["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]),
        ..ContainerFacts::default()
    }
}

pub(super) fn bind(kind: &str, source: &str, destination: &str, read_write: bool) -> MountFacts {
    MountFacts { kind: kind.to_owned(), name: String::new(), source: source.into(), destination: destination.into(), read_write }
}

pub(super) fn kernel() -> KernelFacts {
    KernelFacts {
        source: KernelSource::Host,
        init: InitProof { exe: "/usr/sbin/docker-init".into(), mounted_from_host: true },
        processes: vec![process(4001, 1, "docker-init"), process(4002, 7, "palisade"), process(4003, 8, "python3")],
        cgroup: CgroupFacts {
            version: CgroupVersion::V1,
            pids_max: LimitFact::Limited(100),
            memory_max: LimitFact::Limited(Bytes::gib(4).get()),
            memory_swap_max: LimitFact::Limited(Bytes::gib(4).get()),
            nano_cpus: LimitFact::Limited(2_000_000_000),
        },
        mounts: [
            mount("/", "/", "overlay", "ro"),
            mount("/proc", "/", "proc", "rw"),
            mount("/dev", "/", "tmpfs", "rw,nosuid"),
            mount("/dev/pts", "/", "devpts", "rw,nosuid"),
            mount("/sys", "/", "sysfs", "ro,nosuid"),
            mount("/sys/fs/cgroup", "/docker/x", "cgroup2", "ro"),
            mount("/usr/sbin/docker-init", "/usr/bin/tini-static", "ext4", "ro"),
            mount("/palisade", "/var/lib/docker/volumes/palisade/_data", "ext4", "ro"),
            mount("/workspace", "/srv/project", "ext4", "rw"),
            mount("/etc/hosts", "/var/lib/docker/containers/x/hosts", "ext4", "ro"),
            mount("/proc/sys", "/sys", "proc", "ro"),
            mount("/proc/keys", "/null", "tmpfs", "rw,nosuid"),
            mount("/proc/acpi", "/", "tmpfs", "ro"),
            mount("/sys/firmware", "/", "tmpfs", "ro"),
        ]
        .into_iter()
        .chain([KernelMount { super_options: vec!["rw".into(), "size=65536k".into()], ..mount("/tmp", "/", "tmpfs", "rw,nosuid,nodev") }])
        .collect(),
        interfaces: vec!["lo".into()],
        namespaces: ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"]
            .map(|name| NamespaceFact { name: name.to_owned(), is_host: Some(name == "user") })
            .into(),
        limits: ResourceLimits { nofile: LimitFact::Limited(4096), core: LimitFact::Limited(0) },
        uid_map: vec![IdMap::IDENTITY],
        gid_map: vec![IdMap::IDENTITY],
        workspace: Some(WorkspaceProof { device: 65024, inode: 42 }),
        system_paths: ["/proc/acpi", "/proc/keys", "/proc/sys", "/sys/firmware"].map(str::to_owned).into(),
        hidden_processes: 0,
    }
}

pub(super) fn process(pid: u32, container_pid: u32, name: &str) -> ProcessFacts {
    ProcessFacts {
        pid,
        container_pid: Some(container_pid),
        name: name.into(),
        exe: Some(Untrusted::from(format!("/usr/bin/{name}"))),
        membership: Membership {
            cgroup: Some(true),
            pid_namespace: Some(true),
            mount_namespace: Some(true),
            network_namespace: Some(true),
        },
        cap_eff: CapSet::EMPTY,
        cap_prm: CapSet::EMPTY,
        cap_inh: CapSet::EMPTY,
        cap_bnd: CapSet::EMPTY,
        cap_amb: CapSet::EMPTY,
        no_new_privs: Some(true),
        seccomp: Some(SeccompMode::Filter),
        seccomp_filters: Some(1),
        uids: [1000; 4],
        gids: [1000; 4],
        groups: vec![1000],
        apparmor: None,
    }
}

pub(super) fn mount(target: &str, root: &str, fs_type: &str, options: &str) -> KernelMount {
    KernelMount {
        target: target.into(),
        root: root.into(),
        fs_type: fs_type.to_owned(),
        source: fs_type.into(),
        device: "0:1".to_owned(),
        options: options.split(',').map(str::to_owned).collect(),
        super_options: vec!["rw".into()],
    }
}
