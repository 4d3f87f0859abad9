//! What the session changed against its image.

use ratatui::layout::Rect;

use super::super::canvas::{Canvas, first_line};
use crate::dashboard::app::State;
use crate::dashboard::theme::Role;
use crate::session::{ChangeKind, FileChanges};

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, note: Rect, body: Rect) {
    let width = body.width.saturating_sub(2);
    let files = &state.detail.files;
    if let Some((changes, _)) = files.last() {
        head(canvas, changes, note);
    }
    let Some(changes) = super::fetched(canvas, files, note, body, "what it changed") else { return };
    let from = first_line(changes.files.len(), body, state.detail.scroll);
    for (file, y) in changes.files.iter().skip(from).zip(body.top()..body.bottom()) {
        let (sign, word, role) = match file.kind {
            ChangeKind::Added => ("+", "added", Role::Good),
            ChangeKind::Changed => ("~", "changed", Role::Warning),
            ChangeKind::Deleted => ("-", "deleted", Role::Danger),
        };
        let pieces = [(format!("{sign} {word:<8} "), role), (file.path.raw().to_owned(), Role::Text)];
        canvas.line(body.x + 1, y, width, &pieces);
    }
    canvas.more(body, from, changes.files.len());
}

/// How many of each.
fn head(canvas: &mut Canvas<'_>, changes: &FileChanges, note: Rect) {
    if note.height == 0 {
        return;
    }
    let count = |kind| changes.files.iter().filter(|file| file.kind == kind).count();
    let cut = if changes.cut { "; there are more than are kept here" } else { "" };
    let words = format!(
        "{} added, {} changed, {} deleted against the image{cut}",
        count(ChangeKind::Added),
        count(ChangeKind::Changed),
        count(ChangeKind::Deleted)
    );
    let role = if changes.cut { Role::Warning } else { Role::Muted };
    canvas.put(note.x + 1, note.y, note.width.saturating_sub(2), &words, role);
}
