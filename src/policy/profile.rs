//! A profile as written: TOML, every field optional, layered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::policy_type::{Network, Seccomp};
use crate::units::{Bytes, Capability, Cpus, Seconds};

/// What a profile file, or the command line, may say. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// One line for `palisade profiles`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The profile that this one starts from; `default` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Image for sessions that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Capabilities given back, added to those of the layers below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap_add: Option<Vec<Capability>>,
    /// Capabilities taken away again from those of the layers below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap_drop: Option<Vec<Capability>>,
    /// `default` or `strict`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seccomp: Option<Seccomp>,
    /// 16 to 4096.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pids_limit: Option<u64>,
    /// At least 16 MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// At least 0.01.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<Cpus>,
    /// `0-1,3`; empty for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpuset: Option<String>,
    /// 64 to 1048576.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nofile: Option<u64>,
    /// Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only_rootfs: Option<bool>,
    /// Size of `/tmp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmp_size: Option<Bytes>,
    /// Size of `/run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_size: Option<Bytes>,
    /// Size of `/dev/shm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shm_size: Option<Bytes>,
    /// `none` or `open`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Size of one log file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_max_size: Option<Bytes>,
    /// Log files kept, 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_max_file: Option<u64>,
    /// How long the command may run; 0 for as long as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Seconds>,
    /// Between SIGTERM and SIGKILL, at most an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_grace: Option<Seconds>,
    /// Whether workspaces are read-only whatever the launch says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_read_only: Option<bool>,
    /// Environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
}
