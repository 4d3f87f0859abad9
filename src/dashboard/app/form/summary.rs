//! A plan in short lines: what will be asked of the engine, for people.

use crate::policy::plan::{Plan, PlanMountKind};
use crate::policy::{Network, Timeout};
use crate::session::Kind;
use crate::units::{Bytes, Seconds};

/// A plan in short lines, each with what it is about.
pub fn summary(plan: &Plan) -> Vec<(&'static str, String)> {
    let (policy, create) = (&plan.policy, &plan.create);
    let mut lines = vec![
        ("kind", kind(plan)),
        ("image", image(plan)),
        ("command", command(plan)),
        ("user", format!("{}, in {}", create.user, create.working_dir)),
        ("network", network(policy.network).to_owned()),
        ("limits", limits(plan)),
        ("timeout", timeout(policy.timeout, policy.stop_grace)),
        ("rights", rights(plan)),
        ("kernel", kernel(plan)),
        ("root", root(plan)),
    ];
    lines.extend(create.mounts.iter().map(|mount| {
        let mode = if mount.read_only { "ro" } else { "rw" };
        let from = match (mount.kind, mount.source.as_str()) {
            (PlanMountKind::Volume, "") => "a volume that goes with it",
            // Its name holds the session's id, which there is none of yet.
            (PlanMountKind::Volume, source) if source.ends_with(&plan.id.to_string()) => "a volume of its own",
            (PlanMountKind::Volume | PlanMountKind::Bind, source) => source,
        };
        ("mount", format!("{} {mode}: {from}", mount.target))
    }));
    if policy.network.has_depot() {
        lines.push(("packages", age(policy.min_age, policy.min_age_allow.len())));
    }
    lines.push(("log", format!("at most {} files of {}", policy.log.max_file, policy.log.max_size)));
    lines
}

fn kind(plan: &Plan) -> String {
    match plan.kind {
        Kind::Persistent => "persistent: stays until it is removed",
        Kind::Ephemeral => "ephemeral: removed, home and all, when its command ends",
    }
    .to_owned()
}

fn image(plan: &Plan) -> String {
    let image = &plan.image;
    match image.id.trim_start_matches("sha256:").get(..12) {
        Some(id) => format!("{} ({id})", image.reference),
        None => format!("{}, not here yet: pulled at launch", image.reference),
    }
}

fn command(plan: &Plan) -> String {
    // What follows the supervisor's own arguments, which hold no `--`.
    let own = plan.create.entrypoint.iter().position(|word| word == "--");
    own.map_or_else(|| "none: idles until it is stopped".to_owned(), |at| super::shell_words::join(&plan.create.entrypoint[at + 1..]))
}

const fn network(network: Network) -> &'static str {
    match network {
        Network::None => "none: its own loopback alone",
        Network::Packages => "none but packages, by the depot",
        Network::Open => "open: what the engine's host reaches, and the depot",
    }
}

fn limits(plan: &Plan) -> String {
    let create = &plan.create;
    let visible = if create.cpuset_cpus.is_empty() { String::new() } else { format!(" of {}", create.cpuset_cpus) };
    let swap = if create.memory_swap == create.memory { "no swap" } else { "swap" };
    format!(
        "{} pids, {} and {swap}, {} {}{visible}, {} files",
        create.pids_limit,
        Bytes::new(create.memory),
        plan.policy.cpus,
        if plan.policy.cpus.as_milli() == 1000 { "CPU" } else { "CPUs" },
        plan.policy.nofile
    )
}

fn timeout(timeout: Timeout, grace: Seconds) -> String {
    match timeout {
        Timeout::Never => format!("never; {grace} to stop in"),
        Timeout::After(limit) => format!("{limit}, then {grace} to stop in"),
    }
}

fn rights(plan: &Plan) -> String {
    let create = &plan.create;
    let dropped = create.cap_drop.join(", ").to_lowercase();
    if create.cap_add.is_empty() {
        format!("{dropped} capabilities dropped")
    } else {
        format!("{dropped} capabilities dropped, given back: {}", create.cap_add.join(", "))
    }
}

fn kernel(plan: &Plan) -> String {
    let create = &plan.create;
    let mut held = Vec::new();
    if create.security_opt.iter().any(|option| option.starts_with("no-new-privileges")) {
        held.push("no_new_privileges".to_owned());
    }
    held.push(format!("seccomp {}", plan.policy.seccomp));
    if create.init {
        held.push("init".to_owned());
    }
    if create.ulimits.iter().any(|limit| limit.name == "core" && limit.limit == 0) {
        held.push("no core dumps".to_owned());
    }
    held.join(", ")
}

fn root(plan: &Plan) -> String {
    let policy = &plan.policy;
    let root = if plan.create.read_only_rootfs { "read-only" } else { "writable" };
    format!("{root}; /tmp {}, /run {}, /dev/shm {}", policy.tmp_size, policy.run_size, policy.shm_size)
}

fn age(least: Seconds, exempt: usize) -> String {
    match (least.get(), exempt) {
        (0, _) => "of any age".to_owned(),
        (_, 0) => format!("{least} old at least"),
        (_, exempt) => format!("{least} old at least, but for {exempt}"),
    }
}
