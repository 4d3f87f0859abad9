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
