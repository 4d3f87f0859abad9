//! `plan`: what a launch would ask for.

use std::fmt::Write;

use super::paint::{Role, paint};
use super::table::{Grid, cell};
use super::{Context, Done};
use crate::backend::{Backend, Order};
use crate::policy::plan::PlanMountKind;
use crate::policy::{Plan, Policy, Timeout};
use crate::units::Bytes;

/// Plans and launches nothing.
pub async fn plan(context: &Context, backend: &Backend, order: &Order) -> Done {
    let plan = backend.plan(order).await?;
    if context.output.is_json() {
        context.output.document(&plan);
    } else {
        context.output.text(&text(&plan, context.output.colours().stdout));
    }
    Ok(0)
}

fn text(plan: &Plan, colour: bool) -> String {
    let create = &plan.create;
    let mut grid = Grid::new(&[], colour);
    let mut field = |name: &str, value: String| {
        if !value.is_empty() {
            grid.row([cell(name), cell(value)]);
        }
    };
    field("kind", plan.kind.to_string());
    field("image", format!("{} {}", plan.image.reference, plan.image.id).trim_end().to_owned());
    field("command", create.entrypoint.join(" "));
    field("user", create.user.clone());
    field("working dir", create.working_dir.clone());
    field("environment", create.env.join(" "));
    let mut text = grid.render();
    let _ = write!(text, "\n{}\n{}", paint(colour, Role::Heading, "policy"), policy(&plan.policy, colour));
    if !create.mounts.is_empty() {
        let mut grid = Grid::new(&["MOUNT", "KIND", "FROM", "ACCESS"], colour);
        for mount in &create.mounts {
            let kind = match mount.kind {
                PlanMountKind::Volume => "volume",
                PlanMountKind::Bind => "bind",
            };
            let from = if mount.source.is_empty() { "its own, removed with it" } else { &mount.source };
            grid.row([cell(&mount.target), cell(kind), cell(from), cell(if mount.read_only { "read-only" } else { "read-write" })]);
        }
        let _ = write!(text, "\n{}", grid.render());
    }
    text
}

/// What a policy decides, with the floor that it cannot lower.
pub fn policy(policy: &Policy, colour: bool) -> String {
    let mut grid = Grid::new(&[], colour);
    let mut field = |name: &str, value: String| grid.row([cell(name), cell(value)]);
    let added: Vec<_> = policy.cap_add.iter().map(ToString::to_string).collect();
    field("profile", policy.profile.clone());
    field("image", policy.image.clone());
    field("cap_drop", "ALL".to_owned());
    field("cap_add", if added.is_empty() { "none".to_owned() } else { added.join(" ") });
    field("no_new_privileges", "true".to_owned());
    field("init", "true".to_owned());
    field("seccomp", policy.seccomp.to_string());
    field("pids_limit", policy.pids_limit.get().to_string());
    field("memory", format!("{}, no swap", policy.memory));
    field("cpus", policy.cpus.to_string());
    field("cpuset", if policy.cpuset.is_empty() { "all".to_owned() } else { policy.cpuset.clone() });
    field("nofile", policy.nofile.to_string());
    field("read_only_rootfs", policy.read_only_rootfs.to_string());
    field("tmpfs", sizes(&[("/tmp", policy.tmp_size), ("/run", policy.run_size), ("/dev/shm", policy.shm_size)]));
    field("network", policy.network.to_string());
    field("log", format!("{} files of {}", policy.log.max_file, policy.log.max_size));
    field(
        "timeout",
        match policy.timeout {
            Timeout::Never => "none".to_owned(),
            Timeout::After(seconds) => seconds.to_string(),
        },
    );
    field("stop_grace", policy.stop_grace.to_string());
    field("workspace", if policy.workspace_read_only { "read-only" } else { "as asked" }.to_owned());
    for (key, value) in &policy.env {
        field("env", format!("{key}={value}"));
    }
    grid.render()
}

fn sizes(all: &[(&str, Bytes)]) -> String {
    all.iter().map(|(path, size)| format!("{path} {size}")).collect::<Vec<_>>().join(", ")
}
