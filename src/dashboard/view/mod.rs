//! What the state looks like. Pure: reads the state, writes cells, and formats nothing that is not on the screen.
//!
//! Every text goes by `canvas::Canvas`, which filters it: nothing that came from a sandbox, an image or another user
//! acts on the terminal or moves a column.

mod canvas;
mod detail;
mod form;
mod overlay;
mod sessions;
mod status;
mod terminal;
mod totals;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::app::State;
use super::app::layout::Layout;
use super::app::overlay::Overlay;
use super::theme::Role;
use canvas::Canvas;

/// Draws the whole screen.
pub fn draw(state: &State, frame: &mut Frame<'_>) {
    let area = frame.area();
    let layout = Layout::of(state);
    let mut canvas = Canvas::new(frame.buffer_mut(), &state.theme, state.ascii, state.now);
    canvas.paint(area, Role::Text);
    let all = Rect::new(0, 0, state.size.0, state.size.1);
    let covers_all = layout.overlay.is_some_and(|over| over == all);
    let covered = layout.terminal.as_ref().is_some_and(|place| place.title.union(place.screen) == all);
    if !covers_all && !covered {
        totals::draw(&mut canvas, state, layout.totals);
        sessions::draw(&mut canvas, state, &layout);
        detail::draw(&mut canvas, state, &layout);
        status::draw(&mut canvas, state, &layout);
    }
    let typed = match &layout.terminal {
        Some(place) if !covers_all => terminal::draw(&mut canvas, state, place),
        _ => None,
    };
    let cursor = match (&state.overlay, layout.overlay) {
        (Some(Overlay::Form(form)), Some(over)) => {
            form::draw(frame, over, state, form);
            return;
        }
        (Some(overlay), Some(over)) => overlay::draw(&mut canvas, state, overlay, over),
        _ => typed,
    };
    if let Some(cursor) = cursor.filter(|(x, y)| area.contains((*x, *y).into())) {
        frame.set_cursor_position(cursor);
    }
}

#[cfg(test)]
mod tests;
