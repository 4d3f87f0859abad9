use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, presets};

use super::paint::Role;

/// Columns between two columns of a table.
pub const GAP: u16 = 3;

/// What text for people is laid out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Page {
    /// Whether it may be coloured.
    pub colour: bool,
    /// Columns of a terminal; `None` where a row is as long as it is: one row, one line, for other programs.
    pub columns: Option<u16>,
}

/// A table without borders, columns aligned by what a terminal shows.
pub struct Grid {
    table: Table,
    whole: Vec<usize>,
}

impl Grid {
    /// With these headings; none for a table without a heading. Rows wider than the page are wrapped within their columns.
    pub fn new(headings: &[&str], page: Page) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).force_no_tty();
        if let Some(columns) = page.columns {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns);
        }
        if page.colour {
            table.enforce_styling();
        }
        if !headings.is_empty() {
            table.set_header(headings.iter().map(|heading| Cell::new(heading).add_attribute(Attribute::Bold)));
        }
        Self { table, whole: Vec::new() }
    }

    /// Keeps these columns from being wrapped, counted from 0.
    pub fn whole(mut self, columns: &[usize]) -> Self {
        self.whole.extend_from_slice(columns);
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.table.add_row(cells.into_iter().collect::<Vec<_>>());
    }

    /// The lines, with a newline after each.
    pub fn render(mut self) -> String {
        if self.table.is_empty() && self.table.header().is_none() {
            return String::new();
        }
        let last = self.table.column_count().saturating_sub(1);
        for (number, column) in self.table.column_iter_mut().enumerate() {
            column.set_padding((0, if number == last { 0 } else { GAP }));
            if self.whole.contains(&number) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        let mut text = self.table.trim_fmt();
        text.push('\n');
        text
    }
}

/// Names and what they stand for, without a heading.
pub struct Fields(Grid);

impl Fields {
    /// With the names never wrapped.
    pub fn new(page: Page) -> Self {
        Self(Grid::new(&[], page).whole(&[0]))
    }

    /// Adds one, unless there is nothing to say.
    pub fn add(&mut self, name: &str, value: impl AsRef<str>) {
        if !value.as_ref().is_empty() {
            self.0.row([cell(name), cell(value.as_ref())]);
        }
    }

    /// The lines, with a newline after each.
    pub fn render(self) -> String {
        self.0.render()
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

    const PIPE: Page = Page { colour: false, columns: None };

    #[test]
    fn columns_line_up_by_what_a_terminal_shows() {
        let mut grid = Grid::new(&["NAME", "STATUS"], PIPE);
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
    fn a_row_is_wrapped_on_a_terminal_and_is_one_line_in_a_pipe() {
        let draw = |columns| {
            let mut grid = Grid::new(&["CONTROL", "FOUND"], Page { colour: false, columns }).whole(&[0]);
            grid.row([cell("no_new_privileges"), cell("a sentence that is longer than what is left of the line")]);
            grid.render()
        };
        assert_eq!(draw(None).lines().count(), 2);
        let wrapped = draw(Some(40));
        assert!(wrapped.lines().count() > 2 && wrapped.lines().all(|line| line.chars().count() <= 40), "{wrapped}");
        assert!(wrapped.contains("no_new_privileges"), "{wrapped}");
    }

    #[test]
    fn fields_with_nothing_to_say_are_left_out() {
        let mut fields = Fields::new(PIPE);
        fields.add("name", "web");
        fields.add("exit", "");
        assert_eq!(fields.render(), "name   web\n");
        assert_eq!(Fields::new(PIPE).render(), "");
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        let mut grid = Grid::new(&["A"], Page { colour: true, columns: None });
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
