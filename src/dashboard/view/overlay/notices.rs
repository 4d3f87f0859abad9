//! What was told, newest first.

use ratatui::layout::Rect;

use super::super::canvas::{Canvas, Piece};
use super::super::status::weight_role;
use super::super::text;
use crate::dashboard::app::State;
use crate::dashboard::app::action::Action;
use crate::dashboard::app::notice::Notice;
use crate::dashboard::theme::Role;
use crate::units::age;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect, scroll: usize) {
    let title = format!("Notices, newest first: {} closes", state.keymap.shown(Action::Back));
    let inside = canvas.frame(area, &title, Role::BorderFocused);
    if state.notices.all.is_empty() {
        canvas.put(inside.x + 1, inside.y, inside.width.saturating_sub(1), "nothing was told yet", Role::Muted);
        return;
    }
    let width = usize::from(inside.width.saturating_sub(4)).max(10);
    // Each has a line at least: no more of them are worked out than could be reached.
    let most = scroll.saturating_add(usize::from(inside.height)).saturating_add(1);
    let mut page: Vec<Vec<Piece>> = Vec::new();
    for notice in &state.notices.all {
        page.extend(one(canvas, notice, width));
        if page.len() > most {
            break;
        }
    }
    super::lines(canvas, inside, &page, scroll);
}

fn one(canvas: &Canvas<'_>, notice: &Notice, width: usize) -> Vec<Vec<Piece>> {
    let role = weight_role(notice.weight);
    let mut lines = vec![vec![
        (format!("{} ", canvas.signs.weight(notice.weight)), role),
        (format!("{} ", notice.at.strftime("%H:%M:%S")), Role::Muted),
        (age(canvas.now, notice.at), Role::Muted),
    ]];
    let mut add = |words: &str, role| lines.extend(text::wrap(words, width).into_iter().map(|line| vec![(format!("  {line}"), role)]));
    add(&notice.text, role);
    for detail in &notice.details {
        add(detail, Role::Text);
    }
    if let Some(hint) = &notice.hint {
        add(&format!("hint: {hint}"), Role::Info);
    }
    lines
}
