//! What a container uses, as the engine's stats tell it.

use bollard::models::{ContainerMemoryStats, ContainerStatsResponse};

use crate::session::Usage;
use crate::units::Bytes;

/// Engines write "no limit" as the largest number of pages that fits, or as the largest number.
const UNLIMITED: u64 = 1 << 62;

/// One reading; `None` of a container that does not run: it has no CPU time.
pub(in crate::backend::engine) fn usage(answer: ContainerStatsResponse) -> Option<Usage> {
    let pids = answer.pids_stats.unwrap_or_default();
    let memory = answer.memory_stats.unwrap_or_default();
    let cpu_ns = answer.cpu_stats?.cpu_usage?.total_usage.filter(|total| *total > 0)?;
    Some(Usage {
        cpu_ns,
        memory: Bytes::new(without_cache(&memory)),
        memory_limit: limited(memory.limit).map(Bytes::new),
        pids: pids.current.unwrap_or(0),
        pids_limit: limited(pids.limit),
    })
}

/// Version 1 of control groups counts by hierarchy, version 2 has one name; a cache larger than the whole is no cache.
fn without_cache(memory: &ContainerMemoryStats) -> u64 {
    let whole = memory.usage.unwrap_or(0);
    let inactive = |name: &str| memory.stats.as_ref().and_then(|stats| stats.get(name)).copied();
    let cache = inactive("total_inactive_file").or_else(|| inactive("inactive_file")).unwrap_or(0);
    if cache < whole { whole - cache } else { whole }
}

fn limited(limit: Option<u64>) -> Option<u64> {
    limit.filter(|limit| (1..UNLIMITED).contains(limit))
}
