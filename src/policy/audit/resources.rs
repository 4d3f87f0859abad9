//! Controls that are a number: cgroup limits and resource limits.

use super::source::Source;
use super::{Audit, processes};
use crate::policy::controls::Control;
use crate::policy::cpuset::CpuList;
use crate::session::{KernelFacts, LimitFact};
use crate::units::{Bytes, Cpus};

/// Requested, engine, kernel.
type Columns = (String, Source, Source);

impl Audit<'_> {
    pub(super) fn pids_limit(&mut self) -> Columns {
        let wanted = self.wanted.pids_limit;
        let engine = at_most(self.engine.pids_limit, wanted, &number);
        let mut outside = Vec::new();
        let kernel = self.host_kernel(|facts, source| {
            *source = limit(facts.cgroup.pids_max, wanted, &number, "pids.max");
            for (process, _) in processes::outsiders(facts).filter(|(_, of)| of.contains(&"cgroup")) {
                let reason = "it is not in the session's cgroup: neither its count nor its memory is limited".to_owned();
                source.weaker(format!("{}: {reason}", processes::describe(process)));
                outside.push(processes::deviant(Control::PidsLimit, process, reason));
            }
        });
        self.deviants.append(&mut outside);
        (wanted.to_string(), engine, kernel)
    }

    pub(super) fn memory(&mut self) -> Columns {
        let wanted = self.wanted.memory;
        let mut engine = at_most(self.engine.memory, wanted, &bytes);
        if self.engine.oom_kill_disable {
            engine.weaker("the kernel was told not to kill what goes over the limit");
        }
        // The kernel rounds to pages, downwards.
        let kernel = self.host_kernel(|facts, source| *source = limit(facts.cgroup.memory_max, wanted, &bytes, "the memory limit"));
        (bytes(wanted), engine, kernel)
    }

    /// Memory and swap together are at most the memory limit that is in place: no swap.
    pub(super) fn memory_swap(&mut self) -> Columns {
        let engine = match (self.engine.memory, self.engine.memory_swap) {
            (_, Some(total)) => at_most(Some(total), self.engine.memory.unwrap_or(self.wanted.memory), &bytes),
            (Some(_), None) if self.kernel.is_err() => {
                Source::unknown("not reported", "the engine reports no swap limit; it drops the limit where its kernel does not count swap")
            }
            // What the engine does not report, the kernel's own figure decides below.
            (Some(_), None) => Source::showing("not reported"),
            (None, None) => at_most(None, self.wanted.memory, &bytes),
        };
        let kernel = self.host_kernel(|facts, source| {
            let memory = match facts.cgroup.memory_max {
                LimitFact::Limited(memory) => memory,
                LimitFact::Unlimited | LimitFact::Unreadable => self.wanted.memory,
            };
            *source = match facts.cgroup.memory_swap_max {
                LimitFact::Unreadable => Source::unknown("not counted", "this kernel does not count swap by cgroup, or has it turned off"),
                fact => limit(fact, memory, &bytes, "the limit of memory and swap together"),
            };
        });
        ("none beyond the memory limit".to_owned(), engine, kernel)
    }

    pub(super) fn cpus(&mut self) -> Columns {
        let wanted = self.wanted.nano_cpus;
        let mut engine = at_most(self.engine.nano_cpus, wanted, &cpus);
        let given = &self.engine.cpuset_cpus;
        let is_within = |given: CpuList| given.is_within(&self.wanted.cpuset);
        if self.wanted.cpuset != CpuList::default() && !given.parse().is_ok_and(is_within) {
            let given = if given.is_empty() { "all" } else { given };
            engine.weaker(format!("the engine has CPUs {given} where {} was requested", self.wanted.cpuset));
        }
        let kernel = self.host_kernel(|facts, source| *source = limit(facts.cgroup.nano_cpus, wanted, &cpus, "the CPU quota"));
        let which = self.wanted.cpuset.to_string();
        let requested = if which.is_empty() { cpus(wanted) } else { format!("{} of {which}", cpus(wanted)) };
        (requested, engine, kernel)
    }

    pub(super) fn nofile(&mut self) -> Columns {
        let wanted = self.wanted.nofile;
        (number(wanted), self.ulimit("nofile", wanted), self.hard_limit(wanted, &number, |facts| facts.limits.nofile))
    }

    pub(super) fn core_dumps(&mut self) -> Columns {
        (
            "off".to_owned(),
            self.ulimit("core", 0),
            self.hard_limit(0, &|value| if value == 0 { "off".to_owned() } else { bytes(value) }, |facts| facts.limits.core),
        )
    }

    fn ulimit(&self, name: &str, wanted: u64) -> Source {
        let hard = self.engine.ulimits.iter().find(|limit| limit.name == name).map(|limit| limit.hard);
        let mut source = at_most(hard.and_then(|hard| u64::try_from(hard).ok()), wanted, &number);
        if hard.is_none() {
            source.show("the engine's default");
        }
        source
    }

    fn hard_limit(&self, wanted: u64, show: &dyn Fn(u64) -> String, of: impl Fn(&KernelFacts) -> LimitFact) -> Source {
        self.sandbox_kernel(|facts, source| *source = limit(of(facts), wanted, show, "the hard limit"))
    }
}

fn number(value: u64) -> String {
    value.to_string()
}

fn bytes(value: u64) -> String {
    Bytes::new(value).to_string()
}

fn cpus(nano: u64) -> String {
    format!(
        "{} CPUs",
        u32::try_from(nano / 1_000_000).map_or_else(|_| number(nano / 1_000_000_000), |milli| Cpus::milli(milli).to_string())
    )
}

/// The engine's number, where `None` is no limit.
fn at_most(value: Option<u64>, wanted: u64, show: &dyn Fn(u64) -> String) -> Source {
    let Some(value) = value else {
        let mut source = Source::showing("unlimited");
        source.missing("the engine sets no limit");
        return source;
    };
    let mut source = Source::showing(show(value));
    if value > wanted {
        source.weaker(format!("the engine has {} where {} was requested", show(value), show(wanted)));
    }
    source
}

/// The kernel's number.
fn limit(fact: LimitFact, wanted: u64, show: &dyn Fn(u64) -> String, what: &str) -> Source {
    match fact {
        LimitFact::Limited(value) => {
            let mut source = Source::showing(show(value));
            if value > wanted {
                source.weaker(format!("{what} is {} where {} was requested", show(value), show(wanted)));
            }
            source
        }
        LimitFact::Unlimited => {
            let mut source = Source::showing("unlimited");
            source.missing(format!("{what} is unlimited"));
            source
        }
        LimitFact::Unreadable => {
            Source::unknown("not readable", format!("{what} cannot be read: the controller is off or out of the reader's sight"))
        }
    }
}
