//! A wide character and the cell that it covers come and go together: where the emulator lets one go alone, the other is blank, as in
//! every terminal that draws it.

use alacritty_terminal::Term;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell as Raw, Flags};

use super::beside::Ear;

/// Blanks the halves in a line that have lost the other.
pub(super) fn mend(term: &mut Term<Ear>, line: Line) {
    let columns = term.grid()[line].len();
    for at in 0..columns {
        let row = &term.grid()[line];
        let is = |at: usize, flag| at < columns && row[Column(at)].flags.contains(flag);
        let is_cut = (is(at, Flags::WIDE_CHAR) && !is(at + 1, Flags::WIDE_CHAR_SPACER))
            || (is(at, Flags::WIDE_CHAR_SPACER) && (at == 0 || !is(at - 1, Flags::WIDE_CHAR)));
        if is_cut {
            let cell = &mut term.grid_mut()[line][Column(at)];
            let flags = cell.flags.difference(Flags::WIDE_CHAR | Flags::WIDE_CHAR_SPACER);
            *cell = Raw { fg: cell.fg, bg: cell.bg, flags, ..Raw::default() };
        }
    }
}
