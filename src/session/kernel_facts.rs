use serde::{Deserialize, Serialize};

use crate::units::{CapSet, Untrusted};

/// Who read the kernel's facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KernelSource {
    /// This program, from the host's `/proc` and cgroup files.
    Host,
    /// A one-shot container of ours in the session's PID namespace.
    Probe,
}

/// What the kernel shows of one container, read from outside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelFacts {
    /// Who read them.
    pub source: KernelSource,
    /// What PID 1 is, by its executable.
    pub init: InitProof,
    /// Every process in the container by cgroup, PID namespace or mount namespace; PID 1 first.
    pub processes: Vec<ProcessFacts>,
    /// Resource control as the cgroup files hold it.
    pub cgroup: CgroupFacts,
    /// PID 1's mount table.
    pub mounts: Vec<KernelMount>,
    /// Network interfaces in PID 1's network namespace.
    pub interfaces: Vec<Untrusted>,
    /// Each namespace of PID 1 against the host's.
    pub namespaces: Vec<NamespaceFact>,
    /// PID 1's resource limits.
    pub limits: ResourceLimits,
    /// PID 1's user id map, to the ids that the reader sees.
    pub uid_map: Vec<IdMap>,
    /// PID 1's group id map.
    pub gid_map: Vec<IdMap>,
    /// Of the paths that engines hide or make read-only, those that this kernel has at all.
    pub system_paths: Vec<String>,
    /// Processes in the container's cgroup that the reader cannot see: a probe looks from inside the PID namespace.
    pub hidden_processes: u32,
    /// The folder at `/workspace` as its device and inode, where the reader may look.
    pub workspace: Option<WorkspaceProof>,
}

/// Whether PID 1 is the engine's init, told by the executable: its name can be forged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitProof {
    /// PID 1's executable as its own mount namespace names it; empty where it could not be read.
    pub exe: Untrusted,
    /// Whether a read-only mount of a file from outside the container stands exactly at `exe`, so that no image put it there.
    pub mounted_from_host: bool,
}

/// One process, as `/proc/PID` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessFacts {
    /// PID as the reader sees it.
    pub pid: u32,
    /// PID in the container's own namespace; `None` where it is not in it.
    pub container_pid: Option<u32>,
    /// `Name`, which the process can set to anything.
    pub name: Untrusted,
    /// The executable where it could be read.
    pub exe: Option<Untrusted>,
    /// How it belongs to the container.
    pub membership: Membership,
    /// Effective, permitted, inheritable, bounding and ambient capabilities.
    pub cap_eff: CapSet,
    /// See `cap_eff`.
    pub cap_prm: CapSet,
    /// See `cap_eff`.
    pub cap_inh: CapSet,
    /// See `cap_eff`.
    pub cap_bnd: CapSet,
    /// See `cap_eff`.
    pub cap_amb: CapSet,
    /// `NoNewPrivs`; `None` where this kernel or runtime does not show it.
    pub no_new_privs: Option<bool>,
    /// `Seccomp`; `None` where it is not shown.
    pub seccomp: Option<SeccompMode>,
    /// `Seccomp_filters`; `None` before Linux 5.9.
    pub seccomp_filters: Option<u32>,
    /// Real, effective, saved and file-system uid, in the reader's user namespace.
    pub uids: [u32; 4],
    /// Real, effective, saved and file-system gid.
    pub gids: [u32; 4],
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// The `AppArmor` label where it is on.
    pub apparmor: Option<Untrusted>,
}

/// By what a process belongs to a container; `None` where the reader may not look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Membership {
    /// It is in the container's cgroup (or one below), of every controller that limits the container.
    pub cgroup: Option<bool>,
    /// It is in the container's PID namespace (or one below).
    pub pid_namespace: Option<bool>,
    /// It is in the container's mount namespace.
    pub mount_namespace: Option<bool>,
    /// It is in the container's network namespace.
    pub network_namespace: Option<bool>,
}

impl Membership {
    /// Whether anything ties the process to the container, or nobody could tell.
    pub fn is_any(self) -> bool {
        let ties = [self.cgroup, self.pid_namespace, self.mount_namespace, self.network_namespace];
        ties.contains(&Some(true)) || ties.contains(&None)
    }
}

/// `Seccomp:` in `/proc/PID/status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeccompMode {
    /// 0.
    Disabled,
    /// 1.
    Strict,
    /// 2.
    Filter,
}

/// Which cgroup hierarchy holds the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CgroupVersion {
    /// Version 1, or hybrid with the controllers on version 1.
    V1,
    /// The unified hierarchy.
    V2,
}

/// One limit as a cgroup file holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "value", rename_all = "snake_case")]
pub enum LimitFact {
    /// A number.
    Limited(u64),
    /// `max` or its version 1 equivalent.
    Unlimited,
    /// The file is absent or unreadable: the controller is off, or the reader may not see it.
    Unreadable,
}

/// The container's cgroup files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupFacts {
    /// Which hierarchy.
    pub version: CgroupVersion,
    /// `pids.max`.
    pub pids_max: LimitFact,
    /// `memory.max` or `memory.limit_in_bytes`, bytes.
    pub memory_max: LimitFact,
    /// Memory **and** swap together, bytes: `memory.memsw.limit_in_bytes`, or `memory.max` + `memory.swap.max`.
    pub memory_swap_max: LimitFact,
    /// Billionths of a CPU, from `cpu.max` or quota and period.
    pub nano_cpus: LimitFact,
}

/// One line of `/proc/PID/mountinfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelMount {
    /// Where it stands in the container.
    pub target: Untrusted,
    /// The path within the mounted file system that stands there.
    pub root: Untrusted,
    /// `overlay`, `tmpfs`, `ext4`, ….
    pub fs_type: String,
    /// What is mounted: a device, or the file system's own word.
    pub source: Untrusted,
    /// `major:minor` of the file system.
    pub device: String,
    /// Per-mount options: `ro`, `nosuid`, `nodev`, ….
    pub options: Vec<String>,
    /// Options of the file system itself: `size=…`, `ro`, ….
    pub super_options: Vec<Untrusted>,
}

impl KernelMount {
    /// The mount that stands exactly at a path: the last one, where several are stacked.
    pub fn at<'a>(table: &'a [Self], path: &str) -> Option<&'a Self> {
        table.iter().rev().find(|mount| mount.target.raw() == path)
    }
}

/// One namespace of PID 1 against the host's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceFact {
    /// `cgroup`, `ipc`, `mnt`, `net`, `pid`, `user`, `uts`.
    pub name: String,
    /// Whether it is the host's; `None` where the reader cannot tell.
    pub is_host: Option<bool>,
}

/// PID 1's limits from `/proc/PID/limits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceLimits {
    /// `Max open files`, hard.
    pub nofile: LimitFact,
    /// `Max core file size`, hard, bytes.
    pub core: LimitFact,
}

/// One line of `/proc/PID/uid_map`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMap {
    /// First id inside.
    pub inside: u32,
    /// First id outside.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

impl IdMap {
    /// Every id stands for itself.
    pub const IDENTITY: Self = Self { inside: 0, outside: 0, count: u32::MAX };
}

/// What stands at `/workspace`, by device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceProof {
    /// `st_dev`.
    pub device: u64,
    /// `st_ino`.
    pub inode: u64,
}
