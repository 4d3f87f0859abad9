//! Which limits the session's processes ran into, as the kernel counts them in its cgroup. What killed a command, and what setting
//! would have let it live, is said as it ends; nobody else can say so of a container that is gone a moment later.

#![expect(clippy::disallowed_methods, reason = "the kernel's own files, as the container shows them")]

use std::fs::read_to_string;
use std::path::Path;

use crate::units::Bytes;

/// Where an engine mounts a container's own cgroup.
const CGROUP: &str = "/sys/fs/cgroup";
/// Version 1 writes no limit as the largest number of pages.
const UNLIMITED: u64 = 1 << 60;

/// A sentence for each limit that was run into.
pub(super) fn run_into() -> Vec<String> {
    run_into_under(Path::new(CGROUP))
}

fn run_into_under(root: &Path) -> Vec<String> {
    let mut sentences = Vec::new();
    // Version 1 has a folder for each controller, version 2 one for all.
    let read = |places: [&str; 2]| places.iter().find_map(|place| read_to_string(root.join(place)).ok());
    // Without a limit it is no container's cgroup: the kernel's counts are of something else then.
    let limit = |places| read(places).and_then(|limit| limit.trim().parse().ok()).filter(|limit: &u64| *limit < UNLIMITED);
    if let Some(limit) = limit(["memory/memory.limit_in_bytes", "memory.max"])
        && let Some(killed) = count(&read(["memory/memory.oom_control", "memory.events"]).unwrap_or_default(), "oom_kill")
    {
        let processes = if killed == 1 { "a process" } else { &format!("{killed} processes") };
        let limit = Bytes::new(limit);
        sentences.push(format!("memory: the kernel killed {processes} at the limit of {limit}; --memory sets the limit"));
    }
    if let Some(limit) = limit(["pids/pids.max", "pids.max"])
        && let Some(refused) = count(&read(["pids/pids.events", "pids.events"]).unwrap_or_default(), "max")
    {
        let times = if refused == 1 { "once".to_owned() } else { format!("{refused} times") };
        sentences.push(format!("processes: no more could be started, {times}, at the limit of {limit}; --pids-limit sets the limit"));
    }
    sentences
}

/// A counter that is more than nothing.
fn count(events: &str, name: &str) -> Option<u64> {
    let value = events.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok());
    value.filter(|value| *value > 0)
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
        run_into_under(root.path())
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
        ];
        assert_eq!(cgroup(&first), [memory, pids]);
        let second = [
            ("memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\n"),
            ("memory.max", "67108864\n"),
            ("pids.events", "max 21\n"),
            ("pids.max", "20\n"),
        ];
        assert_eq!(cgroup(&second), [memory, pids]);
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
