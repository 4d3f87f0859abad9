//! What a manager asks of a running depot, and how it is answered: one verb, then lines of JSON. The manager runs
//! `palisade depot control <verb as JSON>` in the depot's container, so no sandbox can ask for any of it.

use serde::{Deserialize, Serialize};

use crate::units::{Bytes, Seconds};

/// What is to be done to the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ControlVerb {
    /// Read every file and compare it with its name; what is damaged goes.
    Verify,
    /// Remove what was used longest ago.
    Prune {
        /// Until no more than this is left; `None` for no bound.
        keep: Option<Bytes>,
        /// What was not used for so long; `None` for whatever its age.
        unused_for: Option<Seconds>,
    },
    /// Remove everything.
    Clear,
}

/// One line of the answer. The last one is a report or an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ControlLine {
    /// How far it is.
    Progress {
        /// Bytes or files done.
        done: u64,
        /// Of so many.
        total: u64,
    },
    /// It is done.
    Report(ControlReport),
    /// It could not be done: one sentence.
    Error(String),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlReport {
    /// Files that were looked at (verify) or removed (prune, clear).
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What was found damaged, by name, and removed.
    pub damaged: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_and_lines_are_one_line_of_json_and_read_back() {
        let prune = ControlVerb::Prune { keep: Some(Bytes::gib(1)), unused_for: Some(Seconds::new(60)) };
        for verb in [ControlVerb::Verify, prune, ControlVerb::Prune { keep: None, unused_for: None }, ControlVerb::Clear] {
            let text = serde_json::to_string(&verb).unwrap();
            assert!(!text.contains('\n'));
            assert_eq!(serde_json::from_str::<ControlVerb>(&text).unwrap(), verb);
        }
        let report = ControlReport { blobs: 2, bytes: 3, damaged: vec!["sha256:00\n".to_owned()] };
        for line in [ControlLine::Progress { done: 1, total: 2 }, ControlLine::Report(report), ControlLine::Error("full".to_owned())] {
            let text = serde_json::to_string(&line).unwrap();
            assert!(!text.contains('\n'));
            assert_eq!(serde_json::from_str::<ControlLine>(&text).unwrap(), line);
        }
    }

    #[test]
    fn what_is_no_verb_is_refused() {
        for text in ["", "verify", "\"format\"", "{\"prune\":{\"keep\":1,\"all\":true}}", "{\"verify\":{}}"] {
            assert!(serde_json::from_str::<ControlVerb>(text).is_err(), "{text}");
        }
    }
}
