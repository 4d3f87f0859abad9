//! Controls over what surrounds the session: init, network, namespaces, log and restarts.

use super::source::Source;
use super::{Audit, processes};
use crate::policy::controls::Control;
use crate::session::{KernelFacts, KernelSource};
use crate::units::Bytes;

/// Requested, engine, kernel.
type Columns = (String, Source, Source);

/// Devices that the kernel's tunnel modules put into every network namespace, down, for an administrator to use.
const INERT: [&str; 9] = ["erspan0", "gre0", "gretap0", "ip6_vti0", "ip6gre0", "ip6tnl0", "ip_vti0", "sit0", "tunl0"];

/// Whether an interface is one that the kernel itself puts everywhere.
pub fn is_inert(interface: &str) -> bool {
    INERT.contains(&interface)
}

impl Audit<'_> {
    pub(super) fn init(&mut self) -> Columns {
        let mut engine = Source::showing(if self.engine.init { "set" } else { "not set" });
        if !self.engine.init {
            engine.missing("the engine was not asked for its init");
        }
        let kernel = self.sandbox_kernel(|facts, source| {
            let exe = &facts.init.exe;
            source.text = format!("PID 1 is {exe}");
            let file = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
            let is_users = self.engine.mounts.iter().any(|mount| file(mount.destination.raw()) == file(exe.raw()));
            if exe.raw().is_empty() {
                source.show("PID 1 cannot be told");
                source.note_unknown("the reader may not see what PID 1 runs".to_owned());
            } else if !facts.init.mounted_from_host {
                source.missing(format!("PID 1 runs {exe}, which the image or the session itself provides: it is not the engine's init"));
            } else if is_users {
                source.missing(format!("PID 1 runs {exe}, which was mounted like any other file: it is not the engine's init"));
            }
        });
        ("the engine's init as PID 1".to_owned(), engine, kernel)
    }

    pub(super) fn network(&mut self) -> Columns {
        let mut outside = Vec::new();
        let kernel = self.sandbox_kernel(|facts, source| {
            let names: Vec<String> = facts.interfaces.iter().map(ToString::to_string).collect();
            source.text = if names.is_empty() { "no interface".to_owned() } else { names.join(", ") };
            if is_hosts(facts, "net") == Some(true) {
                source.missing("it is in the host's network namespace");
            }
            let more: Vec<&String> = names.iter().filter(|name| *name != "lo" && !is_inert(name)).collect();
            if self.wanted.network.is_closed() && !more.is_empty() {
                let more: Vec<&str> = more.into_iter().map(String::as_str).collect();
                source.missing(format!("it has interfaces besides lo: {}", more.join(", ")));
            }
            for (process, _) in processes::outsiders(facts).filter(|(_, of)| of.contains(&"network namespace")) {
                let reason = "it is in another network namespace than the session".to_owned();
                source.weaker(format!("{}: {reason}", processes::describe(process)));
                outside.push(processes::deviant(Control::Network, process, reason));
            }
        });
        self.deviants.append(&mut outside);
        (self.wanted.network.to_string(), self.engine_network(), kernel)
    }

    fn engine_network(&self) -> Source {
        let engine = self.engine;
        let mode = engine.network_mode.as_str();
        let networks: Vec<String> = engine.networks.iter().map(ToString::to_string).collect();
        let mut source = Source::showing(if networks.is_empty() { mode.to_owned() } else { format!("{mode}: {}", networks.join(", ")) });
        if mode == "host" {
            source.missing("it is on the host's network");
        } else if mode.starts_with("container:") || mode.starts_with("ns:") {
            source.missing("it shares another container's network");
        } else if self.wanted.network.is_closed() && (mode != "none" || !networks.is_empty()) {
            source.missing("it is attached to a network");
        }
        if !engine.ports.is_empty() {
            source.weaker(format!("ports are published: {}", engine.ports.join(", ")));
        }
        source
    }

    pub(super) fn namespaces(&mut self) -> Columns {
        let mut outside = Vec::new();
        let kernel = self.sandbox_kernel(|facts, source| {
            judge_namespaces(facts, source);
            for (process, of) in processes::outsiders(facts) {
                let is_entered = of.contains(&"cgroup");
                let reason = format!(
                    "it is outside of the session's {}{}",
                    of.join(", "),
                    if is_entered { ": it was put in from outside, or has left" } else { "" }
                );
                source.weaker(format!("{}: {reason}", processes::describe(process)));
                outside.push(processes::deviant(Control::Namespaces, process, reason));
            }
            if facts.hidden_processes > 0 {
                source.weaker(format!("{} processes in the session's cgroup are outside of its PID namespace", facts.hidden_processes));
            }
        });
        self.deviants.append(&mut outside);
        ("its own: cgroup, ipc, mnt, net, pid, uts".to_owned(), self.engine_namespaces(), kernel)
    }

    fn engine_namespaces(&self) -> Source {
        let engine = self.engine;
        let modes = [
            ("ipc", engine.ipc_mode.as_str()),
            ("pid", engine.pid_mode.as_str()),
            ("uts", engine.uts_mode.as_str()),
            ("user", engine.userns_mode.as_str()),
            ("cgroup", engine.cgroupns_mode.as_str()),
        ];
        let shown: Vec<String> = modes.iter().filter(|(_, mode)| !mode.is_empty()).map(|(name, mode)| format!("{name} {mode}")).collect();
        let mut source = Source::showing(if shown.is_empty() { "the engine's default".to_owned() } else { shown.join(", ") });
        for (name, mode) in modes {
            match mode {
                // No remapping is the rule; only asking for it on an engine that remaps is odd.
                "host" if name == "user" => source.weaker("it is exempt from the engine's user namespace"),
                "host" if name == "cgroup" => source.weaker("it shares the host's cgroup namespace"),
                "host" => source.missing(format!("it shares the host's {name} namespace")),
                "shareable" => source.weaker(format!("other containers may join its {name} namespace")),
                other if other.starts_with("container:") || other.starts_with("ns:") => {
                    source.missing(format!("it shares another's {name} namespace"));
                }
                _ => {}
            }
        }
        source
    }

    pub(super) fn log_cap(&mut self) -> Columns {
        let requested = self.wanted.log.map_or_else(|| "bounded".to_owned(), |(size, files)| format!("{files} × {}", Bytes::new(size)));
        let log = &self.engine.log;
        let option = |name: &str| log.options.get(name).map(String::as_str);
        let mut engine = Source::showing(log.driver.clone());
        let by_default = match log.driver.as_str() {
            "none" => {
                return (requested, engine, Source::invisible());
            }
            "json-file" => None,
            // `local` rotates by itself.
            "local" => Some((20 * Bytes::MIB, 5)),
            other => {
                engine.note_unknown(format!("the log goes to {}, whose bounds the engine does not set", crate::units::sanitise(other)));
                return (requested, engine, Source::invisible());
            }
        };
        let size = option("max-size").and_then(|size| size.parse::<Bytes>().ok()).map(Bytes::get).filter(|size| *size > 0);
        let files = option("max-file").and_then(|files| files.parse::<u32>().ok());
        match (size.or(by_default.map(|(size, _)| size)), files.or(by_default.map(|(_, files)| files)).unwrap_or(1)) {
            (None, _) => {
                engine.text = format!("{}, unlimited", log.driver);
                engine.missing("the log has no limit");
            }
            (Some(size), files) => {
                engine.text = format!("{}, {files} × {}", log.driver, Bytes::new(size));
                let total = |size: u64, files: u32| size.saturating_mul(u64::from(files.max(1)));
                if self.wanted.log.is_some_and(|(wanted, most)| total(size, files) > total(wanted, most)) {
                    engine.weaker("the log may grow larger than requested");
                }
            }
        }
        (requested, engine, Source::invisible())
    }

    pub(super) fn restart_policy(&mut self) -> Columns {
        let policy = self.engine.restart_policy.as_str();
        let mut engine = Source::showing(if policy.is_empty() { "no" } else { policy });
        if !matches!(policy, "" | "no") && policy != self.wanted.restart_policy {
            engine.missing("the engine would start it again by itself");
        }
        (self.wanted.restart_policy.to_owned(), engine, Source::invisible())
    }
}

fn is_hosts(facts: &KernelFacts, name: &str) -> Option<bool> {
    facts.namespaces.iter().find(|namespace| namespace.name == name).and_then(|namespace| namespace.is_host)
}

fn judge_namespaces(facts: &KernelFacts, source: &mut Source) {
    let of = |state: Option<bool>| -> Vec<&str> {
        facts
            .namespaces
            .iter()
            .filter(|namespace| namespace.name != "user" && namespace.is_host == state)
            .map(|namespace| namespace.name.as_str())
            .collect()
    };
    let (own, shared, unseen) = (of(Some(false)), of(Some(true)), of(None));
    let mut text = vec![format!("own: {}", if own.is_empty() { "none".to_owned() } else { own.join(", ") })];
    if !shared.is_empty() {
        text.push(format!("the host's: {}", shared.join(", ")));
    }
    if !unseen.is_empty() {
        text.push(format!("not to be told from here: {}", unseen.join(", ")));
    }
    text.push(user_namespace(facts));
    if facts.source == KernelSource::Probe {
        text.push("processes outside its PID namespace are out of the probe's sight".to_owned());
    }
    source.text = text.join("; ");
    for name in shared {
        let why = format!("it is in the host's {name} namespace");
        if name == "cgroup" { source.weaker(why) } else { source.missing(why) }
    }
    if own.is_empty() && !unseen.is_empty() {
        source.note_unknown("the reader may not see the namespaces".to_owned());
    }
}

fn user_namespace(facts: &KernelFacts) -> String {
    let is_identity = facts.uid_map.iter().all(|range| range.inside == range.outside);
    match (is_hosts(facts, "user"), facts.uid_map.first()) {
        (Some(false), Some(first)) if !is_identity => format!("user: its own, where {} is {} outside", first.inside, first.outside),
        (Some(false), _) => "user: its own".to_owned(),
        (Some(true), _) => "user: the host's, without remapping".to_owned(),
        (None, _) => "user: not to be told from here".to_owned(),
    }
}
