//! `inspect`: everything about one session.

use super::age::age;
use super::document::{Document, Inspected};
use super::paint::{Role, paint};
use super::posture_table;
use super::table::{Grid, cell};
use super::{Context, Done};
use crate::backend::{Backend, Details};
use crate::units::Untrusted;

/// Shows it.
pub async fn inspect(context: &Context, backend: &Backend, who: &str) -> Done {
    let Details { session, container, posture } = backend.details(who).await?;
    if context.output.is_json() {
        context.output.document(&Document::new(Inspected { session, container, posture }));
        return Ok(0);
    }
    let colour = context.output.colours().stdout;
    let mut grid = Grid::new(&[], colour);
    let mut field = |name: &str, value: String| {
        if !value.is_empty() {
            grid.row([cell(name), cell(value)]);
        }
    };
    field("name", session.name.to_string());
    field("id", session.id.to_string());
    field("kind", session.kind.to_string());
    field("profile", session.profile.raw().to_owned());
    field("status", session.status_text.raw().to_owned());
    field("created", format!("{} ({})", session.created, age(context.now, session.created)));
    field("started", container.started.map_or_else(String::new, |time| format!("{time} ({})", age(context.now, time))));
    if let Some(exit) = &container.exit {
        let why = if exit.oom_killed { ", out of memory" } else { "" };
        field("exit", format!("{}{why} {}", exit.code, exit.error.raw()).trim_end().to_owned());
    }
    field("image", format!("{} ({})", container.image.raw(), container.image_id));
    field("command", container.command.iter().map(Untrusted::raw).collect::<Vec<_>>().join(" "));
    field("working dir", container.working_dir.raw().to_owned());
    field("user", container.user.raw().to_owned());
    field("container", session.container_id.clone());
    field("runtime", container.runtime.clone());
    field("pid", container.pid.map_or_else(String::new, |pid| pid.to_string()));
    context.output.text(&grid.render());

    if !container.mounts.is_empty() {
        let mut grid = Grid::new(&["MOUNT", "KIND", "FROM", "ACCESS"], colour);
        for mount in &container.mounts {
            let from = if mount.name.is_empty() { mount.source.raw() } else { &mount.name };
            let access = if mount.read_write { "read-write" } else { "read-only" };
            grid.row([cell(mount.destination.raw()), cell(&mount.kind), cell(from), cell(access)]);
        }
        context.output.text(&format!("\n{}", grid.render()));
    }
    context.output.text(&format!("\n{}: {}\n", paint(colour, Role::Heading, "posture"), posture_table::sentence(&posture)));
    context.output.text(&posture_table::table(&posture, colour, true));
    Ok(0)
}
