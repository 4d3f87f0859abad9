//! What stands over the panes.

mod ask;
mod confirm;
mod help;
mod notices;
mod palette;

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::dashboard::app::State;
use crate::dashboard::app::overlay::Overlay;

/// Draws it, and tells where the cursor stands.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, overlay: &Overlay, area: Rect) -> Option<(u16, u16)> {
    match overlay {
        Overlay::Help(scroll) => help::draw(canvas, state, area, *scroll),
        Overlay::Notices(scroll) => notices::draw(canvas, state, area, *scroll),
        Overlay::Palette(palette) => return palette::draw(canvas, state, area, palette),
        Overlay::Ask(ask) => return ask::draw(canvas, area, ask),
        Overlay::Confirm(confirm) => return confirm::draw(canvas, area, confirm),
        // Drawn by its own hand, on the frame.
        Overlay::Form(_) => {}
    }
    None
}
