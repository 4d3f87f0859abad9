use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::Status;
use crate::units::Untrusted;

/// What the engine reports of one container (`inspect`), with absent and empty already made one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
#[expect(clippy::struct_excessive_bools, reason = "the engine's own fields")]
pub struct ContainerFacts {
    /// Full container id.
    pub id: String,
    /// Container name without the leading slash.
    pub name: Untrusted,
    /// Labels as they stand.
    pub labels: BTreeMap<String, Untrusted>,
    /// `State.Status`.
    pub status: Option<Status>,
    /// `State.Pid` on the engine's host; `None` unless running.
    pub pid: Option<u32>,
    /// How it ended, where it did.
    pub exit: Option<ExitFacts>,
    /// `Created`.
    pub created: Option<Timestamp>,
    /// `State.StartedAt`, where it was ever started.
    pub started: Option<Timestamp>,
    /// `Config.Image`, as named.
    pub image: Untrusted,
    /// `Image`: the content id, `sha256:…`.
    pub image_id: String,
    /// `Path` and `Args`.
    pub command: Vec<Untrusted>,
    /// `Config.User` as written: `1000:1000`, a name, or empty (the image's default: root unless it says otherwise).
    pub user: Untrusted,
    /// `Config.Env`.
    pub env: Vec<Untrusted>,
    /// `Config.WorkingDir`.
    pub working_dir: Untrusted,
    /// `Config.Tty`.
    pub tty: bool,
    /// `HostConfig.Runtime`: `runc`, `crun`, `runsc`, ….
    pub runtime: String,
    /// `HostConfig.CapAdd`, upper case without `CAP_`; `ALL` as it is.
    pub cap_add: BTreeSet<String>,
    /// `HostConfig.CapDrop`, upper case without `CAP_`; `ALL` as it is. Podman lists the members instead.
    pub cap_drop: BTreeSet<String>,
    /// `HostConfig.Privileged`.
    pub privileged: bool,
    /// `HostConfig.SecurityOpt`, verbatim.
    pub security_opt: Vec<String>,
    /// `HostConfig.Init`.
    pub init: bool,
    /// `HostConfig.AutoRemove`.
    pub auto_remove: bool,
    /// `HostConfig.PidsLimit`; `None` for unlimited (0, -1 or absent).
    pub pids_limit: Option<u64>,
    /// `HostConfig.Memory` in bytes; `None` for unlimited.
    pub memory: Option<u64>,
    /// `HostConfig.MemorySwap` in bytes (memory and swap together); `None` for unlimited or unset.
    pub memory_swap: Option<u64>,
    /// Billionths of a CPU from `NanoCpus`, or from quota and period; `None` for unlimited.
    pub nano_cpus: Option<u64>,
    /// `HostConfig.CpusetCpus`; empty for all.
    pub cpuset_cpus: String,
    /// What else of the engine's resource settings is not as it is where nobody asked for it: `cpu_shares`, `memory_reservation`, ….
    pub other_limits: BTreeMap<String, String>,
    /// `HostConfig.OomKillDisable`.
    pub oom_kill_disable: bool,
    /// `HostConfig.Ulimits`.
    pub ulimits: Vec<UlimitFacts>,
    /// `HostConfig.ReadonlyRootfs`.
    pub read_only_rootfs: bool,
    /// `HostConfig.Tmpfs`: path to options.
    pub tmpfs: BTreeMap<String, String>,
    /// `Mounts`.
    pub mounts: Vec<MountFacts>,
    /// `HostConfig.Devices`, requests and cgroup rules, one line each; empty is none.
    pub devices: Vec<String>,
    /// `HostConfig.NetworkMode`.
    pub network_mode: String,
    /// Names of the networks it is attached to, `none` excluded.
    pub networks: Vec<Untrusted>,
    /// `HostConfig.PortBindings`, one line each.
    pub ports: Vec<String>,
    /// `HostConfig.IpcMode`, `PidMode`, `UTSMode`, `UsernsMode`, `CgroupnsMode`, as written.
    pub ipc_mode: String,
    /// See `ipc_mode`.
    pub pid_mode: String,
    /// See `ipc_mode`.
    pub uts_mode: String,
    /// See `ipc_mode`.
    pub userns_mode: String,
    /// See `ipc_mode`; empty where the engine does not say.
    pub cgroupns_mode: String,
    /// `HostConfig.LogConfig`.
    pub log: LogFacts,
    /// `HostConfig.RestartPolicy.Name`; `no` where empty.
    pub restart_policy: String,
    /// `RestartCount`: how often the engine started it again by itself.
    pub restarts: u64,
    /// `HostConfig.MaskedPaths`; `None` where the engine does not say.
    pub masked_paths: Option<Vec<String>>,
    /// `HostConfig.ReadonlyPaths`; `None` where the engine does not say.
    pub readonly_paths: Option<Vec<String>>,
    /// `AppArmorProfile`; empty where there is none.
    pub apparmor: String,
}

/// How a container's command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct ExitFacts {
    /// `State.ExitCode`.
    pub code: i64,
    /// `State.OOMKilled`.
    pub oom_killed: bool,
    /// `State.Error`: why it could not start.
    pub error: Untrusted,
    /// `State.FinishedAt`.
    pub finished: Option<Timestamp>,
}

/// One `Ulimit` in the engine's terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UlimitFacts {
    /// `nofile`, `core`, ….
    pub name: String,
    /// Soft limit; -1 for unlimited.
    pub soft: i64,
    /// Hard limit; -1 for unlimited.
    pub hard: i64,
}

/// One entry of `Mounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MountFacts {
    /// `bind`, `volume`, `tmpfs`, ….
    pub kind: String,
    /// The volume's name where it is one.
    pub name: String,
    /// Where it comes from on the engine's host.
    pub source: Untrusted,
    /// Where it stands in the container.
    pub destination: Untrusted,
    /// Whether the container may write.
    pub read_write: bool,
}

/// `HostConfig.LogConfig`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct LogFacts {
    /// `json-file`, `local`, `none`, ….
    pub driver: String,
    /// Driver options.
    pub options: BTreeMap<String, String>,
}
