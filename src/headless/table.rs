use comfy_table::{Attribute, Cell, Color, Table, presets};

use super::paint::Role;

/// A table without borders, columns aligned by what a terminal shows.
pub struct Grid {
    table: Table,
}

impl Grid {
    /// With these headings; none for a table without a heading.
    pub fn new(headings: &[&str], colour: bool) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).force_no_tty();
        if colour {
            table.enforce_styling();
        }
        if !headings.is_empty() {
            table.set_header(headings.iter().map(|heading| Cell::new(heading).add_attribute(Attribute::Bold)));
        }
        Self { table }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.table.add_row(cells.into_iter().collect::<Vec<_>>());
    }

    /// The lines, with a newline after each.
    pub fn render(mut self) -> String {
        for column in self.table.column_iter_mut() {
            column.set_padding((0, 3));
        }
        if self.table.is_empty() && self.table.header().is_none() {
            return String::new();
        }
        let mut text = self.table.trim_fmt();
        text.push('\n');
        text
    }
}

/// A plain cell. What it shows is sanitised here, so a line break in it cannot make a row.
#[expect(clippy::needless_pass_by_value, reason = "a value or a reference, as the caller has it")]
pub fn cell(text: impl ToString) -> Cell {
    Cell::new(crate::units::sanitise(&text.to_string()))
}

/// A cell that means something.
pub fn meaning(text: impl ToString, role: Role) -> Cell {
    let cell = cell(text);
    match role {
        Role::Good => cell.fg(Color::DarkGreen),
        Role::Caution => cell.fg(Color::DarkYellow),
        Role::Danger => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        Role::Note => cell.fg(Color::DarkCyan),
        Role::Heading => cell.add_attribute(Attribute::Bold),
    }
}

/// At most so many columns of a terminal, cut with `…`.
pub fn cut(text: &str, columns: usize) -> String {
    use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used >= columns {
            break;
        }
        shown.push(c);
    }
    shown.push('…');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_by_what_a_terminal_shows() {
        let mut grid = Grid::new(&["NAME", "STATUS"], false);
        grid.row([cell("日本"), cell("running")]);
        grid.row([cell("web\nevil\u{1b}[2J"), meaning("exited", Role::Caution)]);
        let text = grid.render();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[2].starts_with("web\\u{a}evil\\u{1b}[2J   exited"), "{text}");
        assert!(lines[0].starts_with("NAME ") && lines[0].ends_with("STATUS"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        let mut grid = Grid::new(&["A"], true);
        grid.row([meaning("bad", Role::Danger)]);
        crossterm::style::force_color_output(true);
        assert!(grid.render().contains('\u{1b}'));
    }

    #[test]
    fn long_text_is_cut_by_columns() {
        assert_eq!(cut("日本語テキスト", 7), "日本語…");
        assert_eq!(cut("short", 7), "short");
        assert_eq!(cut("just right", 10), "just right");
    }
}
