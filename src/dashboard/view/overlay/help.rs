//! The help.

use ratatui::layout::Rect;

use super::super::canvas::Canvas;
use crate::dashboard::app::State;
use crate::dashboard::app::action::Action;
use crate::dashboard::app::page::help;
use crate::dashboard::theme::Role;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect, scroll: usize) {
    let title = format!("Help: {} closes", state.keymap.shown(Action::Back));
    let inside = canvas.frame(area, &title, Role::BorderFocused);
    let columns = help::columns(&state.keymap, inside.width);
    let wide = inside.width / u16::try_from(columns.len()).unwrap_or(1);
    for (lines, x) in columns.iter().zip((inside.x..).step_by(usize::from(wide.max(1)))) {
        canvas.page(Rect { x, width: wide, ..inside }, lines, scroll);
    }
}
