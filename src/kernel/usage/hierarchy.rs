use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::super::cgroup;
use super::super::mounts;
use super::super::procfs::{Procfs, folders};
use crate::session::CgroupVersion;

/// How many folders are looked through for the containers' own.
const MOST_FOLDERS: usize = 20_000;
/// Where engines put a container's group, as folder, beginning and end of its name: cgroupfs and systemd, of Docker and Podman.
const USUAL: [(&str, &str, &str); 4] =
    [("docker", "", ""), ("system.slice", "docker-", ".scope"), ("machine.slice", "libpod-", ".scope"), ("libpod_parent", "libpod-", "")];

/// One container's folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folders {
    pub(super) version: CgroupVersion,
    /// CPU accounting.
    pub(super) cpu: PathBuf,
    /// CPU limits; some systems mount them apart.
    pub(super) quota: PathBuf,
    pub(super) memory: PathBuf,
    pub(super) pids: PathBuf,
}

/// Where the hierarchies with the three controllers are mounted, and where containers were found in them.
#[derive(Debug)]
pub(super) struct Hierarchies {
    version: CgroupVersion,
    /// CPU accounting, CPU limits, memory, pids.
    roots: [PathBuf; 4],
    patterns: Vec<Pattern>,
}

/// Where a container's group is, but for its id.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    folder: String,
    begins: String,
    ends: String,
}

impl Hierarchies {
    pub(super) fn read(proc: &Procfs, cgroup_root: &Path) -> Self {
        let mounts = mounts::parse_cgroups(&proc.read_own("self/mountinfo").unwrap_or_default());
        let of = |controller: &str| cgroup::mounted_at(&mounts, cgroup_root, CgroupVersion::V1, controller).into_iter().next();
        let unified = || cgroup::mounted_at(&mounts, cgroup_root, CgroupVersion::V2, "").into_iter().next();
        let (version, roots) = if let (Some(cpu), Some(memory), Some(pids)) = (of("cpuacct"), of("memory"), of("pids")) {
            let quota = of("cpu").unwrap_or_else(|| cpu.clone());
            (CgroupVersion::V1, [cpu, quota, memory, pids])
        } else {
            let root = unified().unwrap_or_else(|| cgroup_root.to_owned());
            (CgroupVersion::V2, [root.clone(), root.clone(), root.clone(), root])
        };
        let usual = |(folder, begins, ends): (&str, &str, &str)| Pattern {
            folder: folder.to_owned(),
            begins: begins.to_owned(),
            ends: ends.to_owned(),
        };
        Self { version, roots, patterns: USUAL.map(usual).into() }
    }

    /// A container's folders, if they are where others' were found or could be.
    pub(super) fn beside_others(&self, id: &str) -> Option<Folders> {
        self.patterns.iter().find_map(|pattern| self.at(&pattern.path(id)))
    }

    /// Looks through all groups for these containers, and remembers where they were.
    pub(super) fn look_through(&mut self, ids: &[&str]) -> Vec<(String, Folders)> {
        let [_, _, _, top] = &self.roots;
        let found = search(top, ids);
        let mut all = Vec::new();
        for (id, path) in found {
            let Ok(relative) = path.strip_prefix(top) else { continue };
            let Some(folders) = self.at(relative) else { continue };
            if let Some(pattern) = Pattern::of(relative, &id).filter(|pattern| !self.patterns.contains(pattern)) {
                self.patterns.push(pattern);
            }
            all.push((id, folders));
        }
        all
    }

    fn at(&self, relative: &Path) -> Option<Folders> {
        let [cpu, quota, memory, pids] = self.roots.each_ref().map(|root| root.join(relative));
        let is_there = pids.is_dir() && (self.version == CgroupVersion::V2 || (cpu.is_dir() && memory.is_dir()));
        is_there.then_some(Folders { version: self.version, cpu, quota, memory, pids })
    }
}

impl Pattern {
    fn of(path: &Path, id: &str) -> Option<Self> {
        let (begins, ends) = path.file_name()?.to_str()?.split_once(id)?;
        Some(Self { folder: path.parent()?.to_str()?.to_owned(), begins: begins.to_owned(), ends: ends.to_owned() })
    }

    fn path(&self, id: &str) -> PathBuf {
        Path::new(&self.folder).join(format!("{}{id}{}", self.begins, self.ends))
    }
}

/// The outermost folder of each: what is within a container's group is the container's own affair.
fn search(top: &Path, ids: &[&str]) -> HashMap<String, PathBuf> {
    let mut found: HashMap<String, PathBuf> = HashMap::new();
    let mut level = vec![top.to_owned()];
    let mut looked_through = 0;
    while !level.is_empty() && looked_through < MOST_FOLDERS && found.len() < ids.len() {
        let below: Vec<PathBuf> = level.iter().flat_map(|folder| folders(folder)).collect();
        for folder in &below {
            let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
            for id in ids.iter().filter(|id| is_group_of(name, id)) {
                found.entry((*id).to_owned()).or_insert_with(|| folder.clone());
            }
        }
        looked_through += below.len();
        level = below;
    }
    found
}

/// Podman gives the program that watches a container a group beside it, with the same id.
fn is_group_of(name: &str, id: &str) -> bool {
    id.len() >= 12 && name.split_once(id).is_some_and(|(begins, ends)| !begins.contains("conmon") && matches!(ends, "" | ".scope"))
}
