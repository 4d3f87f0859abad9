//! Keys, pastes and clicks.

use ratatui::layout::Rect;

use super::field::Field;
use super::geometry::{Geometry, Hit};
use super::values::choices;
use super::{Button, Focus, Form, Outcome};
use crate::dashboard::app::effect::Effect;
use crate::dashboard::app::input::Typed;
use crate::dashboard::app::key::{Code, Key};
use crate::dashboard::app::row::Weight;

/// What each key does, for people; letters and the keys of a line type and edit.
pub const KEYS: [(&str, &str); 8] = [
    ("tab", "next field; in the workspace it completes first"),
    ("down", "next field; up and shift-tab go back"),
    ("right", "next choice; left goes back"),
    ("enter", "next field; on a button, presses it"),
    ("pagedown", "scroll the plan; pageup goes back"),
    ("ctrl-s", "launch"),
    ("ctrl-y", "copy the command line"),
    ("esc", "close; the values stay"),
];

/// Lines that a press of a page key scrolls the plan by.
const PAGE: usize = 3;
/// The narrowest that the plan is wrapped for: it has no more lines than then.
const NARROWEST: u16 = 20;

impl Form {
    /// A key was pressed. `next` is the number of the next preview, completion or job.
    pub fn key(&mut self, key: Key, next: &mut u64) -> Outcome {
        self.note = None;
        match (key.code, key.ctrl, key.alt) {
            (Code::Esc, false, false) => return Outcome::Close,
            (Code::Char('s'), true, false) => return self.submit(next),
            (Code::Char('y'), true, false) => return Outcome::Stay(self.copy()),
            (Code::Tab, false, false) => return Outcome::Stay(self.tab(next)),
            (Code::Down, false, false) => self.to(self.after()),
            (Code::BackTab | Code::Up, false, false) => self.to(self.before()),
            (Code::PageDown, ..) => self.scroll_by(PAGE, true),
            (Code::PageUp, ..) => self.scroll_by(PAGE, false),
            _ => match self.focus {
                Focus::Button(button) => return self.on_button(button, key, next),
                Focus::Field(field) => return Outcome::Stay(self.on_field(field, key, next)),
            },
        }
        Outcome::Stay(Vec::new())
    }

    fn on_button(&mut self, button: Button, key: Key, next: &mut u64) -> Outcome {
        match key.code {
            Code::Enter | Code::Char(' ') => self.press(button, next),
            Code::Left => {
                self.to(self.before());
                Outcome::Stay(Vec::new())
            }
            Code::Right => {
                self.to(self.after());
                Outcome::Stay(Vec::new())
            }
            _ => Outcome::Stay(Vec::new()),
        }
    }

    fn on_field(&mut self, field: Field, key: Key, next: &mut u64) -> Vec<Effect> {
        if key == Key::plain(Code::Enter) {
            self.to(self.after());
            return Vec::new();
        }
        if choices(field, &self.ground).is_some() {
            return match key.code {
                Code::Left => self.choose(field, false, next),
                Code::Right | Code::Char(' ') => self.choose(field, true, next),
                _ => key.typed().map_or_else(Vec::new, |letter| self.choose_letter(field, letter, next)),
            };
        }
        match self.values.input_mut(field).key(key) {
            Typed::Changed => self.typed(field, next),
            Typed::Moved | Typed::Ignored => Vec::new(),
        }
    }

    fn typed(&mut self, field: Field, next: &mut u64) -> Vec<Effect> {
        if field == Field::Workspace {
            self.completion.forget();
        }
        self.changed(next)
    }

    /// The choice after, or before, from the last to the first.
    fn choose(&mut self, field: Field, forward: bool, next: &mut u64) -> Vec<Effect> {
        let Some(words) = choices(field, &self.ground) else { return Vec::new() };
        let now = words.iter().position(|word| *word == self.values.text(field)).unwrap_or(0);
        let step = if forward { 1 } else { words.len() - 1 };
        let word = words[(now + step) % words.len()].to_owned();
        self.values.set(field, &word, &self.ground);
        self.changed(next)
    }

    /// The next choice that begins with this letter.
    fn choose_letter(&mut self, field: Field, letter: char, next: &mut u64) -> Vec<Effect> {
        let Some(words) = choices(field, &self.ground) else { return Vec::new() };
        let now = words.iter().position(|word| *word == self.values.text(field)).unwrap_or(0);
        let found = (1..=words.len()).map(|step| words[(now + step) % words.len()]).find(|word| word.starts_with(letter));
        let Some(word) = found.map(str::to_owned) else { return Vec::new() };
        self.values.set(field, &word, &self.ground);
        self.changed(next)
    }

    /// A path is completed before Tab moves on, as long as there is something to find.
    fn tab(&mut self, next: &mut u64) -> Vec<Effect> {
        let text = self.values.text(Field::Workspace);
        if self.focus != Focus::Field(Field::Workspace) || !self.completion.is_open(text) {
            self.to(self.after());
            return Vec::new();
        }
        let number = *next;
        *next += 1;
        self.completion.ask(number, text);
        vec![Effect::CompletePath(number, text.to_owned())]
    }

    fn to(&mut self, focus: Focus) {
        if self.focus == Focus::Field(Field::Name) && self.reading.nameless {
            self.name_missed = true;
        }
        self.focus = focus;
    }

    fn after(&self) -> Focus {
        let all = stops();
        let now = all.iter().position(|stop| *stop == self.focus).unwrap_or(0);
        all[(now + 1) % all.len()]
    }

    fn before(&self) -> Focus {
        let all = stops();
        let now = all.iter().position(|stop| *stop == self.focus).unwrap_or(0);
        all[(now + all.len() - 1) % all.len()]
    }

    fn press(&mut self, button: Button, next: &mut u64) -> Outcome {
        match button {
            Button::Launch => self.submit(next),
            Button::Copy => Outcome::Stay(self.copy()),
            Button::Close => Outcome::Close,
        }
    }

    fn copy(&mut self) -> Vec<Effect> {
        let line = self.command_line();
        self.note = Some(match line {
            Some(_) => (Weight::Plain, "the command line was copied"),
            None => (Weight::Warning, "there is no command line yet"),
        });
        line.map(Effect::Copy).into_iter().collect()
    }

    /// Launches, or goes to what must be mended.
    ///
    /// A plan that was refused stops it once, and is asked for again: what was wrong may be mended. The second time it is
    /// the backend's to judge: a launch also pulls the image, without which a plan knows less.
    fn submit(&mut self, next: &mut u64) -> Outcome {
        self.name_missed = true;
        let wrong = Field::all().find(|field| self.reading.errors.contains_key(field) || (*field == Field::Name && self.reading.nameless));
        if let Some(field) = wrong {
            self.focus = Focus::Field(field);
            return Outcome::Stay(Vec::new());
        }
        if !self.warned && self.preview.is_refused(&self.values.texts()) {
            self.warned = true;
            if let Some(field) = Field::all().find(|field| self.error(*field).is_some()) {
                self.focus = Focus::Field(field);
            }
            self.note = Some((Weight::Warning, "this is refused; ctrl-s again tries it all the same"));
            return Outcome::Stay(self.ask(true, next));
        }
        self.order().map_or_else(|| Outcome::Stay(Vec::new()), |order| Outcome::Submit(Box::new(order.clone())))
    }

    /// A text was pasted. It goes into the line in focus, as one line; one that does not fit is not cut but refused, since
    /// half a command is another command.
    pub fn pasted(&mut self, text: &str, next: &mut u64) -> Vec<Effect> {
        let Focus::Field(field) = self.focus else { return Vec::new() };
        if choices(field, &self.ground).is_some() {
            return Vec::new();
        }
        let text = text.trim_end_matches(['\r', '\n']);
        let before = self.values.input(field).clone();
        self.values.input_mut(field).insert(text);
        let added = self.values.text(field).chars().count() - before.text().chars().count();
        if added < text.chars().count() {
            *self.values.input_mut(field) = before;
            self.note = Some((Weight::Warning, "what was pasted is too long for a line, and was left out"));
            return Vec::new();
        }
        self.typed(field, next)
    }

    /// A click at a column and a line of the terminal, where the form has this area: goes to a field, changes what is
    /// chosen in the field that has the focus, takes a completion, presses a button.
    pub fn clicked(&mut self, column: u16, line: u16, area: Rect, next: &mut u64) -> Outcome {
        self.note = None;
        match Geometry::of(self, area).at(column, line) {
            Some(Hit::Button(button)) => self.press(button, next),
            Some(Hit::Candidate(at)) => {
                let Some(path) = self.candidates().get(at).cloned() else { return Outcome::Stay(Vec::new()) };
                self.values.set(Field::Workspace, &path, &self.ground);
                Outcome::Stay(self.typed(Field::Workspace, next))
            }
            Some(Hit::Field(field)) if self.focus == Focus::Field(field) => Outcome::Stay(self.choose(field, true, next)),
            Some(Hit::Field(field)) => {
                self.to(Focus::Field(field));
                Outcome::Stay(Vec::new())
            }
            Some(Hit::Preview) | None => Outcome::Stay(Vec::new()),
        }
    }

    /// The wheel was turned there: scrolls the plan, or moves through the fields.
    pub fn wheel(&mut self, column: u16, line: u16, area: Rect, down: bool) {
        match Geometry::of(self, area).at(column, line) {
            Some(Hit::Preview) => self.scroll_by(1, down),
            _ => self.to(if down { self.after() } else { self.before() }),
        }
    }

    fn scroll_by(&mut self, lines: usize, down: bool) {
        let most = self.said(NARROWEST, true).len();
        self.scroll = if down { (self.scroll + lines).min(most) } else { self.scroll.saturating_sub(lines) };
    }
}

/// Everything that can have the focus, in the order of Tab.
fn stops() -> Vec<Focus> {
    Field::all().map(Focus::Field).chain(Button::ALL.map(Focus::Button)).collect()
}
