//! Requested, engine and kernel compared, control by control.
//!
//! Strength is compared, never spelling: a lower limit, a smaller set and a profile that allows less all hold.
//! The floor applies whatever was requested. Pure, and it knows no engine and no file: facts in, posture out.

mod dialect;
mod files;
mod isolation;
mod mounts;
mod processes;
mod requested;
mod resources;
mod seccomp;
mod source;
mod user;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use super::controls::Control;
use super::posture::Deviant;
use super::{ControlPosture, Posture};
use crate::session::{ContainerFacts, KernelFacts, ProcessFacts};
use requested::Wanted;
use source::Source;

pub use isolation::is_inert;
pub use requested::Requested;

/// Sessions outlive a depot that fell: the engine starts it again. Its operator's stop stays a stop.
pub const DEPOT_RESTARTS: &str = "unless-stopped";

/// Compares. Without kernel facts (not started, or nobody could read them) the kernel's column says why
/// (the error), and a control that the engine does not contradict is `unknown`, never `enforced`.
pub fn audit(requested: Option<&Requested>, engine: &ContainerFacts, kernel: Result<&KernelFacts, &str>) -> Posture {
    compare(Wanted::new(requested), engine, kernel)
}

/// The same of the depot, which its engine may start again. That this container is the depot is the caller's to know: by
/// where it was found, not by what it says.
pub fn audit_depot(requested: &Requested, engine: &ContainerFacts, kernel: Result<&KernelFacts, &str>) -> Posture {
    compare(Wanted { restart_policy: DEPOT_RESTARTS, ..Wanted::new(Some(requested)) }, engine, kernel)
}

fn compare(wanted: Wanted, engine: &ContainerFacts, kernel: Result<&KernelFacts, &str>) -> Posture {
    let mut audit = Audit { wanted, engine, kernel, deviants: Vec::new() };
    let controls = Control::ALL.map(|control| audit.control(control)).into();
    Posture { controls, deviants: audit.deviants }
}

/// One comparison under way.
struct Audit<'a> {
    wanted: Wanted,
    engine: &'a ContainerFacts,
    kernel: Result<&'a KernelFacts, &'a str>,
    deviants: Vec<Deviant>,
}

impl Audit<'_> {
    fn control(&mut self, control: Control) -> ControlPosture {
        let (requested, engine, kernel) = match control {
            Control::CapDrop => self.cap_drop(),
            Control::NoNewPrivileges => self.no_new_privileges(),
            Control::Seccomp => self.seccomp(),
            Control::User => self.user(),
            Control::Init => self.init(),
            Control::PidsLimit => self.pids_limit(),
            Control::Memory => self.memory(),
            Control::MemorySwap => self.memory_swap(),
            Control::Cpus => self.cpus(),
            Control::Nofile => self.nofile(),
            Control::CoreDumps => self.core_dumps(),
            Control::ReadOnlyRootfs => self.read_only_rootfs(),
            Control::Tmpfs => self.tmpfs(),
            Control::Mounts => self.mounts(),
            Control::Devices => self.devices(),
            Control::Network => self.network(),
            Control::Namespaces => self.namespaces(),
            Control::SystemPaths => self.system_paths(),
            Control::LogCap => self.log_cap(),
            Control::RestartPolicy => self.restart_policy(),
            Control::Apparmor => self.apparmor(),
        };
        source::compose(control, requested, &engine, &kernel)
    }

    /// The kernel's column of what the host's kernel does itself, for every runtime: control groups.
    fn host_kernel(&self, look: impl FnOnce(&KernelFacts, &mut Source)) -> Source {
        match self.kernel {
            Ok(facts) => {
                let mut source = Source::default();
                look(facts, &mut source);
                source
            }
            Err(why) => Source::unknown(why, why),
        }
    }

    /// The kernel's column of what is the runtime's own kernel's affair where it brings one.
    fn sandbox_kernel(&self, look: impl FnOnce(&KernelFacts, &mut Source)) -> Source {
        match (self.kernel, dialect::foreign_kernel(&self.engine.runtime)) {
            (Ok(_), Some(why)) => Source::unknown("not comparable under this runtime", why),
            _ => self.host_kernel(look),
        }
    }

    /// The kernel's column of what each process must hold to: the first to differ decides between `missing` and
    /// `weaker`, and every one that differs is named. `differs` says how, `missing` whether PID 1's own state is that
    /// of a container that never had the control.
    fn every_process(
        &mut self,
        control: Control,
        held: &str,
        differs: impl Fn(&ProcessFacts, &KernelFacts) -> Option<String>,
        is_missing: impl Fn(&ProcessFacts) -> bool,
    ) -> Source {
        let mut deviants = Vec::new();
        let source = self.sandbox_kernel(|facts, source| {
            let count = facts.processes.len();
            for process in &facts.processes {
                let Some(reason) = differs(process, facts) else { continue };
                let is_first = facts.processes.first().is_some_and(|first| first.pid == process.pid);
                let why = format!("{}: {reason}", processes::describe(process));
                if is_first && is_missing(process) {
                    source.missing(why);
                } else {
                    source.weaker(why);
                }
                deviants.push(processes::deviant(control, process, reason));
            }
            let differing = deviants.len();
            source.text = match (count, differing) {
                (0, _) => "no process to look at".to_owned(),
                (_, 0) => format!("{held} ({count} {})", if count == 1 { "process" } else { "processes" }),
                _ => format!("{differing} of {count} processes differ"),
            };
            if count == 0 {
                source.note_unknown("the reader saw no process".to_owned());
            }
        });
        self.deviants.append(&mut deviants);
        source
    }
}
