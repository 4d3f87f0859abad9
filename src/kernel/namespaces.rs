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

/// The namespaces that are nobody's container: those of the first process, and this program's own, which may stand
/// in a container itself.
pub(super) struct HostNamespaces {
    source: KernelSource,
    inodes: [Vec<u64>; KINDS.len()],
    own_user: Option<u64>,
}

impl HostNamespaces {
    pub(super) fn read(proc: &Procfs, source: KernelSource) -> Self {
        let inodes = KINDS.map(|(kind, first)| match source {
            KernelSource::Host => ["1", "self"].iter().filter_map(|pid| proc.namespace(pid, kind).ok()).chain([first]).collect(),
            // From inside there is no process of the host to compare with, only the kernel's fixed numbers.
            KernelSource::Probe => vec![first],
        });
        Self { source, inodes, own_user: proc.namespace("self", "user").ok() }
    }

    /// Whether ids mean the same to a process in this user namespace and to the reader.
    pub(super) fn is_own_user(&self, inode: Option<u64>) -> bool {
        inode.is_some() && inode == self.own_user
    }

    pub(super) fn has(&self, wanted: &str, inode: u64) -> bool {
        KINDS.iter().zip(&self.inodes).any(|((kind, _), inodes)| *kind == wanted && inodes.contains(&inode))
    }

    /// Each namespace of a process against these.
    pub(super) fn compare(&self, proc: &Procfs, pid: u32) -> Vec<NamespaceFact> {
        let fact = |(kind, _): (&str, u64)| {
            let is_host = proc.namespace(pid, kind).ok().and_then(|own| match self.source {
                _ if self.has(kind, own) => Some(true),
                KernelSource::Probe if matches!(kind, "mnt" | "net") => None,
                KernelSource::Host | KernelSource::Probe => Some(false),
            });
            NamespaceFact { name: kind.to_owned(), is_host }
        };
        KINDS.map(fact).into()
    }
}
