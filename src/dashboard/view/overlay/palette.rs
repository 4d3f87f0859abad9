//! Every action, by name.

use ratatui::layout::Rect;

use super::super::canvas::Canvas;
use super::super::status::field;
use crate::dashboard::app::State;
use crate::dashboard::app::overlay::Palette;
use crate::dashboard::theme::Role;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect, palette: &Palette) -> Option<(u16, u16)> {
    let inside = canvas.frame(area, "Actions", Role::BorderFocused);
    if inside.height == 0 {
        return None;
    }
    let cursor = field(canvas, Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), height: 1, ..inside }, &palette.input);
    let below = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
    let matches = palette.matches();
    if matches.is_empty() {
        canvas.put(below.x + 1, below.y, below.width.saturating_sub(1), "no action is called like that", Role::Warning);
    }
    let selected = palette.selected;
    let from = palette.first(usize::from(below.height));
    for ((at, action), y) in matches.iter().enumerate().skip(from).zip(below.top()..below.bottom()) {
        let keys = state.keymap.listed(*action);
        let name = action.name().replace('_', " ");
        let line = [(format!(" {name:<18} "), Role::Strong), (format!("{keys:<14} "), Role::Key), (action.help().to_owned(), Role::Muted)];
        canvas.line(below.x, y, below.width, &line);
        if at == selected {
            canvas.put(below.x, y, 1, canvas.signs.cursor, Role::Title);
            canvas.paint(Rect { y, height: 1, ..below }, Role::Selected);
        }
    }
    Some(cursor)
}
