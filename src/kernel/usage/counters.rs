use std::fs::File;

use super::super::procfs::{open, read_text};
use super::figures::{keyed, text};
use super::hierarchy::Folders;
use crate::kernel::Unreadable;
use crate::session::{CgroupVersion, LimitReading};

/// The open files in which the kernel counts how often a container ran into its limits.
#[derive(Debug)]
pub(super) struct Counters {
    memory: Option<File>,
    pids: Option<File>,
    cpu: Option<File>,
}

impl Counters {
    /// How many they are.
    pub(super) const COUNT: usize = 3;

    /// A file that this kernel does not have counts nothing.
    pub(super) fn open(folders: &Folders) -> Self {
        let Folders { version, quota, memory, pids, .. } = folders;
        let killed = match version {
            CgroupVersion::V1 => "memory.oom_control",
            CgroupVersion::V2 => "memory.events",
        };
        Self {
            memory: open(&memory.join(killed)).ok(),
            pids: open(&pids.join("pids.events")).ok(),
            cpu: open(&quota.join("cpu.stat")).ok(),
        }
    }

    /// The counts, and for each that is not nothing the limit that it is of.
    pub(super) fn read(&self, folders: &Folders, memory_limit: Option<u64>, pids_limit: Option<u64>) -> Result<LimitReading, Unreadable> {
        let count = |file: &Option<File>, key| match file {
            Some(file) => text(file, |text| keyed(text, key)),
            None => Ok(0),
        };
        let [periods, throttled] = match &self.cpu {
            Some(file) => text(file, |text| [keyed(text, "nr_periods"), keyed(text, "nr_throttled")])?,
            None => [0, 0],
        };
        Ok(LimitReading {
            oom_kills: count(&self.memory, "oom_kill")?,
            memory: memory_limit,
            refused: count(&self.pids, "max")?,
            pids: pids_limit,
            periods,
            throttled,
            nano_cpus: if throttled > 0 { quota(folders) } else { None },
            ..LimitReading::default()
        })
    }
}

/// Billionths of a CPU.
fn quota(folders: &Folders) -> Option<u64> {
    let read = |name: &str| read_text(&folders.quota.join(name)).ok();
    let (quota, period) = match folders.version {
        CgroupVersion::V1 => (read("cpu.cfs_quota_us")?, read("cpu.cfs_period_us")?),
        CgroupVersion::V2 => {
            let both = read("cpu.max")?;
            let (quota, period) = both.trim().split_once(' ')?;
            (quota.to_owned(), period.to_owned())
        }
    };
    let (quota, period): (u64, u64) = (quota.trim().parse().ok()?, period.trim().parse().ok()?);
    quota.checked_mul(1_000_000_000)?.checked_div(period)
}
