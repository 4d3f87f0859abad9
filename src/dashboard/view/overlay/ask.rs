//! A line that is asked for.

use ratatui::layout::Rect;

use super::super::canvas::Canvas;
use super::super::status::field;
use crate::dashboard::app::ask::{Ask, Wanted};
use crate::dashboard::theme::Role;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, ask: &Ask) -> Option<(u16, u16)> {
    let (title, note) = words(&ask.wanted);
    let inside = canvas.frame(area, &title, Role::BorderFocused);
    if inside.height == 0 {
        return None;
    }
    let (x, width) = (inside.x + 1, inside.width.saturating_sub(2));
    let cursor = field(canvas, Rect { x, width, y: inside.y, height: 1 }, &ask.input);
    let below = Rect { x, width, y: inside.y + 1, height: inside.height - 1 };
    if below.height > 0 {
        match &ask.error {
            Some(error) => canvas.wrapped(below, &format!("{} {error}", canvas.signs.bad), Role::Error),
            None => canvas.wrapped(below, note, Role::Muted),
        }
    }
    Some(cursor)
}

/// The title, and what may be typed.
fn words(wanted: &Wanted) -> (String, &'static str) {
    match wanted {
        Wanted::Name(target) => (format!("Another name for {}", target.name), "enter takes it, esc leaves it as it is"),
        Wanted::Command(target) => {
            (format!("Run in {}", target.name), "a command and its arguments, with quotes as a shell has them; enter runs it")
        }
        Wanted::Packages => (
            "Fetch packages into the depot".to_owned(),
            "pypi:NAME or npm:NAME, with ==VERSION or @VERSION, several with spaces; enter fetches them",
        ),
        Wanted::Keep => {
            ("Prune the depot's store".to_owned(), "how much it may keep, such as 10GiB: what was used least recently goes first")
        }
    }
}
