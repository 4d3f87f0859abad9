//! What happened to the session, newest first.

use ratatui::layout::Rect;

use super::super::canvas::{Canvas, first_line};
use crate::dashboard::app::State;
use crate::dashboard::app::page::words::weight_role;
use crate::dashboard::app::row::Row;
use crate::dashboard::theme::Role;
use crate::units::brief_age;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, row: &Row, body: Rect) {
    let all = &row.happenings;
    if all.is_empty() {
        canvas.put(body.x + 1, body.y, body.width.saturating_sub(1), "nothing has happened to it since this dashboard began", Role::Muted);
        return;
    }
    let from = first_line(all.len(), body, state.detail.scroll);
    for (happening, y) in all.iter().rev().skip(from).zip(body.top()..body.bottom()) {
        let pieces = [
            (format!("{:>5}  ", brief_age(canvas.now, happening.at)), Role::Muted),
            (format!("{} ", happening.at.strftime("%H:%M:%S")), Role::Muted),
            (format!("{} ", canvas.signs.weight(happening.weight)), weight_role(happening.weight)),
            (happening.text.raw().to_owned(), weight_role(happening.weight)),
        ];
        canvas.line(body.x + 1, y, body.width.saturating_sub(2), &pieces);
    }
    canvas.more(body, from, all.len());
}
