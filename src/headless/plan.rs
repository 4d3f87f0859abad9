//! `plan`: what a launch would ask for.

use std::fmt::Write;

use super::paint::{Role, paint};
use super::table::{Fields, Grid, Page, cell};
use super::{Context, Done};
use crate::backend::{Backend, Order};
use crate::policy::plan::PlanMountKind;
use crate::policy::{Plan, Policy, Timeout};
use crate::units::{Bytes, Seconds};

/// Plans and launches nothing.
pub async fn plan(context: &Context, backend: &Backend, order: &Order) -> Done {
    let plan = backend.plan(order).await?;
    if context.output.is_json() {
        context.output.document(&plan);
    } else {
        context.output.text(&text(&plan, context.output.page()));
    }
    Ok(0)
}

fn text(plan: &Plan, page: Page) -> String {
    let create = &plan.create;
    let mut fields = Fields::new(page);
    fields.add("kind", plan.kind.to_string());
    fields.add("image", &plan.image.reference);
    fields.add("image id", if plan.image.id.is_empty() { "not there yet" } else { &plan.image.id });
    fields.add("command", create.entrypoint.join(" "));
    fields.add("user", &create.user);
    fields.add("working dir", &create.working_dir);
    fields.add("environment", create.env.join(" "));
    let mut text = fields.render();
    let _ = write!(text, "\n{}\n{}", paint(page.colour, Role::Heading, "policy"), policy(&plan.policy, page));
    if !create.mounts.is_empty() {
        let mut grid = Grid::new(&["MOUNT", "KIND", "FROM", "ACCESS"], page).whole(&[1, 3]);
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
pub fn policy(policy: &Policy, page: Page) -> String {
    let mut fields = Fields::new(page);
    let added: Vec<_> = policy.cap_add.iter().map(ToString::to_string).collect();
    fields.add("profile", &policy.profile);
    fields.add("image", &policy.image);
    fields.add("cap_drop", "ALL");
    fields.add("cap_add", if added.is_empty() { "none".to_owned() } else { added.join(" ") });
    fields.add("no_new_privileges", "true");
    fields.add("init", "true");
    fields.add("seccomp", policy.seccomp.to_string());
    fields.add("pids_limit", policy.pids_limit.get().to_string());
    fields.add("memory", format!("{}, no swap", policy.memory));
    fields.add("cpus", policy.cpus.to_string());
    fields.add("cpuset", if policy.cpuset.is_empty() { "all".to_owned() } else { policy.cpuset.clone() });
    fields.add("nofile", policy.nofile.to_string());
    fields.add("read_only_rootfs", policy.read_only_rootfs.to_string());
    fields.add("tmpfs", sizes(&[("/tmp", policy.tmp_size), ("/run", policy.run_size), ("/dev/shm", policy.shm_size)]));
    fields.add("network", policy.network.to_string());
    fields.add("min_age", if policy.min_age.get() == 0 { "none".to_owned() } else { policy.min_age.to_string() });
    for name in &policy.min_age_allow {
        fields.add("min_age_allow", name);
    }
    fields.add("log", format!("{} files of {}", policy.log.max_file, policy.log.max_size));
    fields.add(
        "timeout",
        match policy.timeout {
            Timeout::Never => "none".to_owned(),
            Timeout::After(seconds) => seconds.to_string(),
        },
    );
    let or_none = |span: Seconds| if span == Seconds::new(0) { "none".to_owned() } else { span.to_string() };
    fields.add("ttl", or_none(policy.ttl));
    fields.add("idle", or_none(policy.idle));
    let cap = |cap: Bytes, what: &str| if cap.get() == 0 { format!("never {what}") } else { format!("{what} above {cap}") };
    fields.add("disk", format!("{}, {}", cap(policy.disk.soft, "warned of"), cap(policy.disk.hard, "stopped")));
    fields.add("stop_grace", policy.stop_grace.to_string());
    fields.add("workspace", if policy.workspace_read_only { "read-only" } else { "as asked" });
    let allowed = |is_allowed, what| if is_allowed { what } else { "" };
    let may = [allowed(policy.terminal.title, "title"), allowed(policy.terminal.clipboard, "clipboard")];
    let may: Vec<_> = may.into_iter().filter(|what| !what.is_empty()).collect();
    let idle = match policy.terminal.idle.get() {
        0 => "a shell stays however long nobody uses it".to_owned(),
        _ => format!("a shell ends when nobody has used it for {}", policy.terminal.idle),
    };
    fields.add("terminal", if may.is_empty() { idle } else { format!("{idle}; may set: {}", may.join(", ")) });
    for (key, value) in &policy.env {
        fields.add("env", format!("{key}={value}"));
    }
    fields.render()
}

fn sizes(all: &[(&str, Bytes)]) -> String {
    all.iter().map(|(path, size)| format!("{path} {size}")).collect::<Vec<_>>().join(", ")
}
