//! Which limits the session's processes ran into, as the kernel counts them in its cgroup and shows them of its file systems in memory.
//! What ended a command, and what setting would have let it live, is said as it ends; nobody else can say so of a container that is gone
//! a moment later.

#![expect(clippy::disallowed_methods, reason = "the kernel's own files, as the container shows them")]

use std::fs::read_to_string;
use std::path::Path;

use nix::sys::statvfs::statvfs;

use crate::kernel::{size_if_full, writable_tmpfs};
use crate::session::LimitReading;

/// Where an engine mounts a container's own cgroup.
const CGROUP: &str = "/sys/fs/cgroup";
/// Version 1 writes no limit as the largest number of pages.
const UNLIMITED: u64 = 1 << 60;

/// A sentence for each limit that was run into.
pub(super) fn run_into() -> Vec<String> {
    let mut reading = counted(Path::new(CGROUP));
    let mounts = read_to_string("/proc/self/mountinfo").unwrap_or_default();
    for place in writable_tmpfs(&mounts) {
        if let Some(size) = statvfs(&place).ok().as_ref().and_then(size_if_full) {
            reading.full.insert(place.to_string_lossy().into_owned(), size);
        }
    }
    sentences(&reading)
}

fn sentences(reading: &LimitReading) -> Vec<String> {
    reading.hits().iter().map(crate::session::LimitHit::sentence).collect()
}

fn counted(root: &Path) -> LimitReading {
    // Version 1 has a folder for each controller, version 2 one for all.
    let read = |places: [&str; 2]| places.iter().find_map(|place| read_to_string(root.join(place)).ok());
    let number = |places| read(places).and_then(|limit| limit.trim().parse().ok());
    let limit = |places| number(places).filter(|limit: &u64| *limit < UNLIMITED);
    // Without a limit it is no container's cgroup: the kernel's counts are of something else then.
    let of = |bound: Option<u64>, places, key| bound.and_then(|_| count(&read(places)?, key)).unwrap_or(0);
    let memory = limit(["memory/memory.limit_in_bytes", "memory.max"]);
    let pids = limit(["pids/pids.max", "pids.max"]);
    let cpu = match read(["cpu/cpu.cfs_quota_us", "cpu.max"]).as_deref().map(str::trim).and_then(|text| text.split_once(' ')) {
        Some((quota, period)) => quota.parse().ok().zip(period.parse().ok()),
        None => limit(["cpu/cpu.cfs_quota_us", ""]).zip(limit(["cpu/cpu.cfs_period_us", ""])),
    };
    let nano_cpus = cpu.and_then(|(quota, period): (u64, u64)| quota.checked_mul(1_000_000_000)?.checked_div(period));
    let stat = ["cpu/cpu.stat", "cpu.stat"];
    LimitReading {
        oom_kills: of(memory, ["memory/memory.oom_control", "memory.events"], "oom_kill"),
        memory,
        refused: of(pids, ["pids/pids.events", "pids.events"], "max"),
        pids,
        periods: of(nano_cpus, stat, "nr_periods"),
        throttled: of(nano_cpus, stat, "nr_throttled"),
        nano_cpus,
        ..LimitReading::default()
    }
}

fn count(events: &str, name: &str) -> Option<u64> {
    events.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cgroup(files: &[(&str, &str)]) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        sentences(&counted(root.path()))
    }

    #[test]
    fn what_was_run_into_is_said_with_the_setting_in_either_version() {
        let memory = "memory: the kernel killed a process at the limit of 64 MiB; --memory sets the limit";
        let pids = "processes: no more could be started, 21 times, at the limit of 20; --pids-limit sets the limit";
        let first = [
            ("memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"),
            ("memory/memory.limit_in_bytes", "67108864\n"),
            ("pids/pids.events", "max 21\n"),
            ("pids/pids.max", "20\n"),
            ("cpu/cpu.stat", "nr_periods 20\nnr_throttled 19\nthrottled_time 5\n"),
            ("cpu/cpu.cfs_quota_us", "50000\n"),
            ("cpu/cpu.cfs_period_us", "100000\n"),
        ];
        let cpu = "CPU: its time was used up in 19 periods, at the limit of 0.5 CPUs; --cpus sets the limit";
        assert_eq!(cgroup(&first), [memory, pids, cpu]);
        let second = [
            ("memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\n"),
            ("memory.max", "67108864\n"),
            ("pids.events", "max 21\n"),
            ("pids.max", "20\n"),
            ("cpu.stat", "usage_usec 5\nnr_periods 20\nnr_throttled 19\n"),
            ("cpu.max", "50000 100000\n"),
        ];
        assert_eq!(cgroup(&second), [memory, pids, cpu]);
    }

    #[test]
    fn nothing_is_said_where_nothing_was_run_into_or_nothing_can_be_read() {
        let none: [&str; 0] = [];
        assert_eq!(
            cgroup(&[("memory.events", "max 9\noom 0\noom_kill 0\n"), ("memory.max", "5"), ("pids.events", "max 0\n"), ("pids.max", "9")]),
            none
        );
        assert_eq!(cgroup(&[]), none);
        let host = [("memory/memory.oom_control", "oom_kill 7\n"), ("memory/memory.limit_in_bytes", "9223372036854771712\n")];
        assert_eq!(cgroup(&host), none, "the host's own");
        assert_eq!(
            cgroup(&[("memory.events", "oom_kill x\noom_kill_2 5"), ("memory.max", "5"), ("pids.events", "max 3"), ("pids.max", "max")]),
            none
        );
    }
}
