//! Rows as they are compared: what looks the same is the same, and every wide character has both its cells.

use crate::terminal::{Cell, Look, Screen};

/// A cell with nothing in it.
pub(super) fn blank() -> Cell {
    Cell { c: ' ', mark: None, width: 1, look: Look::default() }
}

pub(super) fn blank_row(columns: u16) -> Vec<Cell> {
    vec![blank(); columns.into()]
}

/// So many columns of a screen's line.
pub(super) fn row_of(screen: &Screen, line: i32, columns: u16) -> Vec<Cell> {
    let columns = usize::from(columns);
    let mut row: Vec<Cell> = screen.line(line).take(columns).map(seen).collect();
    row.resize(columns, blank());
    for at in 0..columns {
        let covers = row.get(at + 1).is_some_and(|next| next.width == 0);
        match row[at].width {
            // Half a character, where a program wrote over the other half or the terminal ends.
            2 if !covers => row[at] = Cell { c: '?', mark: None, width: 1, ..row[at] },
            2 => row[at + 1].look = row[at].look,
            0 if at == 0 || row[at - 1].width != 2 => row[at] = seen(Cell { c: ' ', width: 1, ..row[at] }),
            _ => {}
        }
    }
    row
}

/// Of a blank only what is behind it is seen.
fn seen(cell: Cell) -> Cell {
    let look = cell.look;
    if cell.c != ' ' || cell.width != 1 || look.inverse || look.underline || look.strikeout {
        return cell;
    }
    Cell { look: Look { background: look.background, ..Look::default() }, ..cell }
}

/// Up to the last cell that is more than an empty one.
pub(super) fn content(row: &[Cell]) -> usize {
    let empty = blank();
    row.iter().rposition(|cell| *cell != empty).map_or(0, |last| last + 1)
}

/// Whether every terminal takes the cell for as wide as we do: letters of Europe, lines and blocks.
pub(super) const fn is_agreed(cell: &Cell) -> bool {
    cell.width == 1
        && cell.mark.is_none()
        && matches!(cell.c, '\0'..='\u{2ff}' | '\u{370}'..='\u{482}' | '\u{48a}'..='\u{52f}' | '\u{2500}'..='\u{259f}')
}
