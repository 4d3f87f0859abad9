//! What was asked for at a launch, as its label keeps it: enough to ask for the same again on another day.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::profile::Profile;

/// Longest label: it comes with every list of containers.
const LONGEST: usize = 32 * 1024;

/// What was asked for, before anything was looked up. No value of a variable or a secret: the container itself has the
/// former, the operator's environment the latter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The profile by name, or its file's whole path; `None` for the configured default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What flags said over the profile.
    #[serde(skip_serializing_if = "is_default")]
    pub overrides: Profile,
    /// The folder whose `.palisade.toml` was read, if it had one; `None` where none was to be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Command and arguments; empty for the image's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Whether it runs in a terminal.
    #[serde(skip_serializing_if = "is_default")]
    pub tty: bool,
    /// Names of the variables that were set beside the profile's.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub env: BTreeSet<String>,
    /// `PATH`, `PATH:ro` or `PATH:rw`, whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// Working directory; empty where none was named.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
}

impl Asked {
    /// For the label; empty where it is too long for one.
    pub fn written(&self) -> String {
        serde_json::to_string(self).ok().filter(|text| text.len() <= LONGEST).unwrap_or_default()
    }

    /// From the label; `None` where it holds none.
    pub fn read(label: &str) -> Option<Self> {
        serde_json::from_str(label).ok()
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_reads_back_and_what_is_usual_takes_no_room() {
        assert_eq!(Asked::default().written(), "{}");
        let asked = Asked {
            profile: Some("strict".to_owned()),
            overrides: Profile { pids_limit: Some(64), ..Profile::default() },
            command: vec!["sleep".to_owned(), String::new()],
            env: ["CI".to_owned()].into(),
            workspace: Some("/srv/project:ro".to_owned()),
            ..Asked::default()
        };
        assert_eq!(Asked::read(&asked.written()), Some(asked));
        assert_eq!(Asked::read(""), None);
        assert_eq!(Asked { command: vec!["x".repeat(LONGEST)], ..Asked::default() }.written(), "");
    }
}
