//! `df` and `prune`: what everything of palisade's takes on the engine's disk, and the removal of what nobody needs.

use std::io::{BufRead, Write};

use serde::Serialize;

use super::document::Document;
use super::table::{Fields, Grid, cell};
use super::{Context, Done};
use crate::backend::Backend;
use crate::backend::disk::{Superfluous, Taken, What, size_in_words};
use crate::failure::{Code, Failure};
use crate::units::{Bytes, sanitise};

/// `prune`.
#[derive(Debug, Serialize)]
pub struct Pruning {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// What was removed, or would be.
    pub pruned: Vec<Superfluous>,
}

/// How to prune.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// Only say what would be removed.
    pub dry_run: bool,
    /// Do not ask.
    pub force: bool,
    /// Whether there is somebody to ask.
    pub can_ask: bool,
}

/// Shows what is taken.
pub async fn df(context: &Context, backend: &Backend) -> Done {
    let taken = backend.taken().await?;
    if context.output.is_json() {
        context.output.document(&Document::new(taken));
        return Ok(0);
    }
    let Taken { sessions, other_volumes, depot, images, reclaimable, unknown } = taken;
    let page = context.output.page();
    if !sessions.is_empty() {
        let mut grid = Grid::new(&["SESSION", "VOLUMES", "LAYER", "WARNED ABOVE", "STOPPED ABOVE"], page).whole(&[1, 2, 3, 4]);
        for session in &sessions {
            let cap = |cap: u64| if cap == 0 { "never".to_owned() } else { Bytes::new(cap).to_string() };
            grid.row([
                cell(sanitise(session.name.raw())),
                cell(size_in_words(session.volumes)),
                cell(size_in_words(session.layer)),
                cell(cap(session.soft)),
                cell(cap(session.hard)),
            ]);
        }
        context.output.text(&format!("{}\n", grid.render()));
    }
    let mut fields = Fields::new(page);
    fields.add("other volumes", size_in_words(other_volumes));
    fields.add("depot", size_in_words(depot));
    fields.add("images", size_in_words(Some(images)));
    fields.add("reclaimable", format!("{} by 'palisade prune'", size_in_words(Some(reclaimable))));
    if let Some(why) = unknown {
        fields.add("unknown", format!("why some sizes are not known: {why}"));
    }
    context.output.text(&fields.render());
    Ok(0)
}

/// Removes what nobody needs, once that is agreed to.
pub async fn prune(context: &Context, backend: &Backend, manner: Manner) -> Done {
    let found = backend.superfluous(true).await?;
    if manner.dry_run || found.is_empty() {
        show(context, manner.dry_run, found);
        return Ok(0);
    }
    if !manner.force {
        if !manner.can_ask || context.output.is_json() {
            return Err(Failure::new(Code::Usage, format!("{} would be removed for good", things(found.len())))
                .hint("look with: palisade prune --dry-run; do it with: palisade prune --force")
                .into());
        }
        for one in &found {
            context.output.complain(&format!("{}\n", line(one, "would be removed")));
        }
        if !agreed(&format!("remove {} for good? [y/N] ", things(found.len())))? {
            context.output.note("nothing was removed");
            return Ok(1);
        }
    }
    show(context, manner.dry_run, backend.prune(found).await?);
    Ok(0)
}

fn show(context: &Context, dry_run: bool, pruned: Vec<Superfluous>) {
    if context.output.is_json() {
        context.output.document(&Document::new(Pruning { dry_run, pruned }));
        return;
    }
    if pruned.is_empty() {
        context.output.note("there is nothing that nobody needs");
    }
    for one in &pruned {
        let done = match &one.kept {
            Some(why) => format!("kept ({})", sanitise(why.raw())),
            None if dry_run => "would be removed".to_owned(),
            None => "removed".to_owned(),
        };
        context.output.text(&format!("{}\n", line(one, &done)));
    }
}

fn line(one: &Superfluous, done: &str) -> String {
    let what = match one.what {
        What::Session => "session",
        What::Container => "container",
        What::Volume => "volume",
        What::Image => "image",
    };
    let size = one.bytes.map_or_else(String::new, |bytes| format!(", {}", Bytes::new(bytes)));
    format!("{what} {}{size} {done}: {}", sanitise(one.name.raw()), one.why)
}

fn things(count: usize) -> String {
    if count == 1 { "one thing".to_owned() } else { format!("{count} things") }
}

fn agreed(question: &str) -> Result<bool, Failure> {
    let failed = |error: std::io::Error| Failure::io("ask", &error);
    let mut to = std::io::stderr();
    to.write_all(question.as_bytes()).and_then(|()| to.flush()).map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
