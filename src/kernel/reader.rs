use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::cgroup::{CgroupPaths, ContainerCgroup};
use super::digest::Digests;
use super::process::{self, Belonging};
use super::procfs::Procfs;
use super::scan::{Scan, Seen};
use super::status::Status;
use super::{Unreadable, gate, init, members, mounts, namespaces, stage, tables};
use crate::session::{KernelFacts, KernelMount, KernelSource, ProcessFacts, WorkspaceProof};
use crate::units::CapSet;

/// What it takes to see the executables and namespaces of everyone's processes.
const SYS_PTRACE: CapSet = CapSet(1 << 19);
/// Where a session's workspace stands in it.
const WORKSPACE: &str = "/workspace";
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

/// Reads what the kernel shows of containers. Blocking, and quick: it stands in the way of every launch.
#[derive(Debug)]
pub struct HostReader {
    proc: Procfs,
    cgroup_root: PathBuf,
    source: KernelSource,
    digests: Digests,
}

impl Default for HostReader {
    fn default() -> Self {
        Self::new("/proc".into(), "/sys/fs/cgroup".into())
    }
}

impl HostReader {
    /// Over a `/proc` and control groups at these places.
    pub fn new(proc_root: PathBuf, cgroup_root: PathBuf) -> Self {
        Self { proc: Procfs::new(proc_root), cgroup_root, source: KernelSource::Host, digests: Digests::default() }
    }

    /// The same from within a container's PID namespace, as the probe: it leaves itself out of what it finds.
    pub fn probe() -> Self {
        Self { source: KernelSource::Probe, ..Self::default() }
    }

    /// Everything about one container, by its full id and its first process.
    pub fn read(&self, container_id: &str, pid: u32) -> Result<KernelFacts, Unreadable> {
        let first = self.first(container_id, pid)?;
        self.facts(container_id, &first, &self.scan()?, &self.own_cgroup_mounts())
    }

    /// Many containers with one pass over `/proc`, in the order given.
    pub fn read_many(&self, containers: &[(&str, u32)]) -> Vec<Result<KernelFacts, Unreadable>> {
        let firsts: Vec<_> = containers.iter().map(|(id, pid)| self.first(id, *pid)).collect();
        let cgroup_mounts = self.own_cgroup_mounts();
        let scan = match self.scan() {
            Ok(scan) => scan,
            Err(error) => return containers.iter().map(|_| Err(error.clone())).collect(),
        };
        let facts = |((id, _), first): (&(&str, u32), Result<First, Unreadable>)| self.facts(id, &first?, &scan, &cgroup_mounts);
        containers.iter().zip(firsts).map(facts).collect()
    }

    /// Waits until the supervisor under this PID 1 holds the command back ([`super::GATE_NAME`]), and gives its PID.
    pub fn wait_for_gate(&self, pid: u32, deadline: Instant) -> Result<u32, Unreadable> {
        gate::wait(&self.proc, pid, deadline)
    }

    /// SHA-256 of the executable that a process runs. Remembered by device, inode, size and times, and in the file
    /// `cache` where one is given.
    pub fn exe_digest(&self, pid: u32, cache: Option<&Path>) -> Result<[u8; 32], Unreadable> {
        self.digests.of_exe(&self.proc, pid, cache).map_err(|error| Unreadable::from_io("read an executable", &error))
    }

    fn scan(&self) -> Result<Scan, Unreadable> {
        let scan = Scan::new(&self.proc).map_err(|error| Unreadable::Other(format!("cannot list /proc: {error}")))?;
        // Who may not see every process would call a container clean that root has put something into.
        if self.source == KernelSource::Host && (scan.is_partial() || !self.may_trace()) {
            return Err(Unreadable::Denied);
        }
        Ok(scan)
    }

    /// Without this right other users' processes are kept back, or (`hidepid`) not even listed.
    fn may_trace(&self) -> bool {
        let own = self.proc.read_own("self/status").ok().and_then(|text| Status::parse(&text));
        own.is_some_and(|own| SYS_PTRACE.is_subset(own.rights.cap_eff))
    }

    fn own_cgroup_mounts(&self) -> Vec<KernelMount> {
        mounts::parse_cgroups(&self.proc.read_own("self/mountinfo").unwrap_or_default())
    }

    /// Makes sure that the process is the container's first, and no longer the runtime on its way in.
    fn first(&self, container_id: &str, pid: u32) -> Result<First, Unreadable> {
        let text = self.proc.read(pid, "cgroup").map_err(|error| match Unreadable::from_io("read its control group", &error) {
            Unreadable::Gone => Unreadable::NotLocal,
            other => other,
        })?;
        let paths = CgroupPaths::parse(&text);
        if !paths.mention(container_id) {
            return Err(Unreadable::NotLocal);
        }
        stage::settle(&self.proc, pid);
        let seen = Seen::read(&self.proc, pid).ok_or(Unreadable::Gone)?;
        if seen.pid_ns.is_none() && self.source == KernelSource::Host {
            return Err(Unreadable::Denied);
        }
        let text = self.proc.read(pid, "status").map_err(|error| Unreadable::from_io("read its status", &error))?;
        let status = Status::parse(&text).ok_or_else(|| Unreadable::Other("/proc/PID/status lacks what every Linux shows".to_owned()))?;
        Ok(First { seen, paths, depth: status.pids.len().saturating_sub(1) })
    }

    fn facts(&self, id: &str, first: &First, scan: &Scan, cgroup_mounts: &[KernelMount]) -> Result<KernelFacts, Unreadable> {
        let proc = &self.proc;
        let pid = first.seen.pid;
        let read = |name: &str| proc.read(pid, name).map_err(|error| Unreadable::from_io(format_args!("read /proc/PID/{name}"), &error));
        let cgroup = ContainerCgroup::find(&first.paths, id, pid, cgroup_mounts, &self.cgroup_root);
        let in_cgroup = cgroup.members();
        let found = members::find(proc, scan, first.seen, &in_cgroup.pids, &namespaces::hosts(proc, "net"));
        let belonging = Belonging { first: first.seen, nested: &found.nested, depth: first.depth, cgroup: &cgroup };
        let mounts = mounts::parse(&read("mountinfo")?);
        let facts = KernelFacts {
            source: self.source,
            init: init::prove(proc, pid, &mounts),
            processes: self.processes(&found.processes, &belonging),
            cgroup: cgroup.facts(),
            interfaces: tables::interfaces(&read("net/dev")?),
            namespaces: namespaces::against_host(proc, pid, self.source),
            limits: tables::resource_limits(&read("limits")?),
            uid_map: tables::id_map(&read("uid_map")?),
            gid_map: tables::id_map(&read("gid_map")?),
            workspace: self.workspace(pid, &mounts),
            system_paths: self.system_paths(),
            hidden_processes: in_cgroup.hidden,
            mounts,
        };
        // A number that was given to another process in between would have been read as this one.
        match facts.processes.first() {
            Some(process) if process.pid == pid && self.is_still(first) => Ok(facts),
            _ => Err(Unreadable::Gone),
        }
    }

    fn processes(&self, found: &[Seen], belonging: &Belonging<'_>) -> Vec<ProcessFacts> {
        let own_mounts = match self.source {
            KernelSource::Probe => self.proc.namespace("self", "mnt").ok(),
            KernelSource::Host => None,
        };
        let mut processes: Vec<ProcessFacts> = Vec::new();
        for seen in found.iter().filter(|seen| own_mounts.is_none() || seen.mnt_ns != own_mounts) {
            let mut facts = process::read(&self.proc, *seen, belonging);
            if facts.iter().any(|process| processes.first().is_none_or(|first| stage::differs(process, first))) {
                stage::settle(&self.proc, seen.pid);
                // On its way in it joins namespaces: those seen before may have been the runtime's.
                facts = Seen::read(&self.proc, seen.pid).map(|seen| process::read(&self.proc, seen, belonging)).unwrap_or_default();
            }
            // A number that has passed to a process of someone else's in the meantime.
            facts.retain(|process| process.pid == belonging.first.pid || process.membership.is_any());
            processes.append(&mut facts);
        }
        processes
    }

    fn is_still(&self, first: &First) -> bool {
        self.proc.read(first.seen.pid, "cgroup").is_ok_and(|text| CgroupPaths::parse(&text) == first.paths)
            && Seen::read(&self.proc, first.seen.pid) == Some(first.seen)
    }

    /// Only what a mount put there: the container can make a folder of that name itself.
    fn workspace(&self, pid: u32, table: &[KernelMount]) -> Option<WorkspaceProof> {
        mounts::at(table, WORKSPACE)?;
        let folder = self.proc.path(pid, "root/workspace").symlink_metadata().ok().filter(std::fs::Metadata::is_dir)?;
        Some(WorkspaceProof { device: folder.dev(), inode: folder.ino() })
    }

    fn system_paths(&self) -> Vec<String> {
        let exists = |path: &str| match path.strip_prefix("/proc/") {
            Some(name) => self.proc.has(name),
            None => Path::new(path).symlink_metadata().is_ok(),
        };
        SYSTEM_PATHS.iter().filter(|path| exists(path)).map(|path| (*path).to_owned()).collect()
    }
}

/// A container's first process, once it is known to be that.
struct First {
    seen: Seen,
    paths: CgroupPaths,
    depth: usize,
}
