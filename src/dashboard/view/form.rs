//! The launch form.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::dashboard::app::State;
use crate::dashboard::app::form::Form;
use crate::dashboard::theme::Role;

/// Draws it, and tells where the cursor stands.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, _state: &State, _form: &Form) -> Option<(u16, u16)> {
    canvas.frame(area, "Launch a sandbox", Role::BorderFocused);
    None
}
