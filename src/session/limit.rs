//! The limits that a session can run into, what the kernel shows of them at one moment, and what two moments say between them.
//! One wording for everybody who tells of it: the supervisor, the commands, the dashboard.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::units::{Bytes, Cpus, Untrusted};

/// A limit that a session can run into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The kernel killed a process for want of memory.
    Memory,
    /// No more processes or threads could be started.
    Pids,
    /// Its CPU time was used up in most of the periods in which it had something to do.
    Cpu,
    /// A process has as many files open as it may.
    OpenFiles,
    /// A file system in memory is full.
    Tmpfs,
    /// Its files take more room than the cap that warns.
    DiskSoft,
    /// Its files take more room than the cap that stops it.
    DiskHard,
    /// The engine's log of its output grew to its size, was set aside and begun anew.
    Log,
    /// It ran for longer than it may.
    Timeout,
    /// The engine started it again by itself.
    Restart,
}

/// A limit that was run into: how often, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LimitHit {
    /// Which.
    pub limit: Limit,
    /// Where, as it is called in the session; empty where there is but one place.
    pub place: Untrusted,
    /// How often, as far as anybody saw: kills, refusals, periods held back, times that it was full, starts.
    pub count: u64,
    /// The limit's value, in its own unit: bytes, processes, billionths of a CPU, files, seconds.
    pub bound: Option<u64>,
}

/// The limits that a session ran into since its start, as far as anybody saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Limits {
    /// Each once.
    pub hits: Vec<LimitHit>,
    /// Why there may be more, where that cannot be told.
    pub unknown: Option<Untrusted>,
}

/// What the kernel shows of a container's limits at one moment. Counts are since its start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LimitReading {
    /// Processes killed for want of memory.
    pub oom_kills: u64,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Processes and threads that could not be started.
    pub refused: u64,
    /// Processes and threads.
    pub pids: Option<u64>,
    /// Periods in which it had something to do.
    pub periods: u64,
    /// Those of them in which its time was used up.
    pub throttled: u64,
    /// Billionths of a CPU.
    pub nano_cpus: Option<u64>,
    /// File systems in memory that are full now, with their size.
    pub full: BTreeMap<String, u64>,
    /// How many files a process may have open, where one has as many now.
    pub files: Option<u64>,
    /// The caps that its files are above now, as its supervisor says.
    pub disk: BTreeMap<Limit, u64>,
    /// How often the engine began the log anew.
    pub rotations: u64,
    /// Why nothing is known of file systems and open files, where that is so.
    pub hidden: Option<String>,
}

/// Periods (of 100 ms, as a rule) below which being held back says nothing.
const PERIODS: u64 = 8;

impl Limit {
    /// Each, in the order in which they are told.
    pub const ALL: [Self; 10] = [
        Self::Memory,
        Self::Pids,
        Self::Cpu,
        Self::OpenFiles,
        Self::Tmpfs,
        Self::DiskSoft,
        Self::DiskHard,
        Self::Log,
        Self::Timeout,
        Self::Restart,
    ];

    /// Its name in documents and in the state.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Pids => "pids",
            Self::Cpu => "cpu",
            Self::OpenFiles => "open_files",
            Self::Tmpfs => "tmpfs",
            Self::DiskSoft => "disk_soft",
            Self::DiskHard => "disk_hard",
            Self::Log => "log",
            Self::Timeout => "timeout",
            Self::Restart => "restart",
        }
    }

    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|limit| limit.name() == name)
    }
}

impl LimitHit {
    /// Where there is but one place.
    pub fn new(limit: Limit, count: u64, bound: Option<u64>) -> Self {
        Self { limit, place: Untrusted::default(), count, bound }
    }

    /// What sets the limit: an option of `launch` and `run`, or a profile's field.
    pub fn setting(&self) -> &'static str {
        match self.limit {
            Limit::Memory => "--memory",
            Limit::Pids => "--pids-limit",
            Limit::Cpu => "--cpus",
            Limit::OpenFiles => "--nofile",
            Limit::Tmpfs => match self.place.raw() {
                "/tmp" => "--tmp-size",
                "/dev/shm" => "'shm_size' in the profile",
                _ => "'run_size' in the profile",
            },
            Limit::DiskSoft => "--disk-soft",
            Limit::DiskHard => "--disk-hard",
            Limit::Log => "'log_max_size' in the profile",
            Limit::Timeout => "--timeout",
            Limit::Restart => "the container's restart policy, which palisade leaves at 'no',",
        }
    }

    /// What happened, at what limit, and what sets it: one line that no terminal acts on.
    pub fn sentence(&self) -> String {
        let bytes = self.bound.map(|bound| Bytes::new(bound).to_string());
        let number = self.bound.map(|bound| bound.to_string());
        let at = |bound: Option<String>, of: &str| bound.map_or_else(String::new, |bound| format!(" at the limit of {bound}{of}"));
        let what = match self.limit {
            Limit::Memory if self.count == 1 => format!("memory: the kernel killed a process{}", at(bytes, "")),
            Limit::Memory => format!("memory: the kernel killed {} processes{}", self.count, at(bytes, "")),
            Limit::Pids if self.count == 1 => format!("processes: no more could be started, once,{}", at(number, "")),
            Limit::Pids => format!("processes: no more could be started, {} times,{}", self.count, at(number, "")),
            Limit::Cpu => {
                let cpus = self.bound.and_then(Cpus::from_nano).map(|cpus| cpus.to_string());
                format!("CPU: its time was used up in {} periods,{}", self.count, at(cpus, " CPUs"))
            }
            Limit::OpenFiles => format!("open files: a process has as many open as it may,{}", at(number, "")),
            Limit::Tmpfs => format!("{} is full{}", self.place, at(bytes, "")),
            Limit::DiskSoft => format!("disk: its files take more room than they should,{}", at(bytes, "")),
            Limit::DiskHard => format!("disk: its files took more room than they may, and it is stopped,{}", at(bytes, "")),
            Limit::Log if self.count == 1 => format!("log: it was full and begun anew, once,{}", at(bytes, " a file")),
            Limit::Log => format!("log: it was full and begun anew, {} times,{}", self.count, at(bytes, " a file")),
            Limit::Timeout => format!("timeout: it ran for longer than it may,{}", at(number, " s")),
            Limit::Restart if self.count == 1 => "restart: the engine started it again by itself, once".to_owned(),
            Limit::Restart => format!("restart: the engine started it again by itself, {} times", self.count),
        };
        let decides = if self.limit == Limit::Restart { "decides" } else { "sets the limit" };
        format!("{}; {} {decides}", what.trim_end_matches(','), self.setting())
    }
}

impl Limits {
    /// Adds what somebody else saw, or saw more often.
    pub fn add(&mut self, hit: LimitHit) {
        match self.hits.iter_mut().find(|known| (known.limit, &known.place) == (hit.limit, &hit.place)) {
            Some(known) => *known = LimitHit { count: known.count.max(hit.count), bound: hit.bound.or(known.bound), ..hit },
            None => self.hits.push(hit),
        }
    }
}

impl LimitReading {
    /// What was run into since the container began, as far as one reading tells.
    pub fn hits(&self) -> Vec<LimitHit> {
        self.since(&Self::default())
    }

    /// What was run into between an earlier reading and this one, each with its count since the container began. Of what the
    /// kernel does not count, what it shows now and did not show then.
    pub fn since(&self, before: &Self) -> Vec<LimitHit> {
        let mut hits = Vec::new();
        if self.oom_kills > before.oom_kills {
            hits.push(LimitHit::new(Limit::Memory, self.oom_kills, self.memory));
        }
        if self.refused > before.refused {
            hits.push(LimitHit::new(Limit::Pids, self.refused, self.pids));
        }
        let (periods, throttled) = (self.periods.saturating_sub(before.periods), self.throttled.saturating_sub(before.throttled));
        // Now and then is what a limit is for; most of the time is what somebody waits for.
        if periods >= PERIODS && throttled.saturating_mul(4) >= periods.saturating_mul(3) {
            hits.push(LimitHit::new(Limit::Cpu, self.throttled, self.nano_cpus));
        }
        if self.files.is_some() && before.files.is_none() {
            hits.push(LimitHit::new(Limit::OpenFiles, 1, self.files));
        }
        let full = self.full.iter().filter(|(place, _)| !before.full.contains_key(*place));
        hits.extend(
            full.map(|(place, size)| LimitHit { place: Untrusted::from(place.as_str()), ..LimitHit::new(Limit::Tmpfs, 1, Some(*size)) }),
        );
        let over = self.disk.iter().filter(|(limit, _)| !before.disk.contains_key(*limit));
        hits.extend(over.map(|(limit, cap)| LimitHit::new(*limit, 1, Some(*cap))));
        if self.rotations > before.rotations {
            hits.push(LimitHit::new(Limit::Log, self.rotations, None));
        }
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_told_with_what_sets_it() {
        let hit = |limit, count, bound, place: &str| LimitHit { place: place.into(), ..LimitHit::new(limit, count, bound) }.sentence();
        assert_eq!(
            hit(Limit::Memory, 1, Some(64 << 20), ""),
            "memory: the kernel killed a process at the limit of 64 MiB; --memory sets the limit"
        );
        assert_eq!(
            hit(Limit::Pids, 21, Some(20), ""),
            "processes: no more could be started, 21 times, at the limit of 20; --pids-limit sets the limit"
        );
        assert_eq!(hit(Limit::Tmpfs, 1, Some(1 << 20), "/tmp"), "/tmp is full at the limit of 1 MiB; --tmp-size sets the limit");
        assert_eq!(
            hit(Limit::OpenFiles, 1, Some(64), ""),
            "open files: a process has as many open as it may, at the limit of 64; --nofile sets the limit"
        );
        assert_eq!(
            hit(Limit::Cpu, 9, Some(500_000_000), ""),
            "CPU: its time was used up in 9 periods, at the limit of 0.5 CPUs; --cpus sets the limit"
        );
        assert_eq!(hit(Limit::Log, 3, None, ""), "log: it was full and begun anew, 3 times; 'log_max_size' in the profile sets the limit");
        assert_eq!(
            hit(Limit::Restart, 1, None, ""),
            "restart: the engine started it again by itself, once; the container's restart policy, which palisade leaves at 'no', decides"
        );
        assert_eq!(hit(Limit::Pids, 1, None, ""), "processes: no more could be started, once; --pids-limit sets the limit");
        for limit in Limit::ALL {
            assert_eq!(Limit::named(limit.name()), Some(limit));
            assert_eq!(serde_json::to_value(limit).unwrap(), limit.name());
            assert!(!hit(limit, 1, None, "/x\u{1b}[2J").contains('\u{1b}'));
        }
    }

    #[test]
    fn counters_tell_what_is_new_and_levels_tell_when_they_are_reached() {
        let quiet = LimitReading { periods: 100, throttled: 20, memory: Some(5), ..LimitReading::default() };
        assert_eq!(quiet.hits(), []);
        let full = BTreeMap::from([("/tmp".to_owned(), 9)]);
        let now =
            LimitReading { oom_kills: 2, refused: 3, pids: Some(9), periods: 110, throttled: 29, files: Some(64), full, ..quiet.clone() };
        let limits = |hits: Vec<LimitHit>| hits.iter().map(|hit| (hit.limit, hit.count)).collect::<Vec<_>>();
        assert_eq!(
            limits(now.since(&quiet)),
            [(Limit::Memory, 2), (Limit::Pids, 3), (Limit::Cpu, 29), (Limit::OpenFiles, 1), (Limit::Tmpfs, 1)]
        );
        assert_eq!(now.since(&now), []);
        let later = LimitReading { refused: 5, ..now.clone() };
        assert_eq!(limits(later.since(&now)), [(Limit::Pids, 5)]);
    }
}
