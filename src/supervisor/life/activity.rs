//! Whether somebody uses the session, as the kernel shows it from inside.

#![expect(clippy::disallowed_methods, reason = "the kernel's own files, as the container shows them")]

use std::fs::read_to_string;
use std::path::Path;
use std::time::{Duration, Instant};

/// One part in so many of one CPU is quiet: what waits and now and then looks (a shell, a server without requests, a watcher of files, this
/// program) stays well below, and what works does not.
const QUIET: u32 = 100;
/// Beside that, for the look itself; a command that is put into the session costs several times as much.
const SLACK: Duration = Duration::from_millis(5);

/// What was seen last.
pub struct Activity {
    cpu: Option<Duration>,
    at: Instant,
}

impl Activity {
    /// From now on.
    pub fn new(now: Instant) -> Self {
        Self { cpu: cpu(Path::new("/sys/fs/cgroup")), at: now }
    }

    /// Whether nobody has used it since this was asked last. Where that cannot be seen, somebody may have.
    pub fn is_quiet(&mut self, now: Instant) -> bool {
        let (cpu, since) = (cpu(Path::new("/sys/fs/cgroup")), now - self.at);
        let used = cpu.zip(self.cpu).and_then(|(now, before)| now.checked_sub(before));
        (self.cpu, self.at) = (cpu, now);
        used.is_some_and(|used| used <= since / QUIET + SLACK) && !is_visited(Path::new("/proc"))
    }
}

/// CPU time of everything in the session.
pub fn cpu(root: &Path) -> Option<Duration> {
    let nanoseconds = ["cpuacct/cpuacct.usage", "cpu,cpuacct/cpuacct.usage"].iter().find_map(|name| {
        let text = read_to_string(root.join(name)).ok()?;
        text.trim().parse().ok().map(Duration::from_nanos)
    });
    nanoseconds.or_else(|| {
        let stat = read_to_string(root.join("cpu.stat")).ok()?;
        stat.lines().find_map(|line| line.strip_prefix("usage_usec ")?.trim().parse().ok()).map(Duration::from_micros)
    })
}

/// Whether an engine's exec is in the session, which is also how a manager may come to its terminals: its parent is outside, so that here it is 0.
fn is_visited(proc: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(proc) else { return true };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != 1).any(|pid| {
        let stat = read_to_string(proc.join(format!("{pid}/stat"))).unwrap_or_default();
        // The name may hold anything, brackets and blanks too.
        stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)) == Some("0")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_in_either_version_and_an_exec_is_known_by_its_parent() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        assert_eq!(cpu(root.path()), None);
        write("cpu.stat", "usage_usec 1500\nuser_usec 1\n");
        assert_eq!(cpu(root.path()), Some(Duration::from_micros(1500)));
        write("cpuacct/cpuacct.usage", "2000000\n");
        assert_eq!(cpu(root.path()), Some(Duration::from_millis(2)));
        write("1/stat", "1 (docker-init) S 0 1 1");
        write("7/stat", "7 (a ) 0 b) S 1 1 1");
        assert!(!is_visited(root.path()));
        write("9/stat", "9 (sh) S 0 9 9");
        assert!(is_visited(root.path()));
    }
}
