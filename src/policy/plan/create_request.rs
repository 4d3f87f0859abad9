use std::collections::BTreeMap;

use serde::Serialize;

use crate::session::labels;

/// The engine's create request in plain data; `backend::engine::convert` turns it into bollard's types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the engine's own fields")]
pub struct CreateRequest {
    /// Container name.
    pub name: String,
    /// Image: its content id where known, so that a re-tag in between changes nothing.
    pub image: String,
    /// Full argument vector.
    pub entrypoint: Vec<String>,
    /// `KEY=VALUE`, sorted.
    pub env: Vec<String>,
    /// `uid:gid`.
    pub user: String,
    /// Working directory.
    pub working_dir: String,
    /// Host name.
    pub hostname: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Standard input is a pipe that stays open: the gate is opened and secrets arrive through it.
    pub open_stdin: bool,
    /// Standard input closes with its first client.
    pub stdin_once: bool,
    /// Seconds that the engine waits between SIGTERM and SIGKILL.
    pub stop_timeout_s: u64,
    /// Removed by the engine when it ends.
    pub auto_remove: bool,
    /// The engine's init as PID 1.
    pub init: bool,
    /// Always false.
    pub privileged: bool,
    /// Always `ALL`.
    pub cap_drop: Vec<String>,
    /// Given back.
    pub cap_add: Vec<String>,
    /// `no-new-privileges`, and the seccomp profile where it is ours.
    pub security_opt: Vec<String>,
    /// Processes and threads.
    pub pids_limit: u32,
    /// Bytes.
    pub memory: u64,
    /// Bytes, memory and swap together: equal to `memory`, so no swap.
    pub memory_swap: u64,
    /// Billionths of a CPU.
    pub nano_cpus: i64,
    /// cpuset(7) list; empty for all.
    pub cpuset_cpus: String,
    /// Limits per process.
    pub ulimits: Vec<Ulimit>,
    /// Whether the root file system is read-only.
    pub read_only_rootfs: bool,
    /// Path to mount options.
    pub tmpfs: BTreeMap<String, String>,
    /// Bytes of `/dev/shm`.
    pub shm_size: u64,
    /// Volumes and binds, by target.
    pub mounts: Vec<PlanMount>,
    /// `none` or `bridge`.
    pub network_mode: String,
    /// Always `private`.
    pub ipc_mode: String,
    /// Always `private`.
    pub cgroupns_mode: String,
    /// `json-file`.
    pub log_driver: String,
    /// `max-size`, `max-file`.
    pub log_options: BTreeMap<String, String>,
    /// Always `no`.
    pub restart_policy: String,
}

impl CreateRequest {
    /// The same, with who makes it on the container and on each volume that is made with it. It is not part of the plan: equal orders
    /// have equal plans, whoever carries them out.
    #[must_use]
    pub fn made_by(mut self, maker: &str) -> Self {
        let ours = self.mounts.iter_mut().map(|mount| &mut mount.labels).filter(|all| all.contains_key(labels::SCHEMA));
        for all in ours.chain([&mut self.labels]) {
            all.insert(labels::MAKER.to_owned(), maker.to_owned());
        }
        self
    }
}

/// One limit, hard and soft alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ulimit {
    /// `nofile`, `core`.
    pub name: String,
    /// Hard and soft.
    pub limit: u64,
}

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanMount {
    /// What it is.
    pub kind: PlanMountKind,
    /// Volume name or host path; empty for a volume that goes with the container.
    pub source: String,
    /// Where it stands.
    pub target: String,
    /// Whether the session cannot write.
    pub read_only: bool,
    /// Labels of the volume.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// Kind of mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanMountKind {
    /// A volume.
    Volume,
    /// A host folder.
    Bind,
}
