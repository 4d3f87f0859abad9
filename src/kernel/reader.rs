use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::cgroup::{CgroupPaths, ContainerCgroup};
use super::digest::Digests;
use super::process::{self, Belonging};
use super::procfs::Procfs;
use super::scan::Seen;
use super::status::Status;
use super::surroundings::Surroundings;
use super::{Unreadable, command_line, gate, init, inside, members, mounts, stage, tables, way_in};
use crate::session::{IdMap, KernelFacts, KernelMount, KernelSource, ProcessFacts, WorkspaceProof};
use crate::units::Untrusted;

/// Where a session's workspace stands in it.
const WORKSPACE: &str = "/workspace";

/// A process that differs is looked at so often, at most, before it is reported.
const LOOKS: usize = 4;

/// Reads what the kernel shows of containers. Blocking, and quick: it stands in the way of every launch.
#[derive(Debug)]
pub struct HostReader {
    proc: Procfs,
    cgroup_root: PathBuf,
    source: KernelSource,
    digests: Digests,
    has_read: AtomicBool,
}

impl Default for HostReader {
    fn default() -> Self {
        Self::new("/proc".into(), "/sys/fs/cgroup".into())
    }
}

impl HostReader {
    /// Over a `/proc` and control groups at these places.
    pub fn new(proc_root: PathBuf, cgroup_root: PathBuf) -> Self {
        Self {
            proc: Procfs::new(proc_root),
            cgroup_root,
            source: KernelSource::Host,
            digests: Digests::default(),
            has_read: AtomicBool::new(false),
        }
    }

    /// The same from within a container's PID namespace, as the probe: it leaves itself out of what it finds.
    pub fn probe() -> Self {
        Self { source: KernelSource::Probe, ..Self::default() }
    }

    /// Whether it has read any container: then its engine's processes are in this `/proc`.
    pub fn has_read(&self) -> bool {
        self.has_read.load(Ordering::Relaxed)
    }

    /// Everything about one container, by its full id and its first process.
    pub fn read(&self, container_id: &str, pid: u32) -> Result<KernelFacts, Unreadable> {
        let first = self.first(container_id, pid)?;
        self.facts(container_id, &first, &self.surroundings()?)
    }

    /// Many containers with one pass over `/proc`, in the order given.
    pub fn read_many(&self, containers: &[(&str, u32)]) -> Vec<Result<KernelFacts, Unreadable>> {
        // Before the pass over /proc, so that what is on its way in has arrived when it is seen.
        let firsts: Vec<_> = containers.iter().map(|(id, pid)| self.first(id, *pid)).collect();
        let surroundings = self.surroundings();
        let facts = |((id, _), first): (&(&str, u32), Result<First, Unreadable>)| {
            self.facts(id, &first?, surroundings.as_ref().map_err(Clone::clone)?)
        };
        containers.iter().zip(firsts).map(facts).collect()
    }

    /// Waits until the supervisor under this container's PID 1 holds the command back ([`super::GATE_NAME`]), and gives
    /// its PID. A number of another machine's is nobody's here, or somebody's who never will: that is told at once.
    pub fn wait_for_gate(&self, container_id: &str, pid: u32, deadline: Instant) -> Result<u32, Unreadable> {
        self.paths_of_first(container_id, pid)?;
        gate::wait(&self.proc, pid, deadline)
    }

    /// SHA-256 of the executable that a process runs. Remembered by device, inode, size and times, and in the file
    /// `cache` where one is given.
    pub fn exe_digest(&self, pid: u32, cache: Option<&Path>) -> Result<[u8; 32], Unreadable> {
        self.digests.of_exe(&self.proc, pid, cache).map_err(|error| Unreadable::from_io("read an executable", &error))
    }

    /// A file as a running container sees it, of at most so many bytes; `None` where there is none. No link is followed.
    pub fn file(&self, container_id: &str, pid: u32, path: &str, most: usize) -> Result<Option<Vec<u8>>, Unreadable> {
        self.paths_of_first(container_id, pid)?;
        inside::read(&self.proc, pid, path, most)
    }

    /// Connects to the abstract socket of this name in a running container's own network namespace, straight from here: the stream does
    /// not block. Who listens there is a process of the container's; which one, the caller must know by the name that it took.
    /// A refusal is tried again until `deadline`.
    pub fn connect(&self, container_id: &str, pid: u32, socket: &str, deadline: Instant) -> Result<UnixStream, Unreadable> {
        let first = self.first(container_id, pid)?;
        let not_its_own = || Unreadable::Other("it has no network namespace of its own".to_owned());
        if first.seen.net_ns.is_none() || self.proc.namespace("self", "net").ok() == first.seen.net_ns {
            return Err(not_its_own());
        }
        let namespace = self.proc.open_namespace(pid, "net").map_err(|error| Unreadable::from_io("open its network namespace", &error))?;
        // A number that was given to another process in between.
        if !self.is_still(&first) {
            return Err(Unreadable::Gone);
        }
        let reached = way_in::connect_in(namespace, socket, deadline)?;
        self.paths_of_first(container_id, reached.listener)?;
        Ok(reached.stream)
    }

    /// Command and arguments of each of these processes, as it shows them; `None` for one that has ended or become another.
    pub fn command_lines(&self, processes: &[ProcessFacts]) -> Vec<Option<Untrusted>> {
        processes.iter().map(|process| command_line::read(&self.proc, process)).collect()
    }

    fn surroundings(&self) -> Result<Surroundings, Unreadable> {
        Surroundings::read(&self.proc, self.source)
    }

    /// The control groups of a process, once they say that it is the container's.
    fn paths_of_first(&self, container_id: &str, pid: u32) -> Result<CgroupPaths, Unreadable> {
        let text = self.proc.read(pid, "cgroup").map_err(|error| match Unreadable::from_io("read its control group", &error) {
            Unreadable::Gone => Unreadable::NotLocal,
            other => other,
        })?;
        let paths = CgroupPaths::parse(&text);
        if paths.mention(container_id) { Ok(paths) } else { Err(Unreadable::NotLocal) }
    }

    /// Makes sure that the process is the container's first, and no longer the runtime on its way in.
    fn first(&self, container_id: &str, pid: u32) -> Result<First, Unreadable> {
        let paths = self.paths_of_first(container_id, pid)?;
        stage::settle(&self.proc, pid);
        let seen = Seen::read(&self.proc, pid).ok_or(Unreadable::Gone)?;
        if seen.pid_ns.is_none() && self.source == KernelSource::Host {
            return Err(Unreadable::Denied);
        }
        let text = self.proc.read(pid, "status").map_err(|error| Unreadable::from_io("read its status", &error))?;
        let status = Status::parse(&text).ok_or_else(|| Unreadable::Other("/proc/PID/status lacks what every Linux shows".to_owned()))?;
        Ok(First { seen, paths, depth: status.pids.len().saturating_sub(1) })
    }

    fn facts(&self, id: &str, first: &First, around: &Surroundings) -> Result<KernelFacts, Unreadable> {
        let proc = &self.proc;
        let pid = first.seen.pid;
        let read = |name: &str| proc.read(pid, name).map_err(|error| Unreadable::from_io(format_args!("read /proc/PID/{name}"), &error));
        let cgroup = ContainerCgroup::find(&first.paths, id, pid, &around.cgroup_mounts, &self.cgroup_root);
        let found = members::find(proc, around, first.seen, &cgroup.members().pids);
        let belonging =
            Belonging { first: first.seen, nested: &found.nested, depth: first.depth, cgroup: &cgroup, apparmor: around.apparmor };
        let mounts = mounts::parse(&read("mountinfo")?);
        // Within one user namespace ids need no translation, and the kernel shows the map to the one above.
        let is_readers = around.host.is_own_user(proc.namespace(pid, "user").ok());
        let id_map = |text: &str| if is_readers { vec![IdMap::IDENTITY] } else { tables::id_map(text) };
        let facts = KernelFacts {
            source: self.source,
            init: init::prove(proc, pid, &mounts),
            processes: self.processes(&found.processes, &belonging),
            cgroup: cgroup.facts(),
            interfaces: tables::interfaces(&read("net/dev")?),
            namespaces: around.host.compare(proc, pid),
            limits: tables::resource_limits(&read("limits")?),
            uid_map: id_map(&read("uid_map")?),
            gid_map: id_map(&read("gid_map")?),
            workspace: self.workspace(pid, &mounts),
            system_paths: around.system_paths.clone(),
            hidden_processes: cgroup.members().hidden,
            mounts,
        };
        // A number that was given to another process in between would have been read as this one.
        match facts.processes.first() {
            Some(process) if process.pid == pid && self.is_still(first) => {
                self.has_read.store(true, Ordering::Relaxed);
                Ok(facts)
            }
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
            // What was seen twice alike is so; what changes between two looks is on its way in or out.
            for _ in 0..LOOKS {
                if !facts.iter().any(|process| processes.first().is_none_or(|first| stage::differs(process, first))) {
                    break;
                }
                stage::settle(&self.proc, seen.pid);
                // On its way in it joins namespaces: those seen before may have been the runtime's.
                let again = Seen::read(&self.proc, seen.pid).map(|seen| process::read(&self.proc, seen, belonging)).unwrap_or_default();
                let is_so = again == facts;
                facts = again;
                if is_so {
                    break;
                }
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
        KernelMount::at(table, WORKSPACE)?;
        let folder = self.proc.path(pid, "root/workspace").symlink_metadata().ok().filter(std::fs::Metadata::is_dir)?;
        Some(WorkspaceProof { device: folder.dev(), inode: folder.ino() })
    }
}

/// A container's first process, once it is known to be that.
struct First {
    seen: Seen,
    paths: CgroupPaths,
    depth: usize,
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests make a /proc of files")]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::session::{CgroupVersion, LimitFact};

    const ID: &str = "1dfc904e11d5176e412fb49f7471294c5a065204a97cc0aab1e8ad19c009fc21";
    const FULL: &str = "000001ffffffffff";
    const NONE: &str = "0000000000000000";

    /// A machine with control groups of version 2, as files.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            let machine = Self(tempfile::tempdir().unwrap());
            machine.process(1, "systemd", "/init.scope", [1, 1, 1], FULL, "1");
            machine.process(9, "palisade", "/user.slice", [1, 1, 1], FULL, "9");
            symlink("9", machine.0.path().join("proc/self")).unwrap();
            machine.write("proc/9/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n");
            machine.process(100, "docker-init", &Self::scope(), [2, 2, 2], NONE, "100 1");
            machine.process(101, "python3", &Self::scope(), [2, 2, 2], NONE, "101 7");
            for (name, text) in
                [("pids.max", "100\n"), ("memory.max", "max\n"), ("cpu.max", "max 100000\n"), ("cgroup.procs", "100\n101\n")]
            {
                machine.write(&format!("cgroup{}/{name}", Self::scope()), text);
            }
            machine
        }

        fn scope() -> String {
            format!("/system.slice/docker-{ID}.scope")
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }

        fn process(&self, pid: u32, name: &str, cgroup: &str, namespaces: [u64; 3], caps: &str, pids: &str) {
            let status = format!(
                "Name:\t{name}\nState:\tS (sleeping)\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nNSpid:\t{pids}\n\
                 Threads:\t1\nCapInh:\t{caps}\nCapPrm:\t{caps}\nCapEff:\t{caps}\nCapBnd:\t{caps}\nNoNewPrivs:\t1\nSeccomp:\t2\n"
            );
            for (file, text) in [
                ("status", status.as_str()),
                ("cgroup", &format!("0::{cgroup}\n")),
                ("mountinfo", "1 0 0:39 / / ro - overlay overlay rw\n"),
                ("limits", ""),
                ("net/dev", ""),
                ("uid_map", "0 0 4294967295\n"),
                ("gid_map", "0 0 4294967295\n"),
                (&format!("task/{pid}/children"), ""),
            ] {
                self.write(&format!("proc/{pid}/{file}"), text);
            }
            let folder = self.0.path().join(format!("proc/{pid}"));
            std::fs::create_dir_all(folder.join("ns")).unwrap();
            for (kind, inode) in ["pid", "mnt", "net"].into_iter().zip(namespaces) {
                symlink(format!("{kind}:[{inode}]"), folder.join("ns").join(kind)).unwrap();
            }
            symlink(format!("/usr/bin/{name}"), folder.join("exe")).unwrap();
        }

        fn reader(&self) -> HostReader {
            HostReader::new(self.0.path().join("proc"), self.0.path().join("cgroup"))
        }

        fn read(&self) -> KernelFacts {
            self.reader().read(ID, 100).unwrap()
        }
    }

    #[test]
    fn version_2_under_systemd_is_read_whole() {
        let facts = Machine::new().read();
        assert_eq!(
            facts.processes.iter().map(|process| (process.pid, process.container_pid)).collect::<Vec<_>>(),
            [(100, Some(1)), (101, Some(7))]
        );
        assert_eq!((facts.cgroup.version, facts.cgroup.pids_max), (CgroupVersion::V2, LimitFact::Limited(100)));
        assert_eq!((facts.cgroup.memory_max, facts.cgroup.nano_cpus), (LimitFact::Unlimited, LimitFact::Unlimited));
        assert_eq!(facts.cgroup.memory_swap_max, LimitFact::Unreadable);
        assert!(facts.processes.iter().all(|process| process.membership.cgroup == Some(true)));
    }

    #[test]
    fn one_tie_is_enough_to_be_found_and_sharing_the_hosts_network_is_none() {
        let machine = Machine::new();
        machine.process(200, "by-pid", "/user.slice", [2, 1, 1], FULL, "200 9");
        machine.process(201, "by-mnt", "/user.slice", [1, 2, 1], FULL, "201");
        machine.process(202, "by-net", "/user.slice", [1, 1, 2], FULL, "202");
        machine.process(203, "by-cgroup", &format!("{}/below", Machine::scope()), [1, 1, 1], FULL, "203");
        machine.write(&format!("cgroup{}/below/cgroup.procs", Machine::scope()), "203\n");
        machine.process(204, "nobody", "/user.slice", [3, 3, 3], FULL, "204 1");
        let found: Vec<u32> = machine.read().processes.iter().map(|process| process.pid).collect();
        assert_eq!(found, [100, 101, 200, 201, 202, 203]);
    }

    #[test]
    fn a_process_in_a_pid_namespace_below_is_found_by_descent() {
        let machine = Machine::new();
        machine.process(300, "nested", "/user.slice", [4, 5, 6], NONE, "300 8 1");
        machine.write("proc/101/task/101/children", "300 ");
        let facts = machine.read();
        let nested = facts.processes.last().unwrap();
        assert_eq!((nested.pid, nested.container_pid, nested.membership.pid_namespace), (300, Some(8), Some(true)));
        assert_eq!((nested.membership.cgroup, nested.membership.mount_namespace), (Some(false), Some(false)));
    }

    #[test]
    fn a_reader_that_may_not_trace_is_denied_and_another_container_is_not_local() {
        let machine = Machine::new();
        let status = std::fs::read_to_string(machine.0.path().join("proc/9/status")).unwrap();
        machine.write("proc/9/status", &status.replace(FULL, NONE));
        assert_eq!(machine.reader().read(ID, 100).unwrap_err(), Unreadable::Denied);
        assert_eq!(machine.reader().read(&ID.replace('1', "2"), 100).unwrap_err(), Unreadable::NotLocal);
        assert_eq!(machine.reader().read(ID, 77).unwrap_err(), Unreadable::NotLocal);
    }

    #[test]
    fn a_gate_is_waited_for_only_under_the_containers_own_first_process() {
        let machine = Machine::new();
        let far = Instant::now() + std::time::Duration::from_hours(1);
        for (whose, pid) in [("nobody's", 77), ("somebody else's", 1)] {
            assert_eq!(machine.reader().wait_for_gate(ID, pid, far), Err(Unreadable::NotLocal), "{whose}");
        }
        machine.write("proc/100/task/100/children", "101 ");
        machine.write("proc/101/comm", &format!("{}\n", super::super::GATE_NAME));
        assert_eq!(machine.reader().wait_for_gate(ID, 100, far), Ok(101));
    }
}
