use std::io;

use super::procfs::Procfs;

/// One pass over `/proc`: which namespaces each process is in. Shared by all containers that are read at once.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// By PID.
    seen: Vec<Seen>,
}

/// A process and the namespaces that tell whether it belongs to a container; `None` where the reader may not look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) pid: u32,
    pub(super) pid_ns: Option<u64>,
    pub(super) mnt_ns: Option<u64>,
    pub(super) net_ns: Option<u64>,
}

impl Seen {
    /// `None` where the process has ended.
    pub(super) fn read(proc: &Procfs, pid: u32) -> Option<Self> {
        let pid_ns = match proc.namespace(pid, "pid") {
            Ok(inode) => Some(inode),
            // Who may not read one link may read none.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Some(Self { pid, pid_ns: None, mnt_ns: None, net_ns: None });
            }
            Err(_) => return None,
        };
        let [mut mnt_ns, mut net_ns] = ["mnt", "net"].map(|kind| proc.namespace(pid, kind).ok());
        if mnt_ns.is_none() {
            // The first thread has ended and taken its namespaces along; the others may run on.
            for thread in proc.threads(pid).unwrap_or_default() {
                let of = |kind| proc.namespace(format_args!("{pid}/task/{thread}"), kind).ok();
                (mnt_ns, net_ns) = (mnt_ns.or_else(|| of("mnt")), net_ns.or_else(|| of("net")));
            }
        }
        Some(Self { pid, pid_ns, mnt_ns, net_ns })
    }
}

impl Scan {
    pub(super) fn new(proc: &Procfs) -> io::Result<Self> {
        // Kernel threads are half of /proc, live in the host's namespaces and run nothing of anyone's.
        let kernel_threads = kernel_threads(proc);
        let pids = proc.pids()?.into_iter().filter(|pid| kernel_threads.binary_search(pid).is_err());
        Ok(Self { seen: pids.filter_map(|pid| Seen::read(proc, pid)).collect() })
    }

    /// Whether a process kept its namespaces from the reader: it could be in any container. The machine's own first
    /// process is in none, and a security module may keep it even from root.
    pub(super) fn is_partial(&self) -> bool {
        self.seen.iter().any(|seen| seen.pid != 1 && seen.pid_ns.is_none())
    }

    pub(super) fn get(&self, pid: u32) -> Option<Seen> {
        self.seen.binary_search_by_key(&pid, |seen| seen.pid).ok().and_then(|at| self.seen.get(at)).copied()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Seen> {
        self.seen.iter().copied()
    }
}

/// `kthreadd`'s children. A program that the kernel itself starts (a core dump handler) is one too: it begins in the
/// host's namespaces and cgroups, and one that has been moved into a container's cgroup is still found there.
fn kernel_threads(proc: &Procfs) -> Vec<u32> {
    if !proc.read(2, "status").is_ok_and(|status| status.starts_with("Name:\tkthreadd\n") && status.contains("\nPPid:\t0\n")) {
        return Vec::new();
    }
    let Ok(children) = proc.read(2, "task/2/children") else { return Vec::new() };
    children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}
