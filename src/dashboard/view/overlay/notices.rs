//! What was told, newest first.

use ratatui::layout::Rect;

use super::super::canvas::Canvas;
use crate::dashboard::app::State;
use crate::dashboard::app::action::Action;
use crate::dashboard::app::page::notices;
use crate::dashboard::theme::Role;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect, scroll: usize) {
    let title = format!("Notices, newest first: {} closes", state.keymap.shown(Action::Back));
    let inside = canvas.frame(area, &title, Role::BorderFocused);
    canvas.page(inside, &notices::lines(state, inside.width), scroll);
}
