use std::path::Path;

use super::namespaces::HostNamespaces;
use super::procfs::Procfs;
use super::scan::Scan;
use super::status::Status;
use super::{Unreadable, mounts};
use crate::session::{KernelMount, KernelSource};
use crate::units::CapSet;

/// What it takes to see the executables and namespaces of everyone's processes.
const SYS_PTRACE: CapSet = CapSet(1 << 19);
/// Paths that engines hide or make read-only, where the kernel has them.
const SYSTEM_PATHS: [&str; 15] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/sys",
    "/proc/sysrq-trigger",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/firmware",
];

/// What is one for all containers of a machine: read once, however many are looked at.
pub(super) struct Surroundings {
    pub(super) scan: Scan,
    pub(super) host: HostNamespaces,
    pub(super) cgroup_mounts: Vec<KernelMount>,
    pub(super) system_paths: Vec<String>,
    /// The file of `/proc/PID` with the `AppArmor` label, where that module is on.
    pub(super) apparmor: Option<&'static str>,
}

impl Surroundings {
    pub(super) fn read(proc: &Procfs, source: KernelSource) -> Result<Self, Unreadable> {
        let scan = Scan::new(proc).map_err(|error| Unreadable::Other(format!("cannot list /proc: {error}")))?;
        // Who may not see every process would call a container clean that root has put something into.
        if source == KernelSource::Host && (scan.is_partial() || !may_trace(proc)) {
            return Err(Unreadable::Denied);
        }
        Ok(Self {
            scan,
            host: HostNamespaces::read(proc, source),
            cgroup_mounts: mounts::parse_cgroups(&proc.read_own("self/mountinfo").unwrap_or_default()),
            system_paths: system_paths(proc),
            apparmor: apparmor(proc),
        })
    }
}

/// Without this right other users' processes are kept back, or (`hidepid`) not even listed.
fn may_trace(proc: &Procfs) -> bool {
    let own = proc.read_own("self/status").ok().and_then(|text| Status::parse(&text));
    own.is_some_and(|own| SYS_PTRACE.is_subset(own.rights.cap_eff))
}

fn system_paths(proc: &Procfs) -> Vec<String> {
    let exists = |path: &str| match path.strip_prefix("/proc/") {
        Some(name) => proc.has(name),
        None => Path::new(path).symlink_metadata().is_ok(),
    };
    SYSTEM_PATHS.iter().filter(|path| exists(path)).map(|path| (*path).to_owned()).collect()
}

/// Before Linux 5.8 one file served whichever module came first; `SELinux` writes `user:role:type:level` there.
fn apparmor(proc: &Procfs) -> Option<&'static str> {
    let is_label = |name: &str| proc.read_own(&format!("self/{name}")).is_ok_and(|text| !text.is_empty() && text.matches(':').count() < 3);
    ["attr/apparmor/current", "attr/current"].into_iter().find(|name| is_label(name))
}
