use std::fs::File;
use std::os::unix::fs::FileExt;

use super::super::procfs::open;
use super::hierarchy::Folders;
use crate::kernel::Unreadable;
use crate::session::{CgroupVersion, Usage};
use crate::units::Bytes;

/// Version 1 writes "no limit" as the largest number of pages that fits.
const UNLIMITED: u64 = 1 << 62;
/// The longest of the files, `memory.stat`, has half of this.
const LONGEST: usize = 8 << 10;

/// The open files of one container: opening one costs several times what reading it does.
#[derive(Debug)]
pub(super) struct Files {
    version: CgroupVersion,
    cpu: File,
    memory: File,
    memory_stat: File,
    memory_limit: File,
    pids: File,
    pids_limit: File,
}

impl Files {
    /// How many they are.
    pub(super) const COUNT: usize = 6;

    pub(super) fn open(folders: &Folders) -> Result<Self, Unreadable> {
        let Folders { version, cpu, memory, pids, .. } = folders;
        let [time, whole, limit] = match version {
            CgroupVersion::V1 => ["cpuacct.usage", "memory.usage_in_bytes", "memory.limit_in_bytes"],
            CgroupVersion::V2 => ["cpu.stat", "memory.current", "memory.max"],
        };
        let file = |folder: &std::path::Path, name: &str| {
            open(&folder.join(name)).map_err(|error| Unreadable::from_io(format_args!("open {name}"), &error))
        };
        Ok(Self {
            version: *version,
            cpu: file(cpu, time)?,
            memory: file(memory, whole)?,
            memory_stat: file(memory, "memory.stat")?,
            memory_limit: file(memory, limit)?,
            pids: file(pids, "pids.current")?,
            pids_limit: file(pids, "pids.max")?,
        })
    }

    /// CPU time alone: what has used none since has done nothing since.
    pub(super) fn cpu_ns(&self) -> Result<u64, Unreadable> {
        match self.version {
            CgroupVersion::V1 => number(&self.cpu),
            CgroupVersion::V2 => text(&self.cpu, |text| keyed(text, "usage_usec")).map(|usec| usec.saturating_mul(1000)),
        }
    }

    pub(super) fn read(&self) -> Result<Usage, Unreadable> {
        let per_hierarchy = match self.version {
            CgroupVersion::V1 => "total_inactive_file",
            CgroupVersion::V2 => "inactive_file",
        };
        let cpu_ns = self.cpu_ns()?;
        let whole = number(&self.memory)?;
        let cache = text(&self.memory_stat, |text| keyed(text, per_hierarchy))?;
        Ok(Usage {
            cpu_ns,
            memory: Bytes::new(if cache < whole { whole - cache } else { whole }),
            memory_limit: limited(number(&self.memory_limit)?).map(Bytes::new),
            pids: number(&self.pids)?,
            pids_limit: limited(number(&self.pids_limit)?),
        })
    }
}

fn limited(limit: u64) -> Option<u64> {
    Some(limit).filter(|limit| *limit < UNLIMITED)
}

/// What is made of a file's text: read anew from its beginning.
pub(super) fn text<T>(file: &File, of: impl FnOnce(&str) -> T) -> Result<T, Unreadable> {
    let mut buffer = [0; LONGEST];
    let read = file.read_at(&mut buffer, 0).map_err(|error| match error.raw_os_error() {
        // The group that it was of has been removed.
        Some(nix::libc::ENODEV) => Unreadable::Gone,
        _ => Unreadable::from_io("read a control group's file", &error),
    })?;
    let text = buffer.get(..read).and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.map(of).ok_or_else(|| Unreadable::Other("a control group's file holds no text".to_owned()))
}

/// A file that is one number, or `max`.
fn number(file: &File) -> Result<u64, Unreadable> {
    text(file, |text| match text.trim() {
        "max" => Some(u64::MAX),
        number => number.parse().ok(),
    })?
    .ok_or_else(|| Unreadable::Other("a control group's file holds no number".to_owned()))
}

/// The number after a word at the beginning of a line.
pub(super) fn keyed(text: &str, key: &str) -> u64 {
    let value = |line: &str| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok();
    text.lines().find_map(value).unwrap_or(0)
}
