//! What stands in the fields.

use super::field::{Field, Takes};
use super::ground::{Ground, Remembered};
use super::shell_words::{join, split};
use crate::dashboard::app::input::Input;

/// What stands in the fields. A field with choices holds the word that is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    inputs: Vec<Input>,
}

impl Values {
    /// As at first: what is chosen where nothing was.
    pub(super) fn at_first(ground: &Ground) -> Self {
        Self { inputs: Field::all().map(|field| Input::new(first(field, ground))).collect() }
    }

    /// As they were left. What is no choice any more is as at first.
    pub(super) fn of(ground: &Ground, remembered: &Remembered) -> Self {
        let mut values = Self::at_first(ground);
        for (key, text) in &remembered.values {
            let Some(field) = Field::of_key(key) else { continue };
            // A file could hold anything: as if it were pasted.
            let mut input = Input::default();
            input.insert(text);
            values.set(field, input.text(), ground);
        }
        if let Some(env) = &remembered.env {
            values.set(Field::Env, env, ground);
        }
        values
    }

    /// As they will come back.
    pub(super) fn remembered(&self, ground: &Ground) -> Remembered {
        let mut remembered = Remembered::default();
        for field in Field::all().filter(|field| self.text(*field) != first(*field, ground)) {
            remembered.values.insert(field.key().to_owned(), self.text(field).to_owned());
        }
        if let Some(env) = remembered.values.remove(Field::Env.key()) {
            let words = split(&env).unwrap_or_default();
            let named = |word: &String| word.split_once('=').map_or_else(|| word.clone(), |(name, _)| format!("{name}="));
            remembered.unkept = words
                .iter()
                .filter_map(|word| word.split_once('='))
                .filter(|(_, value)| !value.is_empty())
                .map(|(n, _)| n.to_owned())
                .collect();
            if !words.is_empty() {
                remembered.values.insert(Field::Env.key().to_owned(), join(words.iter().map(named)));
            }
            remembered.env = Some(env);
        }
        remembered
    }

    /// What stands in a field.
    pub fn text(&self, field: Field) -> &str {
        self.inputs[field.place()].text()
    }

    /// The field's line, with its cursor.
    pub fn input(&self, field: Field) -> &Input {
        &self.inputs[field.place()]
    }

    pub(super) fn input_mut(&mut self, field: Field) -> &mut Input {
        &mut self.inputs[field.place()]
    }

    /// Puts a text into a field, unless the field has choices and it is none of them.
    pub(super) fn set(&mut self, field: Field, text: &str, ground: &Ground) -> bool {
        let fits = choices(field, ground).is_none_or(|choices| choices.contains(&text));
        if fits {
            self.inputs[field.place()].set(text);
        }
        fits
    }

    /// All of them, to compare with later.
    pub(super) fn texts(&self) -> Vec<String> {
        self.inputs.iter().map(|input| input.text().to_owned()).collect()
    }
}

/// What can be chosen; `None` where anything can be typed.
pub(super) fn choices(field: Field, ground: &Ground) -> Option<Vec<&str>> {
    match field.takes() {
        Takes::Line | Takes::Folder => None,
        Takes::OneOf(words) => Some(words.to_vec()),
        Takes::Profile => {
            let names = ground.profiles.iter().map(|profile| profile.name.as_str());
            let default = ground.default_profile.as_str();
            // The configured one may be a name that no file has: the plan will say so.
            let missing = ground.profiles.iter().all(|profile| profile.name != default);
            Some(missing.then_some(default).into_iter().chain(names).collect())
        }
    }
}

fn first(field: Field, ground: &Ground) -> &str {
    match field.takes() {
        Takes::Line | Takes::Folder => "",
        Takes::OneOf(words) => words.first().copied().unwrap_or_default(),
        Takes::Profile => &ground.default_profile,
    }
}
