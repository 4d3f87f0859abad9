//! Where a container's control groups are, who is in them and what they limit: version 1, version 2, and hybrid.

mod limit;
mod paths;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::procfs::{folders, read_text};
use crate::session::{CgroupFacts, CgroupVersion, KernelMount, LimitFact};
use limit::{parse_limit, share, sum};
use paths::own_part;

pub(super) use paths::CgroupPaths;

/// The controllers that hold a container's limits. A process outside one of them escapes that limit.
const LIMITING: [&str; 3] = ["pids", "memory", "cpu"];
/// Where the hierarchies are mounted everywhere; a reader with another root looks there instead.
const USUAL_ROOT: &str = "/sys/fs/cgroup";
/// How many folders are looked through for a container's, where its path cannot be translated.
const MOST_FOLDERS: usize = 20_000;

/// One container's control groups.
#[derive(Debug, Clone)]
pub(super) struct ContainerCgroup {
    version: CgroupVersion,
    /// For each of [`LIMITING`]: the path whose last part names the container, and its folder where this reader has it.
    groups: Vec<(&'static str, String, Option<PathBuf>)>,
    members: Members,
}

/// Members by number, and how many are there that the reader's PID namespace does not show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Members {
    pub(super) pids: BTreeSet<u32>,
    pub(super) hidden: u32,
}

impl Members {
    /// Adds those of a folder, if the process is among them: else the folder is another container's, or stale.
    fn take(&mut self, folder: &Path, pid: u32) -> bool {
        let others = members(folder);
        let is_in = others.pids.contains(&pid);
        if is_in {
            self.pids.extend(others.pids);
            self.hidden = self.hidden.max(others.hidden);
        }
        is_in
    }
}

impl ContainerCgroup {
    /// From PID 1's paths and the reader's own mounts of control groups.
    pub(super) fn find(paths: &CgroupPaths, id: &str, pid: u32, mounts: &[KernelMount], cgroup_root: &Path) -> Self {
        let version = paths.version();
        let mut found = Self { version, groups: Vec::new(), members: Members::default() };
        for controller in LIMITING {
            let Some(path) = paths.path(controller).and_then(|path| own_part(path, id)) else { continue };
            // One hierarchy for all: its folder is looked for once.
            let known = found.groups.iter().find(|(_, known, _)| version == CgroupVersion::V2 && *known == path);
            let folder = match known {
                Some((_, _, folder)) => folder.clone(),
                None => locate(mounts, cgroup_root, version, controller, path, id).filter(|folder| found.members.take(folder, pid)),
            };
            found.groups.push((controller, path.to_owned(), folder));
        }
        found
    }

    fn folder(&self, controller: &str) -> Option<&Path> {
        self.groups.iter().find(|(name, ..)| *name == controller).and_then(|(.., folder)| folder.as_deref())
    }

    /// Everyone in any of the container's groups or one below.
    pub(super) fn members(&self) -> &Members {
        &self.members
    }

    /// Whether a process with these paths is in the container's group of every controller.
    pub(super) fn holds(&self, paths: &CgroupPaths) -> bool {
        let is_within = |path: &str, group: &str| path.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        !self.groups.is_empty()
            && self.groups.iter().all(|(controller, group, _)| paths.path(controller).is_some_and(|path| is_within(path, group)))
    }

    pub(super) fn facts(&self) -> CgroupFacts {
        let file = |controller: &str, name: &str| self.folder(controller).and_then(|folder| read_text(&folder.join(name)).ok());
        let limit = |controller: &str, name: &str| file(controller, name).map_or(LimitFact::Unreadable, |text| parse_limit(&text));
        let pids_max = limit("pids", "pids.max");
        match self.version {
            CgroupVersion::V1 => CgroupFacts {
                version: self.version,
                pids_max,
                memory_max: limit("memory", "memory.limit_in_bytes"),
                memory_swap_max: limit("memory", "memory.memsw.limit_in_bytes"),
                nano_cpus: match (file("cpu", "cpu.cfs_quota_us"), file("cpu", "cpu.cfs_period_us")) {
                    (Some(quota), Some(period)) => share(quota.trim(), period.trim()),
                    _ => LimitFact::Unreadable,
                },
            },
            CgroupVersion::V2 => {
                let memory_max = limit("memory", "memory.max");
                CgroupFacts {
                    version: self.version,
                    pids_max,
                    memory_max,
                    memory_swap_max: sum(memory_max, limit("memory", "memory.swap.max")),
                    nano_cpus: file("cpu", "cpu.max")
                        .and_then(|text| text.trim().split_once(' ').map(|(quota, period)| share(quota, period)))
                        .unwrap_or(LimitFact::Unreadable),
                }
            }
        }
    }
}

/// The folder of a path in the hierarchy with a controller, as the reader has it mounted.
fn locate(mounts: &[KernelMount], cgroup_root: &Path, version: CgroupVersion, controller: &str, path: &str, id: &str) -> Option<PathBuf> {
    let candidates = mounted(mounts, cgroup_root, version, controller);
    let direct = candidates.iter().find_map(|(folder, root)| {
        let rest = if *root == "/" { Some(path) } else { path.strip_prefix(root).filter(|rest| rest.is_empty() || rest.starts_with('/')) };
        rest.filter(|rest| !rest.contains("/..")).map(|rest| join(folder, rest)).filter(|folder| folder.is_dir())
    });
    // A reader in a control group namespace of its own sees `/../ID`, which no path of its mounts begins with.
    direct.or_else(|| candidates.iter().find_map(|(folder, _)| search(folder, id)))
}

/// Where the reader has the hierarchy with a controller mounted, and which part of it is.
fn mounted<'a>(mounts: &'a [KernelMount], cgroup_root: &Path, version: CgroupVersion, controller: &str) -> Vec<(PathBuf, &'a str)> {
    let has_it = |mount: &&KernelMount| match version {
        CgroupVersion::V1 => mount.fs_type == "cgroup" && mount.super_options.iter().any(|option| option.raw() == controller),
        CgroupVersion::V2 => mount.fs_type == "cgroup2",
    };
    let place = |mount: &'a KernelMount| {
        let target = mount.target.raw();
        let folder = target.strip_prefix(USUAL_ROOT).map_or_else(|| PathBuf::from(target), |rest| join(cgroup_root, rest));
        (folder, mount.root.raw())
    };
    mounts.iter().filter(has_it).map(place).collect()
}

/// The folders at which the hierarchy with a controller is mounted.
pub(super) fn mounted_at(mounts: &[KernelMount], cgroup_root: &Path, version: CgroupVersion, controller: &str) -> Vec<PathBuf> {
    mounted(mounts, cgroup_root, version, controller).into_iter().map(|(folder, _)| folder).collect()
}

fn join(folder: &Path, rest: &str) -> PathBuf {
    folder.join(rest.trim_start_matches('/'))
}

fn search(top: &Path, id: &str) -> Option<PathBuf> {
    let mut level = vec![top.to_owned()];
    let mut looked_through = 0;
    while !level.is_empty() && looked_through < MOST_FOLDERS {
        let below: Vec<PathBuf> = level.iter().flat_map(|folder| folders(folder)).collect();
        if let Some(found) = below.iter().find(|folder| folder.file_name().is_some_and(|name| name.to_string_lossy().contains(id))) {
            return Some(found.clone());
        }
        looked_through += below.len();
        level = below;
    }
    None
}

/// Everyone in a group or one below it. A group of threads cannot say its processes; its threads do.
fn members(top: &Path) -> Members {
    let mut members = Members::default();
    let mut left = vec![top.to_owned()];
    let mut looked_through = 0;
    while let Some(folder) = left.pop() {
        let text = read_text(&folder.join("cgroup.procs")).or_else(|_| read_text(&folder.join("cgroup.threads"))).unwrap_or_default();
        for pid in text.lines().filter_map(|line| line.trim().parse().ok()) {
            if pid == 0 {
                members.hidden += 1;
            } else {
                members.pids.insert(pid);
            }
        }
        looked_through += 1;
        if looked_through < MOST_FOLDERS {
            left.extend(folders(&folder));
        }
    }
    members
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests make a hierarchy of files")]
mod tests {
    use super::*;
    use crate::kernel::mounts;

    const ID: &str = "1dfc904e11d5176e412fb49f7471294c5a065204a97cc0aab1e8ad19c009fc21";

    #[test]
    fn hybrid_counts_as_version_1_and_a_process_must_be_in_every_group() {
        let paths =
            CgroupPaths::parse(&format!("3:memory:/docker/{ID}\n2:cpu,cpuacct:/docker/{ID}\n1:pids:/docker/{ID}\n0::/docker/{ID}\n"));
        assert_eq!(paths.version(), CgroupVersion::V1);
        assert!(paths.mention(ID));
        let group = ContainerCgroup::find(&paths, ID, 7, &[], Path::new("/nowhere"));
        assert!(group.holds(&paths));
        let escaped = CgroupPaths::parse(&format!("3:memory:/\n2:cpu,cpuacct:/docker/{ID}\n1:pids:/docker/{ID}/below\n0::/docker/{ID}\n"));
        assert!(!group.holds(&escaped), "out of the memory group only is out");
        assert!(!group.holds(&CgroupPaths::parse(&format!("1:pids,memory,cpu:/docker/{ID}x\n"))), "a longer name is another group");
        assert_eq!(group.facts().pids_max, LimitFact::Unreadable);
        assert_eq!(CgroupPaths::parse(&format!("1:name=systemd:/x\n0::/docker/{ID}\n")).version(), CgroupVersion::V2);
    }

    #[test]
    fn version_2_is_read_through_the_readers_own_mounts() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(format!("system.slice/docker-{ID}.scope"));
        std::fs::create_dir_all(folder.join("below")).unwrap();
        for (name, text) in [
            ("cgroup.procs", "7\n0\n"),
            ("below/cgroup.procs", "9\n"),
            ("pids.max", "100\n"),
            ("memory.max", "4294967296\n"),
            ("memory.swap.max", "0\n"),
            ("cpu.max", "150000 100000\n"),
        ] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let mounts = mounts::parse("30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n");
        for path in [format!("/system.slice/docker-{ID}.scope"), format!("/../docker-{ID}.scope")] {
            let group = ContainerCgroup::find(&CgroupPaths::parse(&format!("0::{path}\n")), ID, 7, &mounts, root.path());
            assert_eq!(group.members(), &Members { pids: [7, 9].into(), hidden: 1 });
            let facts = group.facts();
            assert_eq!(facts.version, CgroupVersion::V2);
            assert_eq!(facts.pids_max, LimitFact::Limited(100));
            assert_eq!(facts.memory_swap_max, LimitFact::Limited(4 << 30));
            assert_eq!(facts.nano_cpus, LimitFact::Limited(1_500_000_000));
        }
        // A folder of that name without the process is another container's, or stale: its numbers are not this one's.
        let paths = CgroupPaths::parse(&format!("0::/system.slice/docker-{ID}.scope\n"));
        let group = ContainerCgroup::find(&paths, ID, 8, &mounts, root.path());
        assert_eq!(group.facts().pids_max, LimitFact::Unreadable);
    }
}
