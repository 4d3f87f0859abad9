//! What the depot is asked to do with its store, and what it answers: JSON lines on a socket that no sandbox reaches.

use serde::{Deserialize, Serialize};

use crate::units::{Bytes, Seconds};

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum ControlVerb {
    /// Read every file in the store and remove those that are not what they should be.
    Verify,
    /// Remove what was used least lately.
    Prune {
        /// Until the store takes no more than this.
        #[serde(default)]
        keep: Option<Bytes>,
        /// All that was not used for so long.
        #[serde(default)]
        unused_for: Option<Seconds>,
    },
    /// Remove everything.
    Clear,
}

/// One line of an answer. A report or an error is the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlLine {
    /// How far it is.
    Progress {
        /// Bytes, or files, behind it.
        done: u64,
        /// Of so many.
        total: u64,
    },
    /// It is done.
    Report(ControlReport),
    /// It was not done: one sentence.
    Error(String),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ControlReport {
    /// Files: read (verify), or removed.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were not what they should be, by digest; each was removed.
    pub damaged: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_back_and_keep_their_words() {
        let prune = ControlVerb::Prune { keep: Some(Bytes::gib(1)), unused_for: None };
        let text = serde_json::to_string(&prune).unwrap();
        assert_eq!(serde_json::from_str::<ControlVerb>(&text).unwrap(), prune);
        assert_eq!(serde_json::from_str::<ControlVerb>(r#"{"verb":"verify"}"#).unwrap(), ControlVerb::Verify);
        for line in
            [ControlLine::Progress { done: 1, total: 2 }, ControlLine::Report(ControlReport::default()), ControlLine::Error("x".into())]
        {
            assert_eq!(serde_json::from_str::<ControlLine>(&serde_json::to_string(&line).unwrap()).unwrap(), line);
        }
    }
}
