//! The help, made from the keymap.

use ratatui::layout::Rect;

use super::super::canvas::{Canvas, Piece};
use crate::dashboard::app::State;
use crate::dashboard::app::action::Action;
use crate::dashboard::theme::Role;

/// Columns from which on the help stands in two.
const TWO: u16 = 100;
/// Columns of the keys.
const KEYS: usize = 14;

/// Draws it.
pub fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect, scroll: usize) {
    let title = format!("Help: {} closes", state.keymap.shown(Action::Back));
    let inside = canvas.frame(area, &title, Role::BorderFocused);
    let blocks: Vec<Vec<Vec<Piece>>> = state
        .keymap
        .help()
        .into_iter()
        .map(|(topic, lines)| {
            let head = vec![(topic.title().to_owned(), Role::Title)];
            let line = |(keys, action): (String, Action)| {
                let keys = if keys.is_empty() { "-".to_owned() } else { keys };
                vec![(format!("  {keys:<KEYS$} "), Role::Key), (action.help().to_owned(), Role::Text)]
            };
            std::iter::once(head).chain(lines.into_iter().map(line)).chain([Vec::new()]).collect()
        })
        .collect();
    if inside.width < TWO {
        super::lines(canvas, inside, &blocks.concat(), scroll);
        return;
    }
    // The topics stand in the order of the help, the first half of the lines at the left.
    let all: usize = blocks.iter().map(Vec::len).sum();
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for block in blocks {
        if right.is_empty() && left.len() * 2 < all { left.extend(block) } else { right.extend(block) }
    }
    let half = inside.width / 2;
    let highest = left.len().max(right.len());
    left.resize(highest, Vec::new());
    right.resize(highest, Vec::new());
    super::lines(canvas, Rect { width: half, ..inside }, &left, scroll);
    super::lines(canvas, Rect { x: inside.x + half, width: inside.width - half, ..inside }, &right, scroll);
}
