//! The launch form: what is typed, field by field, and the order that it makes.
//!
//! What a value may be is not decided here: `reading` asks the types and the policy that headless asks, and the plan
//! comes from the backend. The order is the one that the shown command line makes.

mod command_line;
mod completion;
mod field;
mod geometry;
mod ground;
mod keys;
mod preview;
mod reading;
mod said;
pub mod shell_words;
mod summary;
mod values;
mod wrap;

use std::collections::BTreeSet;

use super::effect::Effect;
use super::input::Input;
use super::row::Weight;
use crate::backend::Order;
use crate::failure::Failure;
use crate::policy::plan::Plan;
pub use command_line::command_line;
use completion::Completion;
pub use field::{Field, Section, Takes};
pub use geometry::{Geometry, Hit, Line};
pub use ground::{Ground, Remembered};
pub use keys::KEYS;
use preview::Preview;
pub use preview::Standing;
use reading::Reading;
pub use said::{ABOUT, Said};
pub use summary::summary;
use values::Values;

/// What the form wants after a key or a click.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It stays open; these are to be done.
    Stay(Vec<Effect>),
    /// It closes. Its values are kept: take [`Form::remembered`] first.
    Close,
    /// It closes, its values are kept, and this is launched.
    Submit(Box<Order>),
}

/// A button of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Button {
    /// Launches.
    Launch,
    /// Copies the command line.
    Copy,
    /// Closes.
    Close,
}

impl Button {
    const ALL: [Self; 3] = [Self::Launch, Self::Copy, Self::Close];
}

/// What takes the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// A field.
    Field(Field),
    /// A button.
    Button(Button),
}

/// The launch form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    ground: Ground,
    values: Values,
    focus: Focus,
    reading: Reading,
    preview: Preview,
    completion: Completion,
    /// Variables whose values did not come back.
    unkept: BTreeSet<String>,
    /// Names that sessions have already.
    taken: BTreeSet<String>,
    /// The field for the name was left empty, or launching was tried without.
    name_missed: bool,
    /// What was refused was submitted once; the second time it is the backend's to judge.
    warned: bool,
    /// Something to be said of the last key or paste.
    note: Option<(Weight, &'static str)>,
    /// Lines that the plan is scrolled down.
    scroll: usize,
}

impl Form {
    /// With the last values. [`Form::opened`] says what is to be done first.
    pub fn new(ground: &Ground, remembered: &Remembered) -> Self {
        let values = Values::of(ground, remembered);
        let mut form = Self {
            reading: Reading::of(&values, ground, &BTreeSet::new()),
            ground: ground.clone(),
            values,
            focus: Focus::Field(Field::Name),
            preview: Preview::default(),
            completion: Completion::default(),
            unkept: remembered.unkept.iter().cloned().collect(),
            taken: BTreeSet::new(),
            name_missed: false,
            warned: false,
            note: None,
            scroll: 0,
        };
        form.read();
        form
    }

    /// Takes a number for a name that one of these sessions has: `web` comes back as `web-2`.
    #[must_use]
    pub fn beside(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.taken = names.into_iter().collect();
        let name = self.values.text(Field::Name).trim().to_owned();
        if self.taken.contains(&name) {
            let (stem, number) = match name.rsplit_once('-').map(|(stem, number)| (stem, number.parse::<u32>())) {
                Some((stem, Ok(number))) => (stem, number),
                _ => (name.as_str(), 1),
            };
            let free = (1..).filter_map(|more| number.checked_add(more)).map(|next| format!("{stem}-{next}"));
            if let Some(free) = free.take(self.taken.len() + 1).find(|free| !self.taken.contains(free)) {
                self.set(Field::Name, &free);
            }
        }
        self
    }

    /// What is to be done when it opens: the first plan. `next` is the number of the next preview, completion or job.
    pub fn opened(&mut self, next: &mut u64) -> Vec<Effect> {
        self.changed(next)
    }

    /// What comes back when it is opened again.
    pub fn remembered(&self) -> Remembered {
        let mut remembered = self.values.remembered(&self.ground);
        // A value that was not given again is still one that is missing.
        remembered.unkept.extend(self.unkept.iter().cloned());
        remembered
    }

    /// The plan of an order came. Only the latest counts.
    pub fn previewed(&mut self, number: u64, result: Result<Box<Plan>, Failure>) {
        self.preview.came(number, result);
    }

    /// The completions of a path came: whole texts that begin as the typed one does, folders with `/` at their end.
    pub fn completed(&mut self, number: u64, found: Vec<String>, next: &mut u64) -> Vec<Effect> {
        match self.completion.came(number, self.values.text(Field::Workspace), found) {
            Some(longer) => {
                self.values.set(Field::Workspace, &longer, &self.ground);
                self.changed(next)
            }
            None => Vec::new(),
        }
    }

    /// Puts a text into a field, as if it had been typed; `false` where the field does not offer it.
    pub fn set(&mut self, field: Field, text: &str) -> bool {
        let fits = self.values.set(field, text, &self.ground);
        self.read();
        fits
    }

    /// The order that the fields make; `None` while one must be mended.
    pub fn order(&self) -> Option<&Order> {
        (self.reading.errors.is_empty() && !self.reading.nameless).then_some(&self.reading.order)
    }

    /// The equivalent headless command; `None` while there is no order.
    ///
    /// An ephemeral session is what `palisade run` makes: in a shell that has the foreground, where a persistent one and
    /// everything that this form launches is in the background.
    pub fn command_line(&self) -> Option<String> {
        command_line(&self.ground.program, self.order()?)
    }

    /// What takes the keys.
    pub fn focus(&self) -> Focus {
        self.focus
    }

    /// What stands in a field, with its cursor.
    pub fn input(&self, field: Field) -> &Input {
        self.values.input(field)
    }

    /// What the path could go on as.
    pub fn candidates(&self) -> &[String] {
        &self.completion.candidates
    }

    /// Something in a field is another now: it is read anew, and its plan asked for.
    fn changed(&mut self, next: &mut u64) -> Vec<Effect> {
        self.read();
        self.warned = false;
        self.note = None;
        self.ask(false, next)
    }

    fn ask(&mut self, again: bool, next: &mut u64) -> Vec<Effect> {
        if !self.reading.errors.is_empty() {
            return Vec::new();
        }
        self.preview.ask(&self.reading.order, self.values.texts(), again, next).into_iter().collect()
    }

    fn read(&mut self) {
        // A variable that no more stands there without a value is no more one whose value is missing.
        if let Ok(words) = shell_words::split(self.values.text(Field::Env)) {
            self.unkept.retain(|name| words.iter().any(|word| word.strip_suffix('=') == Some(name)));
        }
        self.reading = Reading::of(&self.values, &self.ground, &self.unkept);
    }
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
