use super::procfs::Procfs;
use crate::session::{KernelSource, NamespaceFact};

/// The kinds that isolate a container, with the inode that the kernel gives the first of each: fixed for most
/// kinds since Linux 3.8, for `mnt` and `net` only lately.
const KINDS: [(&str, u64); 7] = [
    ("cgroup", 0xEFFF_FFFB),
    ("ipc", 0xEFFF_FFFF),
    ("mnt", 0xEFFF_FFF8),
    ("net", 0xEFFF_FFF9),
    ("pid", 0xEFFF_FFFC),
    ("user", 0xEFFF_FFFD),
    ("uts", 0xEFFF_FFFE),
];

/// Each namespace of a process against the host's.
pub(super) fn against_host(proc: &Procfs, pid: u32, source: KernelSource) -> Vec<NamespaceFact> {
    let fact = |(kind, first): (&str, u64)| {
        let is_host = proc.namespace(pid, kind).ok().and_then(|own| match source {
            KernelSource::Host => Some(own == first || hosts(proc, kind).contains(&own)),
            // From inside there is no process of the host to compare with, only the kernel's fixed numbers.
            KernelSource::Probe if own == first => Some(true),
            KernelSource::Probe => (!matches!(kind, "mnt" | "net")).then_some(false),
        });
        NamespaceFact { name: kind.to_owned(), is_host }
    };
    KINDS.map(fact).into()
}

/// The host's namespace of a kind: the first process's, and this program's own, which may stand in a container itself.
pub(super) fn hosts(proc: &Procfs, kind: &str) -> Vec<u64> {
    ["1", "self"].iter().filter_map(|pid| proc.namespace(pid, kind).ok()).collect()
}
