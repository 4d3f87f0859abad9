//! The small tables under `/proc/PID`: resource limits, id maps, network devices.

use crate::session::{IdMap, LimitFact, ResourceLimits};
use crate::units::Untrusted;

/// `/proc/PID/limits`: the hard limits, which a process without capabilities cannot raise.
pub(super) fn resource_limits(text: &str) -> ResourceLimits {
    let hard = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name)).and_then(|rest| rest.split_whitespace().nth(1));
        match value {
            Some("unlimited") => LimitFact::Unlimited,
            Some(number) => number.parse().map_or(LimitFact::Unreadable, LimitFact::Limited),
            None => LimitFact::Unreadable,
        }
    };
    ResourceLimits { nofile: hard("Max open files"), core: hard("Max core file size") }
}

/// `/proc/PID/uid_map`.
pub(super) fn id_map(text: &str) -> Vec<IdMap> {
    let line = |line: &str| {
        let mut numbers = line.split_whitespace().map(|number| number.parse().ok());
        Some(IdMap { inside: numbers.next()??, outside: numbers.next()??, count: numbers.next()?? })
    };
    text.lines().filter_map(line).collect()
}

/// `/proc/PID/net/dev`: the names of the interfaces in the process's network namespace.
pub(super) fn interfaces(text: &str) -> Vec<Untrusted> {
    let mut names: Vec<_> =
        text.lines().skip(2).filter_map(|line| line.rsplit_once(':')).map(|(name, _)| Untrusted::from(name.trim())).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hard_limit_is_what_counts() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max core file size        0                    unlimited            bytes     \n\
                    Max open files            1024                 4096                 files     \n";
        let limits = resource_limits(text);
        assert_eq!((limits.nofile, limits.core), (LimitFact::Limited(4096), LimitFact::Unlimited));
        assert_eq!(resource_limits("").nofile, LimitFact::Unreadable);
    }

    #[test]
    fn a_whole_and_a_split_id_map_are_read() {
        assert_eq!(id_map("         0          0 4294967295\n"), [IdMap { inside: 0, outside: 0, count: u32::MAX }]);
        assert_eq!(id_map("0 1000 1\n1 100000 65536\nrubbish\n").len(), 2);
    }

    #[test]
    fn interfaces_are_named_whatever_their_counters() {
        let text = "Inter-|   Receive  |  Transmit\n face |bytes    packets|bytes\n    lo:       0 0\n  eth0:123 4\n  br:1:5 0\n";
        assert_eq!(interfaces(text), ["br:1", "eth0", "lo"].map(Untrusted::from));
        assert!(interfaces("").is_empty());
    }
}
