//! A question before something is lost.

use ratatui::layout::Rect;

use super::super::canvas::Canvas;
use super::super::status::field;
use crate::dashboard::app::ask::Confirm;
use crate::dashboard::theme::Role;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, area: Rect, confirm: &Confirm) -> Option<(u16, u16)> {
    let inside = canvas.frame(area, &confirm.question, Role::Danger);
    let (x, width) = (inside.x + 1, inside.width.saturating_sub(2));
    // The last two lines are for the answer, whatever is to be lost.
    let last = inside.bottom().saturating_sub(2).max(inside.y);
    let room = usize::from(last - inside.y);
    for (at, y) in (0..confirm.lines.len()).zip(inside.top()..last) {
        let left = confirm.lines.len() - at;
        if at + 1 == room && left > 1 {
            canvas.put(x, y, width, &format!("and {left} more"), Role::Muted);
        } else {
            canvas.put(x, y, width, &confirm.lines[at], Role::Text);
        }
    }
    if inside.height < 2 {
        return None;
    }
    let Some(expected) = &confirm.expected else {
        let key = |key: &str| (key.to_owned(), Role::Key);
        let word = |word: &str| (word.to_owned(), Role::Text);
        canvas.line(
            x,
            last + 1,
            width,
            &[key("y"), word(" or "), key("enter"), word(" does it, "), key("n"), word(" or "), key("esc"), word(" does not")],
        );
        return None;
    };
    let matches = confirm.input.text() == expected;
    let words = if matches { "enter does it, esc does not".to_owned() } else { format!("type {expected} to do it, esc does not") };
    canvas.put(x, last, width, &words, if matches { Role::Danger } else { Role::Text });
    Some(field(canvas, Rect { x, y: last + 1, width, height: 1 }, &confirm.input))
}
