use super::cgroup::{CgroupPaths, ContainerCgroup};
use super::procfs::Procfs;
use super::scan::Seen;
use super::status::{Rights, Status};
use crate::session::{Membership, ProcessFacts};
use crate::units::Untrusted;

/// What a process is measured against: whose it may be.
pub(super) struct Belonging<'a> {
    /// The namespaces of the container's PID 1.
    pub(super) first: Seen,
    /// PID namespaces below the container's.
    pub(super) nested: &'a [u64],
    /// How many PID namespaces the reader sees above the container's.
    pub(super) depth: usize,
    pub(super) cgroup: &'a ContainerCgroup,
    /// The file with the `AppArmor` label, where there is one.
    pub(super) apparmor: Option<&'static str>,
}

/// A process and those of its threads that have other rights than it; nothing where it has ended.
pub(super) fn read(proc: &Procfs, seen: Seen, belonging: &Belonging<'_>) -> Vec<ProcessFacts> {
    let pid = seen.pid;
    let Some(status) = proc.read(pid, "status").ok().and_then(|text| Status::parse(&text)) else { return Vec::new() };
    if status.has_ended() {
        return Vec::new();
    }
    // The executable after the cgroup: who has left the one by ending has lost the other before.
    let membership = membership(proc, seen, belonging);
    let exe = proc.exe(pid).ok().map(Untrusted::from);
    let label = belonging.apparmor.and_then(|name| proc.read(pid, name).ok());
    let apparmor = label.map(|label| Untrusted::from(label.trim_end_matches(['\n', '\0'])));
    let facts = |id: u32, status: Status| {
        let Rights { cap_eff, cap_prm, cap_inh, cap_bnd, cap_amb, no_new_privs, seccomp, seccomp_filters, uids, gids, groups } =
            status.rights;
        ProcessFacts {
            pid: id,
            container_pid: status.pids.get(belonging.depth).copied().filter(|_| membership.pid_namespace == Some(true)),
            name: status.name,
            exe: exe.clone(),
            membership,
            cap_eff,
            cap_prm,
            cap_inh,
            cap_bnd,
            cap_amb,
            no_new_privs,
            seccomp,
            seccomp_filters,
            uids,
            gids,
            groups,
            apparmor: apparmor.clone(),
        }
    };
    // The kernel keeps rights by thread: one thread may hold what the rest have given up.
    let others = if status.threads > 1 { proc.threads(pid).unwrap_or_default() } else { Vec::new() };
    let mut different: Vec<(u32, Status)> = Vec::new();
    for thread in others.into_iter().filter(|thread| *thread != pid) {
        let Some(other) = proc.read(pid, &format!("task/{thread}/status")).ok().and_then(|text| Status::parse(&text)) else { continue };
        let is_new = !same(&other.rights, &status.rights) || status.is_zombie;
        if is_new && !other.is_zombie && !different.iter().any(|(_, known)| same(&known.rights, &other.rights)) {
            different.push((thread, other));
        }
    }
    let first = (!status.is_zombie).then_some((pid, status));
    first.into_iter().chain(different).map(|(id, status)| facts(id, status)).collect()
}

/// Alike but for the number of filters, which any thread may add to for itself.
fn same(one: &Rights, other: &Rights) -> bool {
    Rights { seccomp_filters: None, ..one.clone() } == Rights { seccomp_filters: None, ..other.clone() }
}

fn membership(proc: &Procfs, seen: Seen, belonging: &Belonging<'_>) -> Membership {
    let is = |own: Option<u64>, first: Option<u64>| Some(own? == first?);
    let nested = seen.pid_ns.is_some_and(|own| belonging.nested.contains(&own));
    Membership {
        cgroup: proc.read(seen.pid, "cgroup").ok().map(|text| belonging.cgroup.holds(&CgroupPaths::parse(&text))),
        pid_namespace: if nested { Some(true) } else { is(seen.pid_ns, belonging.first.pid_ns) },
        mount_namespace: is(seen.mnt_ns, belonging.first.mnt_ns),
        network_namespace: is(seen.net_ns, belonging.first.net_ns),
    }
}
