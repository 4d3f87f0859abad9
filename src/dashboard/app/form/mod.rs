//! The launch form: what is typed, field by field, and the order that it makes.

use serde::{Deserialize, Serialize};

/// The last values of the form, as they come back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Remembered {}

/// What the form offers: what this machine has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ground {
    /// Profiles by name.
    pub profiles: Vec<String>,
    /// The profile where none is named.
    pub default_profile: String,
    /// The folder that the dashboard was started in.
    pub folder: String,
}

/// The launch form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {}

/// What follows a key in the form.
pub enum Outcome {
    /// Stays.
    Stay(Vec<super::Effect>),
    /// Closes.
    Close,
    /// Launches.
    Submit(Box<crate::backend::Order>),
}

#[expect(missing_docs, clippy::unused_self, clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "replaced")]
impl Form {
    pub fn new(_: &Ground, _: &Remembered, _: &mut u64) -> (Self, Vec<super::Effect>) {
        (Self {}, Vec::new())
    }
    pub fn key(&mut self, _: super::key::Key, _: &mut u64) -> Outcome {
        Outcome::Close
    }
    pub fn remembered(&self) -> Remembered {
        Remembered {}
    }
    pub fn pasted(&mut self, _: &str, _: &mut u64) -> Vec<super::Effect> {
        Vec::new()
    }
    pub fn clicked(&mut self, _: u16, _: u16, _: ratatui::layout::Rect, _: &mut u64) -> Outcome {
        Outcome::Close
    }
    pub fn previewed(&mut self, _: u64, _: Result<Box<crate::policy::plan::Plan>, crate::failure::Failure>) {}
    pub fn completed(&mut self, _: u64, _: Vec<String>) {}
}

#[expect(missing_docs, clippy::unnecessary_wraps, reason = "replaced")]
pub fn split(text: &str) -> Result<Vec<String>, String> {
    Ok(text.split_whitespace().map(str::to_owned).collect())
}
