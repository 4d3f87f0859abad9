use std::path::Path;

use super::super::procfs::read_text;
use super::hierarchy::Folders;
use crate::kernel::Unreadable;
use crate::session::{CgroupVersion, Usage};
use crate::units::Bytes;

/// Version 1 writes "no limit" as the largest number of pages that fits.
const UNLIMITED: u64 = 1 << 62;

/// The figures of one container.
pub(super) fn read(folders: &Folders) -> Result<Usage, Unreadable> {
    let Folders { version, cpu, memory, pids } = folders;
    let (cpu_ns, whole, cache, limit) = match version {
        CgroupVersion::V1 => (
            number(cpu, "cpuacct.usage")?,
            number(memory, "memory.usage_in_bytes")?,
            keyed(&text(memory, "memory.stat")?, "total_inactive_file"),
            number(memory, "memory.limit_in_bytes")?,
        ),
        CgroupVersion::V2 => (
            keyed(&text(cpu, "cpu.stat")?, "usage_usec").saturating_mul(1000),
            number(memory, "memory.current")?,
            keyed(&text(memory, "memory.stat")?, "inactive_file"),
            number(memory, "memory.max")?,
        ),
    };
    Ok(Usage {
        cpu_ns,
        memory: Bytes::new(if cache < whole { whole - cache } else { whole }),
        memory_limit: limited(limit).map(Bytes::new),
        pids: number(pids, "pids.current")?,
        pids_limit: limited(number(pids, "pids.max")?),
    })
}

fn limited(limit: u64) -> Option<u64> {
    Some(limit).filter(|limit| *limit < UNLIMITED)
}

fn text(folder: &Path, name: &str) -> Result<String, Unreadable> {
    read_text(&folder.join(name)).map_err(|error| Unreadable::from_io(format_args!("read {name}"), &error))
}

/// A file that is one number, or `max`.
fn number(folder: &Path, name: &str) -> Result<u64, Unreadable> {
    match text(folder, name)?.trim() {
        "max" => Ok(u64::MAX),
        number => number.parse().map_err(|_| Unreadable::Other(format!("{name} holds no number"))),
    }
}

/// The number after a word at the beginning of a line.
fn keyed(text: &str, key: &str) -> u64 {
    let value = |line: &str| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok();
    text.lines().find_map(value).unwrap_or(0)
}
