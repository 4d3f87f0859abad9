use std::collections::BTreeMap;

use super::terms::{IMAGE_ID, Terms, USER, shown};
use super::{Difference, Needs};
use crate::policy::Network;
use crate::policy::audit::is_inert;
use crate::session::{ContainerFacts, KernelFacts, LimitFact, labels};
use crate::units::{Cpus, Untrusted};

/// Engines round a share of CPU time to microseconds of their scheduler's period.
const NANO_CPUS_ROUNDED: u64 = 10_000;
/// Kernels round memory down to pages, of which none is larger.
const PAGE: u64 = 64 << 10;
/// What stands for a limit that is not set.
const UNLIMITED: &str = "unlimited";

/// In what the container differs from the plan that it was made from: as its engine reports it, and, where it runs, as the kernel
/// holds it. `name` is what the session was called last by whoever may rename it.
pub fn drifted(made: &Terms, name: &str, engine: &ContainerFacts, kernel: Option<&KernelFacts>) -> Vec<Difference> {
    let mut found = Found(BTreeMap::new());
    let called = engine.name.raw().strip_prefix(labels::CONTAINER_PREFIX).unwrap_or(engine.name.raw());
    found.compare("name", name, called, Needs::Live);
    limits(made, engine, kernel, &mut found);
    found.compare("restart_policy", "no", if engine.restart_policy.is_empty() { "no" } else { &engine.restart_policy }, Needs::Live);
    if engine.oom_kill_disable {
        found.add("oom_kill_disable", "false", "true", Needs::Recreate);
    }
    for (field, value) in &engine.other_limits {
        found.add(field, "none", value, Needs::Recreate);
    }
    networks(made, engine, kernel, &mut found);
    // What no engine changes in a container that is there: another was made in its place, with our labels.
    for (field, now) in [
        (IMAGE_ID, engine.image_id.clone()),
        (USER, engine.user.raw().to_owned()),
        ("read_only_rootfs", engine.read_only_rootfs.to_string()),
    ] {
        if let Some(then) = made.get(field).filter(|then| !then.is_empty() && !now.is_empty()) {
            found.compare(field, then, &now, Needs::Recreate);
        }
    }
    if engine.privileged {
        found.add("privileged", "false", "true", Needs::Recreate);
    }
    found.0.into_values().collect()
}

/// By field; the engine's word comes before the kernel's.
struct Found(BTreeMap<String, Difference>);

impl Found {
    fn compare(&mut self, field: &str, then: &str, now: &str, needs: Needs) {
        if then != now {
            self.add(field, then, now, needs);
        }
    }

    fn add(&mut self, field: &str, then: &str, now: &str, needs: Needs) {
        let then = Untrusted::from(shown(field, Some(then)));
        let difference = Difference { field: field.to_owned(), then, now: shown(field, Some(now)).into(), needs };
        self.0.entry(field.to_owned()).or_insert(difference);
    }

    /// One limit by two sources: what the engine was told, and what the kernel holds.
    fn limit(
        &mut self,
        field: &str,
        then: &str,
        engine: Option<u64>,
        kernel: LimitFact,
        text: impl Fn(u64) -> String,
        is_same: impl Fn(u64) -> bool,
    ) {
        match engine {
            Some(now) if is_same(now) => {}
            Some(now) => self.add(field, then, &text(now), Needs::Live),
            None => self.add(field, then, UNLIMITED, Needs::Live),
        }
        match kernel {
            LimitFact::Limited(now) if !is_same(now) => {
                self.add(field, then, &format!("{} in the kernel", shown(field, Some(&text(now)))), Needs::Live);
            }
            LimitFact::Unlimited => self.add(field, then, "unlimited in the kernel", Needs::Live),
            LimitFact::Limited(_) | LimitFact::Unreadable => {}
        }
    }
}

fn limits(made: &Terms, engine: &ContainerFacts, kernel: Option<&KernelFacts>, found: &mut Found) {
    let held = |of: fn(&KernelFacts) -> LimitFact| kernel.map_or(LimitFact::Unreadable, of);
    let number = |now: u64| now.to_string();
    if let Some(then) = made.number("pids_limit") {
        found.limit("pids_limit", &then.to_string(), engine.pids_limit, held(|facts| facts.cgroup.pids_max), number, |now| now == then);
    }
    if let Some(then) = made.number("memory") {
        let is_same = |now: u64| now <= then && then - now < PAGE;
        found.limit("memory", &then.to_string(), engine.memory, held(|facts| facts.cgroup.memory_max), number, is_same);
        // An engine whose kernel does not count swap reports none: only what is said to be there is held against it. Where the
        // memory itself was changed, its swap went along.
        let changed = found.0.contains_key("memory");
        let engine = engine.memory_swap.or(Some(then));
        if !changed {
            found.limit("memory_swap", &then.to_string(), engine, held(|facts| facts.cgroup.memory_swap_max), number, is_same);
        }
    }
    if let Some(then) = made.get("cpus").and_then(|cpus| cpus.parse::<Cpus>().ok()) {
        let nano = then.as_nano().unsigned_abs();
        let is_same = |now: u64| now.abs_diff(nano) <= NANO_CPUS_ROUNDED;
        let cpus = |nano: u64| u32::try_from(nano / 1_000_000).map_or_else(|_| nano.to_string(), |milli| Cpus::milli(milli).to_string());
        found.limit("cpus", &then.to_string(), engine.nano_cpus, held(|facts| facts.cgroup.nano_cpus), cpus, is_same);
    }
    if let Some(then) = made.get("cpuset") {
        // To an engine, no CPUs means the ones that it has.
        found.compare("cpuset", then, &engine.cpuset_cpus, if then.is_empty() { Needs::Recreate } else { Needs::Live });
    }
}

fn networks(made: &Terms, engine: &ContainerFacts, kernel: Option<&KernelFacts>, found: &mut Found) {
    let Some(network) = made.get("network").and_then(|word| serde_json::from_value::<Network>(word.into()).ok()) else { return };
    let names: Vec<String> = engine.networks.iter().map(|name| name.raw().to_owned()).collect();
    let is_closed = network.is_closed();
    // An engine may have its own name for its bridge; one network is what a session is given.
    let is_as_planned = if is_closed { names.is_empty() } else { names.len() == 1 };
    if !is_as_planned {
        let then = if is_closed { "none" } else { "bridge" };
        // What was added is taken away again; what is missing comes with a new container.
        let needs = if is_closed || names.iter().any(|name| name == then) { Needs::Live } else { Needs::Recreate };
        found.add("networks", then, &names.join(" "), needs);
    }
    let more: Vec<&str> = kernel
        .map(|facts| facts.interfaces.iter().map(Untrusted::raw).filter(|name| *name != "lo" && !is_inert(name)).collect())
        .unwrap_or_default();
    if is_closed && !more.is_empty() {
        found.add("interfaces", "lo", &format!("lo {}", more.join(" ")), Needs::Restart);
    }
}
