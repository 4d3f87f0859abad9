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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Usage> {
        usage(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn memory_is_counted_without_the_cache_of_either_version() {
        for stat in ["total_inactive_file", "inactive_file"] {
            let text = format!(
                r#"{{"cpu_stats":{{"cpu_usage":{{"total_usage":5}}}},"pids_stats":{{"current":3,"limit":100}},
                   "memory_stats":{{"usage":1000,"limit":4096,"stats":{{"{stat}":300}}}}}}"#
            );
            let expected =
                Usage { cpu_ns: 5, memory: Bytes::new(700), memory_limit: Some(Bytes::new(4096)), pids: 3, pids_limit: Some(100) };
            assert_eq!(read(&text), Some(expected), "{stat}");
        }
        // Version 1 counts the container's own group apart from those below it.
        let memory = |usage: u64, stats: &str| {
            let text =
                format!(r#"{{"cpu_stats":{{"cpu_usage":{{"total_usage":5}}}},"memory_stats":{{"usage":{usage},"stats":{{{stats}}}}}}}"#);
            read(&text).unwrap().memory.get()
        };
        assert_eq!(memory(9, r#""inactive_file":1,"total_inactive_file":4"#), 5);
        assert_eq!(memory(9, r#""inactive_file":9"#), 9);
    }

    #[test]
    fn no_limit_is_none_whatever_it_is_written_as() {
        for none in ["0", "9223372036854771712", "18446744073709551615"] {
            let text = format!(
                r#"{{"cpu_stats":{{"cpu_usage":{{"total_usage":5}}}},"pids_stats":{{"limit":{none}}},"memory_stats":{{"limit":{none}}}}}"#
            );
            let usage = read(&text).unwrap();
            assert_eq!((usage.memory_limit, usage.pids_limit), (None, None), "{none}");
        }
    }

    #[test]
    fn a_container_that_does_not_run_uses_nothing_that_could_be_told() {
        // As Docker answers for one that has stopped.
        let stopped = r#"{"read":"0001-01-01T00:00:00Z","pids_stats":{},"num_procs":0,"cpu_stats":{"cpu_usage":{"total_usage":0,
            "usage_in_kernelmode":0,"usage_in_usermode":0},"throttling_data":{}},"memory_stats":{}}"#;
        assert_eq!(read(stopped), None);
        assert_eq!(read("{}"), None);
    }
}
