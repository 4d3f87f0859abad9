//! `diff`: what a session changed against its image.

use serde::Serialize;

use super::document::Document;
use super::table::{Grid, cell};
use super::{Context, Done};
use crate::backend::Backend;
use crate::session::{ChangeKind, FileChanges, Session};

/// `diff`.
#[derive(Debug, Serialize)]
pub struct Changes {
    /// The session.
    pub session: Session,
    /// What it changed.
    #[serde(flatten)]
    pub changes: FileChanges,
}

/// Shows it.
pub async fn diff(context: &Context, backend: &Backend, who: &str) -> Done {
    let session = backend.find(who).await?;
    let changes = backend.changes(&session.container_id).await?;
    if context.output.is_json() {
        context.output.document(&Document::new(Changes { session, changes }));
        return Ok(0);
    }
    if context.output.is_quiet() {
        context.output.lines(changes.files.iter().map(|change| &change.path));
    } else if changes.files.is_empty() {
        context.output.note(&format!("'{}' has changed nothing", session.name));
    } else {
        let mut grid = Grid::new(&["CHANGE", "PATH"], context.output.page()).whole(&[0]);
        for change in &changes.files {
            grid.row([cell(word(change.kind)), cell(change.path.raw())]);
        }
        context.output.text(&grid.render());
    }
    if changes.cut {
        context.output.note(&format!("there are more; these are the first {}", changes.files.len()));
    }
    Ok(0)
}

const fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Added => "added",
        ChangeKind::Changed => "changed",
        ChangeKind::Deleted => "deleted",
    }
}
