use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::policy::controls::ADDABLE_CAPABILITIES;
use crate::policy::cpuset::CpuList;
use crate::policy::{Network, PidsLimit, Seccomp, range};
use crate::terminal::Grants;
use crate::units::{Bytes, CapSet, Capability, Cpus, Seconds};

/// The hardening that a session asked for, as its label [`crate::session::labels::REQUESTED`] keeps it in canonical JSON.
///
/// The floor holds whatever the label says: [`super::audit`] checks a container against the stronger of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requested {
    /// Names without `CAP_`.
    pub cap_add: Vec<String>,
    /// `default` or `strict`.
    pub seccomp: Seccomp,
    /// Uid and gid.
    pub user: (u32, u32),
    /// Processes and threads.
    pub pids_limit: u32,
    /// Bytes.
    pub memory: u64,
    /// Billionths of a CPU.
    pub nano_cpus: u64,
    /// cpuset(7) list; empty for all, as it is in labels from before it was kept.
    #[serde(default)]
    pub cpuset: String,
    /// Open files.
    pub nofile: u64,
    /// Whether the root is read-only.
    pub read_only_rootfs: bool,
    /// Path to size in bytes.
    pub tmpfs: BTreeMap<String, u64>,
    /// Targets of volumes and binds, with whether each is read-only.
    pub mounts: BTreeMap<String, bool>,
    /// The judged workspace's device and inode, where there is one.
    pub workspace: Option<(u64, u64)>,
    /// `none`, `packages` or `open`.
    pub network: Network,
    /// Package versions younger than this are hidden: what each start's token for the depot says. 0, and nothing
    /// left alone, in labels from before there was a depot.
    #[serde(default)]
    pub min_age: Seconds,
    /// Packages that `min_age` leaves alone.
    #[serde(default)]
    pub min_age_allow: BTreeSet<String>,
    /// What its terminals may do to the operator's; nothing in labels from before it held any.
    #[serde(default)]
    pub terminal: Grants,
    /// Bytes of one log file, and how many.
    pub log: (u64, u32),
}

/// What a container is held to: what was requested and the floor, whichever is stronger. A label is written by
/// whoever makes the container, so it cannot excuse what no launch of ours may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) cap_add: CapSet,
    pub(super) seccomp: Seccomp,
    /// `None` for anyone but root.
    pub(super) user: Option<(u32, u32)>,
    pub(super) pids_limit: u64,
    pub(super) memory: u64,
    pub(super) nano_cpus: u64,
    pub(super) cpuset: CpuList,
    pub(super) nofile: u64,
    pub(super) read_only_rootfs: bool,
    pub(super) tmpfs: BTreeMap<String, u64>,
    /// `None` where nobody knows: volumes are taken as they are, host folders are not.
    pub(super) mounts: Option<BTreeMap<String, bool>>,
    pub(super) workspace: Option<(u64, u64)>,
    pub(super) network: Network,
    /// `None` for any bound.
    pub(super) log: Option<(u64, u32)>,
    /// The engine's word. No label says it: a session is never started again, whatever was requested.
    pub(super) restart_policy: &'static str,
}

const NO_RESTART: &str = "no";

impl Wanted {
    pub(super) fn new(requested: Option<&Requested>) -> Self {
        let Some(requested) = requested else { return Self::defaults() };
        let log_files = u32::try_from(*range::LOG_FILES.end()).unwrap_or(u32::MAX);
        let addable = |name: &&String| ADDABLE_CAPABILITIES.contains(&name.as_str());
        Self {
            cap_add: requested.cap_add.iter().filter(addable).filter_map(|name| name.parse::<Capability>().ok()).collect(),
            seccomp: requested.seccomp,
            user: Some(requested.user).filter(|(uid, gid)| *uid != 0 && *gid != 0),
            pids_limit: u64::from(requested.pids_limit.min(PidsLimit::MAX)),
            memory: requested.memory.min(range::MEMORY.end().get()),
            nano_cpus: requested.nano_cpus.min(range::CPUS.end().as_nano().unsigned_abs()),
            cpuset: requested.cpuset.parse().unwrap_or_default(),
            nofile: requested.nofile.min(*range::NOFILE.end()),
            read_only_rootfs: requested.read_only_rootfs,
            tmpfs: requested.tmpfs.iter().map(|(path, size)| (path.clone(), *size.min(&range::TMPFS.end().get()))).collect(),
            mounts: Some(requested.mounts.clone()),
            workspace: requested.workspace,
            network: requested.network,
            log: Some((requested.log.0.min(range::LOG_SIZE.end().get()), requested.log.1.min(log_files))),
            restart_policy: NO_RESTART,
        }
    }

    /// Of a container that carries our labels and does not say what it asked for: the floor and the documented defaults.
    fn defaults() -> Self {
        Self {
            cap_add: CapSet::EMPTY,
            seccomp: Seccomp::Default,
            user: None,
            pids_limit: 100,
            memory: Bytes::gib(4).get(),
            nano_cpus: Cpus::milli(2000).as_nano().unsigned_abs(),
            cpuset: CpuList::default(),
            nofile: 4096,
            read_only_rootfs: true,
            tmpfs: BTreeMap::new(),
            mounts: None,
            workspace: None,
            network: Network::None,
            log: None,
            restart_policy: NO_RESTART,
        }
    }
}
