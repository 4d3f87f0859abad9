use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::terminal::Grants;
use crate::units::{Bytes, Capability, Cpus, ParseError, Seconds};

/// What holds for a session: every field decided and validated, no `Option`.
///
/// What is not here is the floor and cannot be said: `cap_drop ALL`, `no_new_privileges`, `init`, no privileged
/// mode, no host namespace, no device, no engine socket, a user that is not root, no core dumps, no swap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// The profile's name.
    pub profile: String,
    /// Image to run when the request names none.
    pub image: String,
    /// Capabilities given back, one by one, from [`super::controls::ADDABLE_CAPABILITIES`].
    pub cap_add: BTreeSet<Capability>,
    /// Which system calls are filtered.
    pub seccomp: Seccomp,
    /// Most processes and threads at once.
    pub pids_limit: PidsLimit,
    /// Memory in bytes; swap beyond it is none.
    pub memory: Bytes,
    /// CPU time.
    pub cpus: Cpus,
    /// Which CPUs are visible, in cpuset(7) list form; empty for all.
    pub cpuset: String,
    /// Open files per process.
    pub nofile: u32,
    /// Whether the root file system is read-only.
    pub read_only_rootfs: bool,
    /// Size of the tmpfs at `/tmp`.
    pub tmp_size: Bytes,
    /// Size of the tmpfs at `/run`.
    pub run_size: Bytes,
    /// Size of `/dev/shm`.
    pub shm_size: Bytes,
    /// What the session reaches.
    pub network: Network,
    /// Package versions younger than this are hidden from the session; 0 hides none.
    pub min_age: Seconds,
    /// Packages that `min_age` leaves alone, each as `ECOSYSTEM:NAME` in its ecosystem's one spelling.
    pub min_age_allow: BTreeSet<String>,
    /// Bounds of the engine's log of the session's output.
    pub log: LogCap,
    /// How long the command may run.
    pub timeout: Timeout,
    /// Seconds between the polite signal and the last one when it is stopped.
    pub stop_grace: Seconds,
    /// How long the session may run from its start; 0 for as long as it likes.
    pub ttl: Seconds,
    /// How long nobody may use it before it is stopped; 0 for as long as it likes.
    pub idle: Seconds,
    /// How much room its files may take.
    pub disk: DiskCap,
    /// What terminals in it may do, and how long they are held.
    pub terminal: Terminal,
    /// Environment set by profiles.
    pub env: BTreeMap<String, String>,
    /// Whether workspaces are mounted read-only whatever the request says.
    pub workspace_read_only: bool,
}

/// Which seccomp profile filters the session's system calls. There is always one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seccomp {
    /// The engine's own default.
    Default,
    /// Ours: the default's spirit, less `io_uring`, `userfaultfd`, `keyctl`, `ptrace`, `perf_event_open`, `bpf`.
    Strict,
}

/// What a session reaches. A later one is wider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// Nothing: its network namespace holds `lo` alone.
    None,
    /// Packages, by the depot's socket; its network namespace holds `lo` alone.
    Packages,
    /// Packages by the depot, and by the engine's bridge whatever the host reaches.
    Open,
}

impl Network {
    /// Whether the network namespace holds `lo` and nothing else.
    pub const fn is_closed(self) -> bool {
        match self {
            Self::None | Self::Packages => true,
            Self::Open => false,
        }
    }

    /// Whether the session is given the way to the depot.
    pub const fn has_depot(self) -> bool {
        match self {
            Self::None => false,
            Self::Packages | Self::Open => true,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Packages => "packages",
            Self::Open => "open",
        })
    }
}

impl fmt::Display for Seccomp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Default => "default",
            Self::Strict => "strict",
        })
    }
}

/// A number of processes and threads between 16 and 4096: never unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct PidsLimit(u32);

impl PidsLimit {
    /// Below this an ordinary package manager cannot start.
    pub const MIN: u32 = 16;
    /// Above this a fork bomb is felt by the host.
    pub const MAX: u32 = 4096;

    /// A limit within the range.
    pub fn new(limit: u64) -> Result<Self, ParseError> {
        u32::try_from(limit)
            .ok()
            .filter(|limit| (Self::MIN..=Self::MAX).contains(limit))
            .map(Self)
            .ok_or_else(|| ParseError(format!("{limit} is out of range: {} to {}", Self::MIN, Self::MAX)))
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// Bounds of the engine's log: a container's log escapes every cgroup limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LogCap {
    /// Size of one log file.
    pub max_size: Bytes,
    /// How many are kept.
    pub max_file: u32,
}

/// Bounds of what a session's volumes take on disk, which no engine bounds: kept by its supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DiskCap {
    /// Above this it is warned of; 0 for never.
    pub soft: Bytes,
    /// Above this the session is stopped; 0 for never.
    pub hard: Bytes,
}

/// What terminals in a session may do to the operator's, and how long one that nobody uses is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Terminal {
    /// Programs may set the title.
    pub title: bool,
    /// Programs may write to the clipboard.
    pub clipboard: bool,
    /// A shell that nobody has used for so long ends; 0 for never.
    pub idle: Seconds,
}

impl Terminal {
    /// What beside drawing is allowed.
    pub const fn grants(self) -> Grants {
        Grants { title: self.title, clipboard: self.clipboard }
    }
}

/// How long a command may run, enforced inside the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Timeout {
    /// As long as it likes.
    Never,
    /// So many seconds, then SIGTERM, then SIGKILL.
    After(Seconds),
}
