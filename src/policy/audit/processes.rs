//! Controls that every process must hold to: capabilities, `no_new_privileges`, seccomp, `AppArmor`.

use std::collections::BTreeSet;

use super::source::Source;
use super::{Audit, seccomp};
use crate::policy::Seccomp;
use crate::policy::controls::Control;
use crate::policy::posture::Deviant;
use crate::session::{KernelFacts, ProcessFacts, SeccompMode};
use crate::units::{CapSet, Capability};

/// What Docker gives where nothing is dropped. Podman writes `ALL` out as its members, so dropping these is dropping all.
const DOCKER_DEFAULT: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
/// Of these, what Podman does not give by default and so does not list as dropped.
const NOT_PODMANS: [&str; 3] = ["AUDIT_WRITE", "MKNOD", "NET_RAW"];

/// Requested, engine, kernel.
type Columns = (String, Source, Source);

impl Audit<'_> {
    pub(super) fn cap_drop(&mut self) -> Columns {
        let added = self.wanted.cap_add;
        let requested = if added == CapSet::EMPTY { "drop ALL".to_owned() } else { format!("drop ALL, add {added}") };
        let kernel = self.every_process(
            Control::CapDrop,
            &if added == CapSet::EMPTY { "all five sets empty".to_owned() } else { format!("at most {added} in all five sets") },
            |process, _| {
                let sets = [
                    ("CapEff", process.cap_eff),
                    ("CapPrm", process.cap_prm),
                    ("CapInh", process.cap_inh),
                    ("CapBnd", process.cap_bnd),
                    ("CapAmb", process.cap_amb),
                ];
                let more: Vec<String> = sets
                    .into_iter()
                    .filter(|(_, set)| !set.is_subset(added))
                    .map(|(name, set)| format!("{name} holds {}", summary(CapSet(set.0 & !added.0))))
                    .collect();
                (!more.is_empty()).then(|| more.join(", "))
            },
            |first| default_caps().is_subset(first.cap_bnd),
        );
        (requested, self.engine_capabilities(), kernel)
    }

    fn engine_capabilities(&self) -> Source {
        let engine = self.engine;
        let words =
            |set: &BTreeSet<String>| if set.is_empty() { "none".to_owned() } else { set.iter().cloned().collect::<Vec<_>>().join(" ") };
        let mut source = Source::showing(format!("drop {}, add {}", words(&engine.cap_drop), words(&engine.cap_add)));
        if engine.privileged {
            source.missing("the container is privileged: it has every capability");
        }
        let extra: Vec<&str> = engine
            .cap_add
            .iter()
            .filter(|name| {
                !name.parse::<Capability>().is_ok_and(|capability| CapSet::from_iter([capability]).is_subset(self.wanted.cap_add))
            })
            .map(String::as_str)
            .collect();
        if extra.contains(&"ALL") {
            source.missing("every capability was added");
        } else if !extra.is_empty() {
            source.weaker(format!("added without being requested: {}", extra.join(" ")));
        }
        let is_given_back = |name: &str| engine.cap_add.contains(name);
        let kept: Vec<&str> = DOCKER_DEFAULT.into_iter().filter(|name| !engine.cap_drop.contains(*name) && !is_given_back(name)).collect();
        if engine.cap_drop.contains("ALL") || kept.is_empty() {
            return source;
        }
        if kept.len() == DOCKER_DEFAULT.len() {
            source.missing("nothing was dropped");
        } else if kept.iter().any(|name| !NOT_PODMANS.contains(name)) {
            source.weaker(format!("not dropped: {}", kept.join(" ")));
        } else if self.kernel.is_err() {
            source.note_unknown(format!("not listed as dropped, which an engine that never gives them need not do: {}", kept.join(" ")));
        }
        source
    }

    pub(super) fn no_new_privileges(&mut self) -> Columns {
        let is_set = |option: &String| {
            let (name, value) = option.split_once([':', '=']).unwrap_or((option, "true"));
            name == "no-new-privileges" && value != "false"
        };
        let mut engine = if self.engine.security_opt.iter().any(is_set) {
            Source::showing("set")
        } else {
            let mut source = Source::showing("not set");
            source.missing("the engine was not told no-new-privileges");
            source
        };
        if self.engine.privileged {
            engine.weaker("the container is privileged");
        }
        let mut kernel = self.every_process(
            Control::NoNewPrivileges,
            "NoNewPrivs 1",
            |process, _| (process.no_new_privs == Some(false)).then(|| "NoNewPrivs is 0".to_owned()),
            |_| true,
        );
        if self.shows_no(|process| process.no_new_privs.is_none()) {
            kernel = Source::unknown("not shown", "the kernel that was read does not show NoNewPrivs");
        }
        ("set".to_owned(), engine, kernel)
    }

    pub(super) fn seccomp(&mut self) -> Columns {
        let fewest = self.kernel.ok().and_then(|facts| facts.processes.first()).and_then(|first| first.seccomp_filters);
        let mut kernel = self.every_process(
            Control::Seccomp,
            "Seccomp 2",
            |process, _| match (process.seccomp, process.seccomp_filters, fewest) {
                (Some(SeccompMode::Disabled), ..) => Some("Seccomp is 0: no system call is filtered".to_owned()),
                (Some(SeccompMode::Filter), Some(0), _) => Some("it has no filter".to_owned()),
                (Some(SeccompMode::Filter), Some(own), Some(first)) if own < first => {
                    Some(format!("it has {own} filters where PID 1 has {first}"))
                }
                _ => None,
            },
            |_| true,
        );
        // gVisor, whatever its runtime is called, shows `Seccomp: 0` and leaves NoNewPrivs out.
        if self.shows_no(|process| {
            process.seccomp.is_none() || (process.no_new_privs.is_none() && process.seccomp == Some(SeccompMode::Disabled))
        }) {
            kernel = Source::unknown("not shown", "the kernel that was read does not show seccomp as Linux does");
            self.deviants.retain(|deviant| deviant.control != Control::Seccomp);
        }
        (format!("{} profile", self.wanted.seccomp), self.engine_seccomp(), kernel)
    }

    fn engine_seccomp(&self) -> Source {
        let profiles: Vec<&str> = self
            .engine
            .security_opt
            .iter()
            .filter_map(|option| option.split_once(['=', ':']).filter(|(name, _)| *name == "seccomp").map(|(_, profile)| profile))
            .collect();
        let mut source = match profiles.last().copied() {
            None | Some("" | "builtin" | "default") => {
                let mut source = Source::showing("the engine's default profile");
                if self.wanted.seccomp == Seccomp::Strict {
                    source.weaker("the strict profile was requested and the engine's default is in place");
                }
                source
            }
            Some("unconfined") => {
                let mut source = Source::showing("unconfined");
                source.missing("the engine was told to filter nothing");
                source
            }
            Some(profile) => match seccomp::shortfall(profile, self.wanted.seccomp) {
                Ok(None) => Source::showing("a profile of its own"),
                Ok(Some(why)) => {
                    let mut source = Source::showing("a profile of its own");
                    source.weaker(format!("the profile is weaker than {}: {why}", self.wanted.seccomp));
                    source
                }
                Err(why) => Source::unknown("a profile that the engine only names", why),
            },
        };
        if self.engine.privileged {
            source.missing("the container is privileged: no profile applies");
        }
        source
    }

    pub(super) fn apparmor(&mut self) -> Columns {
        let requested = "the engine's profile, where the host has AppArmor".to_owned();
        let told = self.engine.security_opt.iter().any(|option| matches!(option.as_str(), "apparmor=unconfined" | "apparmor:unconfined"));
        let mut engine = Source::showing(if self.engine.apparmor.is_empty() { "no profile reported" } else { &self.engine.apparmor });
        if told || self.engine.apparmor == "unconfined" {
            engine.missing("the engine was told to confine nothing");
        }
        let is_on = self.kernel.is_ok_and(|facts| facts.processes.iter().any(|process| process.apparmor.is_some()));
        if self.kernel.is_ok() && !is_on {
            // A host without it has nothing to enforce; an engine that names a profile contradicts the kernel.
            let kernel = match self.engine.apparmor.as_str() {
                "" | "unconfined" => Source::showing("no AppArmor on this host"),
                _ => Source::unknown("no label to be read", "the engine names a profile and the kernel shows no label"),
            };
            return (requested, engine, kernel);
        }
        let kernel = self.every_process(
            Control::Apparmor,
            "confined",
            |process, _| match process.apparmor.as_ref().map(crate::units::Untrusted::raw) {
                Some("unconfined") => Some("no profile confines it".to_owned()),
                Some(label) if label.ends_with("(complain)") => Some(format!("its profile only complains: {label}")),
                Some(_) => None,
                None => Some("it has no label where others have one".to_owned()),
            },
            |first| first.apparmor.as_ref().is_some_and(|label| label.raw() == "unconfined"),
        );
        (requested, engine, kernel)
    }

    /// Whether PID 1 lacks something that Linux always shows.
    fn shows_no(&self, lacks: impl Fn(&ProcessFacts) -> bool) -> bool {
        self.kernel.ok().and_then(|facts| facts.processes.first()).is_some_and(lacks)
    }
}

fn default_caps() -> CapSet {
    DOCKER_DEFAULT.iter().filter_map(|name| name.parse::<Capability>().ok()).collect()
}

/// Few by name, many by number.
fn summary(set: CapSet) -> String {
    let names = set.names();
    if names.len() <= 4 {
        names.join(" ")
    } else {
        format!("{} capabilities, {} among them", names.len(), names.iter().take(3).cloned().collect::<Vec<_>>().join(" "))
    }
}

/// A process in the words of a finding.
pub(super) fn describe(process: &ProcessFacts) -> String {
    let inside = process.container_pid.map(|pid| format!(", {pid} inside")).unwrap_or_default();
    format!("process {} '{}'{inside}", process.pid, process.name)
}

pub(super) fn deviant(control: Control, process: &ProcessFacts, reason: String) -> Deviant {
    Deviant { control, pid: process.pid, container_pid: process.container_pid, name: process.name.clone(), reason: reason.into() }
}

/// Processes that are tied to the container and stand outside of something that bounds it, with what that is.
pub(super) fn outsiders(facts: &KernelFacts) -> impl Iterator<Item = (&ProcessFacts, Vec<&'static str>)> {
    facts.processes.iter().filter_map(|process| {
        let membership = process.membership;
        let outside = [
            (membership.cgroup, "cgroup"),
            (membership.pid_namespace, "PID namespace"),
            (membership.mount_namespace, "mount namespace"),
            (membership.network_namespace, "network namespace"),
        ];
        let of: Vec<&str> = outside.into_iter().filter(|(is_in, _)| *is_in == Some(false)).map(|(_, what)| what).collect();
        (!of.is_empty()).then_some((process, of))
    })
}
