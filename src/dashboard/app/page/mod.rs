//! What a page says, line by line, each piece with its meaning: for drawing it, and for knowing where it ends.

pub mod hardening;
pub mod help;
pub mod notices;
pub mod overview;
pub mod words;

use crate::dashboard::text;
use crate::dashboard::theme::Role;

/// A piece of a line with its meaning. Not yet filtered: what draws it does that.
pub type Piece = (String, Role);

/// A line.
pub type Line = Vec<Piece>;

/// A text in a column of exactly so many.
pub fn column(words: &str, columns: usize, ellipsis: &str) -> String {
    let shown = text::fit(words, columns, ellipsis);
    let missing = columns.saturating_sub(text::width(&shown));
    shown + &" ".repeat(missing)
}
