//! `reap`: what ended without being ended.

use serde::Serialize;

use super::document::Document;
use super::{Context, Done};
use crate::backend::{Backend, Reaped};
use crate::units::sanitise;

/// `reap`.
#[derive(Debug, Serialize)]
pub struct Reaping {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// What was ended or removed, or would be.
    pub reaped: Vec<Reaped>,
}

/// Does it and says what was done, or would be.
pub async fn reap(context: &Context, backend: &Backend, dry_run: bool) -> Done {
    let reaped = backend.reap(dry_run).await?;
    if context.output.is_json() {
        context.output.document(&Document::new(Reaping { dry_run, reaped }));
        return Ok(0);
    }
    if reaped.is_empty() {
        context.output.note("nothing is to be reaped");
    }
    for Reaped { name, done, why } in &reaped {
        let done = if dry_run { format!("would be {done}") } else { (*done).to_owned() };
        context.output.text(&format!("{} {done}: {why}\n", sanitise(name)));
    }
    Ok(0)
}
