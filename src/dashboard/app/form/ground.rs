//! What the form starts from: this machine's, and the last form's values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::profiles::ProfileSummary;

/// What the form offers: what this machine has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ground {
    /// Every profile with what it comes to, as `palisade profiles` lists them. With none, what a field's limits are
    /// is told by the plan alone.
    pub profiles: Vec<ProfileSummary>,
    /// The profile where none is named.
    pub default_profile: String,
    /// The folder that the dashboard was started in: what a relative workspace is relative to.
    pub folder: String,
    /// How headless is called for the same engine: `palisade`, with `--host` where this dashboard was given one. Empty
    /// is `palisade` alone.
    pub program: Vec<String>,
}

/// The last values of the form, as they come back.
///
/// Values of environment variables are kept while the program runs and are never written down: they are where keys
/// and passwords stand, and a state file is read by backups. Their names are, so that it is plain what is to be
/// given again; secrets are names alone in any case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Remembered {
    /// Texts by the field's key; fields that are as at first are left out.
    pub values: BTreeMap<String, String>,
    /// Variables in `env` whose value was left out.
    pub unkept: Vec<String>,
    /// `env` as it was typed.
    #[serde(skip)]
    pub env: Option<String>,
}
