//! The only way to the screen's cells: what is put here is filtered, cut to its columns and styled by meaning.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::dashboard::app::page::{Line, Piece};
use crate::dashboard::app::signs::Signs;
use crate::dashboard::text;
use crate::dashboard::theme::{Role, Theme};

/// The screen while it is drawn.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    theme: &'a Theme,
    /// The signs of this terminal.
    pub signs: &'static Signs,
    /// The latest tick.
    pub now: Timestamp,
}

impl<'a> Canvas<'a> {
    /// Draws to this buffer.
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme, ascii: bool, now: Timestamp) -> Self {
        Self { buffer, theme, signs: Signs::of(ascii), now }
    }

    /// Empties an area.
    pub fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        let plain = self.theme.style(Role::Text);
        for y in area.top()..area.bottom() {
            self.split(area.left(), y);
            for x in area.left()..area.right() {
                self.buffer[(x, y)].reset();
                self.buffer[(x, y)].set_style(plain);
            }
        }
    }

    /// A wide character that would reach over this column is taken away: half of it would be drawn over.
    fn split(&mut self, x: u16, y: u16) {
        if x == 0 || x >= self.buffer.area.right() || x <= self.buffer.area.left() {
            return;
        }
        let before = &mut self.buffer[(x - 1, y)];
        if text::width(before.symbol()) > 1 {
            before.set_symbol(" ");
        }
    }

    /// Lays a role's look over an area.
    pub fn paint(&mut self, area: Rect, role: Role) {
        self.buffer.set_style(area, self.theme.style(role));
    }

    /// Puts a text on a line, cut to so many columns, and tells how many it took.
    pub fn put(&mut self, x: u16, y: u16, most: u16, words: &str, role: Role) -> u16 {
        self.put_styled(x, y, most, words, self.theme.style(role))
    }

    /// Draws a terminal's cell, which holds nothing that a terminal acts on.
    pub fn put_cell(&mut self, x: u16, y: u16, cell: &crate::terminal::Cell, style: Style) {
        let area = self.buffer.area;
        let wide = u16::from(cell.width);
        if wide == 0 || y < area.top() || y >= area.bottom() || x < area.left() || x + wide > area.right() {
            return;
        }
        let mut symbol = String::from(cell.c);
        symbol.extend(cell.mark);
        self.buffer[(x, y)].set_symbol(&symbol).set_style(style);
        for covered in x + 1..x + wide {
            self.buffer[(covered, y)].reset();
            self.buffer[(covered, y)].set_style(style);
        }
    }

    /// The same with a look of its own.
    pub fn put_styled(&mut self, x: u16, y: u16, most: u16, words: &str, style: Style) -> u16 {
        let area = self.buffer.area;
        if y < area.top() || y >= area.bottom() || x < area.left() || x >= area.right() {
            return 0;
        }
        let most = most.min(area.right() - x);
        let shown = text::fit(words, usize::from(most), self.signs.ellipsis);
        let mut at = x;
        for (c, wide) in text::plain(&shown) {
            let wide = u16::try_from(wide).unwrap_or(1);
            self.buffer[(at, y)].set_char(c).set_style(style);
            for covered in at + 1..at + wide {
                self.buffer[(covered, y)].reset();
                self.buffer[(covered, y)].set_style(style);
            }
            at += wide;
        }
        at - x
    }

    /// Puts a text on a line, cut to so many columns without saying so.
    pub fn put_cut(&mut self, x: u16, y: u16, most: u16, words: &str, role: Role) {
        let shown = text::cut(words, usize::from(most));
        self.put(x, y, most, &shown, role);
    }

    /// Fills an area with a text, line after line, and tells how many lines it took. Where there is one line, what does
    /// not fit is told by the ellipsis. What matches the needle, which is in small letters, stands out.
    pub fn block(&mut self, area: Rect, words: &str, role: Role, needle: Option<&str>) -> u16 {
        let area = area.intersection(self.buffer.area);
        if area.width == 0 || area.height == 0 {
            return 1;
        }
        let columns = usize::from(area.width);
        let one_line = if area.height == 1 { text::fit(words, columns, self.signs.ellipsis) } else { String::new() };
        let words = if area.height == 1 { one_line.as_str() } else { words };
        let high = usize::from(area.height);
        let shown: Vec<(usize, usize, char, usize)> = text::folded(words, columns).take_while(|(line, ..)| *line < high).collect();
        let found = needle.map(|needle| text::found(shown.iter().map(|(_, _, c, _)| *c), needle)).unwrap_or_default();
        let (plain, lit) = (self.theme.style(role), self.theme.style(Role::Match));
        let mut last = 0;
        for (at, (line, column, c, wide)) in shown.into_iter().enumerate() {
            let style = if found.iter().any(|range| range.contains(&at)) { lit } else { plain };
            let (x, y) = (area.x + u16::try_from(column).unwrap_or(0), area.y + u16::try_from(line).unwrap_or(0));
            // A wide character on a screen of one column.
            if x + u16::try_from(wide).unwrap_or(1) <= area.right() {
                self.put_styled(x, y, 2, c.encode_utf8(&mut [0; 4]), style);
            }
            last = line;
        }
        u16::try_from(last + 1).unwrap_or(area.height)
    }

    /// Puts a text at the right end of so many columns.
    pub fn put_right(&mut self, x: u16, y: u16, most: u16, words: &str, role: Role) {
        let wide = u16::try_from(text::width_up_to(words, usize::from(most))).unwrap_or(most);
        self.put(x + most.saturating_sub(wide), y, most, words, role);
    }

    /// Puts pieces one after another, cut to so many columns, and tells how many they took.
    pub fn line(&mut self, x: u16, y: u16, most: u16, pieces: &[Piece]) -> u16 {
        let mut used = 0;
        for (words, role) in pieces {
            if used >= most {
                break;
            }
            used += self.put(x + used, y, most - used, words, *role);
        }
        used
    }

    /// Puts a text in an area, broken at spaces.
    pub fn wrapped(&mut self, area: Rect, words: &str, role: Role) {
        for (line, y) in text::wrap(words, usize::from(area.width).max(1)).iter().zip(area.top()..area.bottom()) {
            self.put(area.x, y, area.width, line, role);
        }
    }

    /// What fits of a page's lines, from the scrolled one on.
    pub fn page(&mut self, area: Rect, lines: &[Line], scroll: usize) {
        let from = first_line(lines.len(), area, scroll);
        for (line, y) in lines.iter().skip(from).zip(area.top()..area.bottom()) {
            self.line(area.x + 1, y, area.width.saturating_sub(2), line);
        }
        self.more(area, from, lines.len());
    }

    /// Tells at the right edge that there is more above or below.
    pub fn more(&mut self, area: Rect, from: usize, lines: usize) {
        let x = area.right().saturating_sub(1);
        if area.height == 0 {
            return;
        }
        if from > 0 {
            self.put(x, area.y, 1, self.signs.up, Role::Muted);
        }
        if from + usize::from(area.height) < lines {
            self.put(x, area.bottom() - 1, 1, self.signs.down, Role::Muted);
        }
    }

    /// A frame with a title, emptied; what is inside it comes back.
    pub fn frame(&mut self, area: Rect, title: &str, role: Role) -> Rect {
        let area = area.intersection(self.buffer.area);
        self.clear(area);
        if area.width < 2 || area.height < 2 {
            return Rect::default();
        }
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        let set = self.signs.border;
        for x in area.left() + 1..right {
            self.put(x, area.top(), 1, set.horizontal_top, role);
            self.put(x, bottom, 1, set.horizontal_bottom, role);
        }
        for y in area.top() + 1..bottom {
            self.put(area.left(), y, 1, set.vertical_left, role);
            self.put(right, y, 1, set.vertical_right, role);
        }
        for (x, y, corner) in [
            (area.left(), area.top(), set.top_left),
            (right, area.top(), set.top_right),
            (area.left(), bottom, set.bottom_left),
            (right, bottom, set.bottom_right),
        ] {
            self.put(x, y, 1, corner, role);
        }
        if !title.is_empty() && area.width > 6 {
            self.put(area.left() + 2, area.top(), area.width - 4, &format!(" {title} "), Role::Title);
        }
        Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
    }

    /// A bar of so many columns, filled by a share of one.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the columns of a terminal")]
    pub fn bar(&mut self, x: u16, y: u16, columns: u16, share: f64, role: Role) {
        let filled = (share.clamp(0.0, 1.0) * f64::from(columns)).round() as u16;
        self.put(x, y, columns, &self.signs.full.repeat(usize::from(filled)), role);
        self.put(x + filled, y, columns - filled, &self.signs.empty.repeat(usize::from(columns - filled)), Role::Muted);
    }

    /// Turns the colours of an area round: what is selected on a screen of any colours.
    pub fn invert(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                self.buffer[(x, y)].modifier.toggle(Modifier::REVERSED);
            }
        }
    }

    /// Shows where the next character is typed, whatever the terminal does with its own cursor.
    pub fn caret(&mut self, x: u16, y: u16) {
        if self.buffer.area.contains((x, y).into()) {
            self.buffer[(x, y)].set_style(Style::new().add_modifier(Modifier::REVERSED));
        }
    }
}

/// The first line that is shown of so many: never past what fills the area.
pub fn first_line(lines: usize, area: Rect, scroll: usize) -> usize {
    scroll.min(lines.saturating_sub(usize::from(area.height)))
}
