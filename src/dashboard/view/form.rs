//! The launch form, drawn. Where things stand is `app::form::Geometry`'s to say.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::symbols::border;
use ratatui::widgets::{Block, Clear};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::dashboard::app::State;
use crate::dashboard::app::form::{ABOUT, Field, Focus, Form, Geometry, Line, Said, Takes};
use crate::dashboard::app::row::Weight;
use crate::dashboard::theme::Role;
use crate::units::sanitise;

const TITLE: &str = " Launch a sandbox ";
/// A frame where the locale has no box drawing.
const ASCII: border::Set<'_> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// Draws the form in its area.
pub fn draw(frame: &mut Frame<'_>, area: Rect, state: &State, form: &Form) {
    let geometry = Geometry::of(form, area);
    frame.render_widget(Clear, area);
    let mut pen = Pen { frame, state, form };
    pen.outline(area, geometry.framed);
    for (line, place) in &geometry.lines {
        pen.line(line, *place);
    }
    pen.hidden(geometry.fields, geometry.hidden);
    pen.preview(geometry.preview);
    for ((weight, text), y) in form.alert(geometry.alert.width).iter().zip(geometry.alert.y..geometry.alert.bottom()) {
        let role = match weight {
            Weight::Plain => Role::Info,
            Weight::Warning => Role::Warning,
            Weight::Danger => Role::Error,
        };
        pen.text(Rect { y, height: 1, ..geometry.alert }, text, role);
    }
    pen.text(geometry.help, &form.help(), Role::Muted);
    for (button, place, label) in &geometry.buttons {
        let focused = form.focus() == Focus::Button(*button);
        pen.text(*place, label, if focused { Role::Selected } else { Role::Button });
        if focused {
            // The sign that needs no colour.
            pen.frame.set_cursor_position(Position::new(place.x, place.y));
        }
    }
}

struct Pen<'a, 'b> {
    frame: &'a mut Frame<'b>,
    state: &'a State,
    form: &'a Form,
}

impl Pen<'_, '_> {
    fn style(&self, role: Role) -> Style {
        self.state.theme.style(role)
    }

    /// Writes a text at the begin of a place, cut where the place ends.
    fn text(&mut self, place: Rect, text: &str, role: Role) {
        let style = self.style(role);
        if place.height > 0 {
            let (text, ellipsis) = if self.state.ascii { (text.replace('…', "..."), '~') } else { (text.to_owned(), '…') };
            self.frame.buffer_mut().set_stringn(place.x, place.y, cut(&text, place.width, ellipsis), place.width.into(), style);
        }
    }

    fn outline(&mut self, area: Rect, framed: bool) {
        let (border, title) = (self.style(Role::BorderFocused), self.style(Role::Title));
        if framed {
            let set = if self.state.ascii { ASCII } else { border::PLAIN };
            let block = Block::bordered().border_set(set).border_style(border).title_style(title).title(TITLE);
            self.frame.render_widget(block, area);
        } else {
            self.text(Rect { height: area.height.min(1), ..area }, TITLE.trim(), Role::Title);
        }
    }

    fn line(&mut self, line: &Line, place: Rect) {
        let value = Geometry::value(place);
        match line {
            Line::Heading(section) => self.text(place, section.title(), Role::Header),
            Line::Field(field) => self.field(*field, place, value),
            Line::Error(text, begins) => {
                if *begins && value.x >= place.x + 2 {
                    self.text(Rect { x: value.x - 2, width: 1, ..value }, "!", Role::Error);
                }
                self.text(value, text, Role::Error);
            }
            Line::Candidate(at) => {
                let text = self.form.candidates().get(*at).cloned().unwrap_or_default();
                self.text(value, &text, Role::Info);
            }
            Line::More(count) => self.text(value, &format!("and {count} more"), Role::Muted),
        }
    }

    fn field(&mut self, field: Field, place: Rect, value: Rect) {
        let focused = self.form.focus() == Focus::Field(field);
        let wrong = self.form.error(field).is_some();
        let sign = match (focused, wrong) {
            (true, _) => ">",
            (false, true) => "!",
            (false, false) => " ",
        };
        let role = if wrong { Role::Error } else { Role::Key };
        self.text(Rect { width: place.width.min(1), ..place }, sign, role);
        let label = Rect { x: place.x + place.width.min(1), width: value.x.saturating_sub(place.x + 2), ..place };
        self.text(label, field.label(), if focused { Role::Strong } else { Role::Text });
        match field.takes() {
            Takes::Line | Takes::Folder => self.input(field, value, focused),
            Takes::Profile | Takes::OneOf(_) => self.choice(field, value, focused),
        }
    }

    /// What is typed, scrolled so that the cursor is on the screen.
    fn input(&mut self, field: Field, value: Rect, focused: bool) {
        let input = self.form.input(field);
        if input.text().is_empty() {
            let placeholder = self.form.placeholder(field);
            self.text(value, &placeholder, Role::Muted);
        }
        let (all, before) = (sanitise(input.text()), sanitise(input.before_cursor()));
        let room = usize::from(value.width.saturating_sub(1));
        let skipped = if focused { columns_from(&before, room) } else { 0 };
        let shown = &all[skipped..];
        if !input.text().is_empty() {
            self.text(value, shown, Role::Input);
        }
        if focused && value.width > 0 {
            let x = before[skipped..].width().min(room);
            self.frame.set_cursor_position(Position::new(value.x + u16::try_from(x).unwrap_or(0), value.y));
        }
    }

    fn choice(&mut self, field: Field, value: Rect, focused: bool) {
        let word = self.form.input(field).text();
        let (word, role) = if word.is_empty() { (self.form.placeholder(field), Role::Muted) } else { (word.to_owned(), Role::Input) };
        if !focused {
            return self.text(value, &word, role);
        }
        let (left, right) = if self.state.ascii { ("<", ">") } else { ("‹", "›") };
        self.text(value, &format!("{left} {word} {right}"), Role::Selected);
        self.frame.set_cursor_position(Position::new(value.x, value.y));
    }

    /// Signs that there is more than is on the screen.
    fn hidden(&mut self, place: Rect, (above, below): (bool, bool)) {
        if place.is_empty() {
            return;
        }
        let (up, down) = if self.state.ascii { ("^", "v") } else { ("↑", "↓") };
        let corner = Rect { x: place.right() - 1, width: 1, height: 1, ..place };
        if above {
            self.text(corner, up, Role::Key);
        }
        if below {
            self.text(Rect { y: place.bottom() - 1, ..corner }, down, Role::Key);
        }
    }

    fn preview(&mut self, place: Rect) {
        let columns = place.width.saturating_sub(1);
        let (said, hidden) = self.form.said_within(columns, place.height);
        for (line, y) in said.iter().zip(place.y..) {
            let line_place = Rect { y, height: 1, width: columns, ..place };
            match line {
                Said::Title(title) => self.text(line_place, title, Role::Header),
                Said::Command(text) => self.text(line_place, text, Role::Strong),
                Said::Note(text) => self.text(line_place, text, Role::Warning),
                Said::Plan(about, text) => {
                    self.text(line_place, about, Role::Muted);
                    let about = ABOUT.min(columns);
                    self.text(Rect { x: place.x + about, width: columns - about, ..line_place }, text, Role::Text);
                }
            }
        }
        self.hidden(place, hidden);
    }
}

/// A text that nothing acts in, in so many columns.
fn cut(text: &str, columns: u16, ellipsis: char) -> String {
    let text = sanitise(text);
    let columns = usize::from(columns);
    if text.width() <= columns {
        return text;
    }
    let mut wide = 0;
    let fits = text.chars().take_while(|c| {
        wide += c.width().unwrap_or(0);
        wide < columns
    });
    let mut shown: String = fits.collect();
    shown.push(ellipsis);
    shown
}

/// The first byte from which a text is at most so many columns wide.
fn columns_from(text: &str, columns: usize) -> usize {
    let mut wide = 0;
    let from = text.char_indices().rev().take_while(|(_, c)| {
        wide += c.width().unwrap_or(0);
        wide <= columns
    });
    from.last().map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests;
