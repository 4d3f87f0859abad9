//! What the session changed against its image.

use ratatui::layout::Rect;

use super::super::canvas::Canvas;
use crate::dashboard::app::State;
use crate::dashboard::theme::Role;
use crate::session::ChangeKind;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, body: Rect) {
    let Some((changes, mut below)) = super::fetched(canvas, &state.detail.files, body, "what it changed") else { return };
    let width = below.width.saturating_sub(2);
    let count = |kind| changes.files.iter().filter(|file| file.kind == kind).count();
    let cut = if changes.cut { "; there are more than are kept here" } else { "" };
    let words = format!(
        "{} added, {} changed, {} deleted against the image{cut}",
        count(ChangeKind::Added),
        count(ChangeKind::Changed),
        count(ChangeKind::Deleted)
    );
    canvas.put(below.x + 1, below.y, width, &words, if changes.cut { Role::Warning } else { Role::Muted });
    below.y += 1;
    below.height = below.height.saturating_sub(1);
    let from = super::top(changes.files.len(), below, state.detail.scroll);
    for (file, y) in changes.files.iter().skip(from).zip(below.top()..below.bottom()) {
        let (sign, word, role) = match file.kind {
            ChangeKind::Added => ("+", "added", Role::Good),
            ChangeKind::Changed => ("~", "changed", Role::Warning),
            ChangeKind::Deleted => ("-", "deleted", Role::Danger),
        };
        let pieces = [(format!("{sign} {word:<8} "), role), (file.path.raw().to_owned(), Role::Text)];
        canvas.line(below.x + 1, y, width, &pieces);
    }
    super::more(canvas, below, from, changes.files.len());
}
