use std::collections::BTreeSet;

use super::procfs::Procfs;
use super::scan::Seen;
use super::surroundings::Surroundings;

/// Every process that belongs to a container by any tie, and the PID namespaces below the container's.
pub(super) struct Found {
    pub(super) processes: Vec<Seen>,
    pub(super) nested: Vec<u64>,
}

/// Looks by PID, mount and network namespace in the scan, by control group in `in_cgroup`, and by descent for
/// PID namespaces within the container's. The host's network namespace ties nobody to the container.
pub(super) fn find(proc: &Procfs, around: &Surroundings, first: Seen, in_cgroup: &BTreeSet<u32>) -> Found {
    let is = |own: Option<u64>, first: Option<u64>| own.is_some() && own == first;
    let scan = &around.scan;
    let net = first.net_ns.filter(|net| !around.host.has("net", *net));
    let belongs = |seen: &Seen| is(seen.pid_ns, first.pid_ns) || is(seen.mnt_ns, first.mnt_ns) || is(seen.net_ns, net);
    let mut pids: BTreeSet<u32> = scan.iter().filter(belongs).map(|seen| seen.pid).collect();
    pids.extend(in_cgroup);

    let mut nested: Vec<u64> = Vec::new();
    let mut parents: Vec<u32> = scan.iter().filter(|seen| is(seen.pid_ns, first.pid_ns)).map(|seen| seen.pid).collect();
    while let Some(parent) = parents.pop() {
        for child in children(proc, parent) {
            let Some(namespace) = scan.get(child).and_then(|seen| seen.pid_ns) else { continue };
            if is(Some(namespace), first.pid_ns) || nested.contains(&namespace) {
                continue;
            }
            nested.push(namespace);
            let inside: Vec<u32> = scan.iter().filter(|seen| seen.pid_ns == Some(namespace)).map(|seen| seen.pid).collect();
            pids.extend(&inside);
            parents.extend(inside);
        }
    }
    // One that came after the scan is read now; PID 1 leads.
    let seen = |pid: u32| if pid == first.pid { Some(first) } else { scan.get(pid).or_else(|| Seen::read(proc, pid)) };
    pids.remove(&first.pid);
    let processes = std::iter::once(first.pid).chain(pids).filter_map(seen).collect();
    Found { processes, nested }
}

/// The children of every thread of a process; none where this kernel does not list them.
pub(super) fn children(proc: &Procfs, pid: u32) -> Vec<u32> {
    let of = |thread: u32| proc.read(pid, &format!("task/{thread}/children")).unwrap_or_default();
    let threads = proc.threads(pid).unwrap_or_default();
    threads.into_iter().flat_map(|thread| of(thread).split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>()).collect()
}
