use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::statvfs::{Statvfs, fstatvfs};

use super::super::mounts;
use super::super::procfs::{Procfs, open, read_text};
use crate::kernel::Unreadable;
use crate::kernel::over::told_by;
use crate::session::Limit;

/// More processes than any session may have.
const MOST_PROCESSES: usize = 8192;
/// More than any session has, but for one that a hostile engine was asked for.
const MOST_PLACES: usize = 64;

/// Where to look in one container for what the kernel counts in no file: file systems in memory, open files.
#[derive(Debug)]
pub(super) struct Inside {
    /// A process of it, by whose root its files are seen.
    pid: u32,
    /// File systems in memory that can be written to.
    places: Vec<PathBuf>,
    /// How many files a process may have open.
    nofile: Option<u64>,
    /// The supervisor, which says by its name what its session's files take.
    supervisor: Option<u32>,
}

/// What is full now.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) full: BTreeMap<String, u64>,
    pub(super) files: Option<u64>,
    pub(super) disk: BTreeMap<Limit, u64>,
}

impl Inside {
    /// By its group's folder.
    pub(super) fn find(proc: &Procfs, group: &Path) -> Result<Self, Unreadable> {
        let pid = members(group).into_iter().next().ok_or(Unreadable::Gone)?;
        let read = |name: &str| proc.read(pid, name).map_err(|error| Unreadable::from_io(format_args!("read {name}"), &error));
        let places = writable_tmpfs(&read("mountinfo")?);
        let limits = read("limits")?;
        let nofile = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok());
        Ok(Self { pid, places, nofile, supervisor: None })
    }

    pub(super) fn look(&mut self, proc: &Procfs, group: &Path) -> Result<Seen, Unreadable> {
        let processes = members(group);
        if !processes.contains(&self.pid) {
            return Err(Unreadable::Gone);
        }
        let root = open(&proc.path(self.pid, "root")).map_err(|error| Unreadable::from_io("look into the container", &error))?;
        let full = self.places.iter().filter_map(|place| Some((place.to_string_lossy().into_owned(), full(&root, place)?))).collect();
        let files = self.nofile.filter(|most| processes.iter().any(|pid| open_files(proc, *pid).is_some_and(|open| open >= *most)));
        self.supervisor = self.supervisor.filter(|pid| processes.contains(pid)).or_else(|| supervisor(proc, &processes));
        let disk = self.supervisor.and_then(|pid| told_by(&proc.read(pid, "comm").ok()?)).into_iter().collect();
        Ok(Seen { full, files, disk })
    }
}

/// Where a mount table has file systems in memory that a session can fill.
pub fn writable_tmpfs(mountinfo: &str) -> Vec<PathBuf> {
    let mounted = mounts::parse(mountinfo);
    let theirs = mounted.iter().filter(|mount| {
        let is_kernels = ["/proc", "/sys"].iter().any(|root| Path::new(mount.target.raw()).starts_with(root));
        mount.fs_type == "tmpfs" && mount.target.raw() != "/dev" && !is_kernels && mount.options.iter().any(|option| option == "rw")
    });
    theirs.map(|mount| PathBuf::from(mount.target.raw())).take(MOST_PLACES).collect()
}

/// The processes of a group. Some managers put them one folder further down.
fn members(group: &Path) -> Vec<u32> {
    let of = |folder: &Path| -> Vec<u32> {
        let text = read_text(&folder.join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).take(MOST_PROCESSES).collect()
    };
    let own = of(group);
    if own.is_empty() { of(&group.join("container")) } else { own }
}

/// Of the processes that are called so the one that began first: no command of the session's was there before its supervisor.
fn supervisor(proc: &Procfs, processes: &[u32]) -> Option<u32> {
    let is_called = |pid: &u32| proc.read(*pid, "comm").is_ok_and(|name| name.starts_with("palisade"));
    let began = |pid: u32| {
        let stat = proc.read(pid, "stat").ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse::<u64>().ok()
    };
    processes.iter().copied().filter(is_called).filter_map(|pid| Some((began(pid)?, pid))).min().map(|(_, pid)| pid)
}

/// Its size, where it is full. The path is the kernel's own word for where it is mounted, and is followed within the container's
/// root and through no link, so that nothing that a sandbox made leads elsewhere; the place is opened for its path alone.
fn full(root: &File, place: &Path) -> Option<u64> {
    let resolve = ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_SYMLINKS;
    let how = OpenHow::new().flags(OFlag::O_PATH | OFlag::O_CLOEXEC | OFlag::O_DIRECTORY).resolve(resolve);
    let there = openat2(root, place, how).ok()?;
    size_if_full(&fstatvfs(&there).ok()?)
}

/// The size of a file system that has no room for another byte, or none for another file.
pub fn size_if_full(room: &Statvfs) -> Option<u64> {
    // One without a size, or without a limit on its number of files, says 0 for both.
    let no_room = room.blocks() > 0 && room.blocks_available() == 0;
    let no_names = room.files() > 0 && room.files_free() == 0;
    (no_room || no_names).then(|| room.blocks().saturating_mul(room.fragment_size()))
}

/// How many files a process has open.
fn open_files(proc: &Procfs, pid: u32) -> Option<u64> {
    let folder = proc.path(pid, "fd");
    match folder.metadata().map(|known| known.size()) {
        // Kernels before 6.2 leave the counting to the reader.
        Ok(0) => count(&folder).ok(),
        known => known.ok(),
    }
}

fn count(folder: &Path) -> io::Result<u64> {
    Ok(folder.read_dir()?.count() as u64)
}
