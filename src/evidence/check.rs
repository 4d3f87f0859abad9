use std::collections::{BTreeMap, BTreeSet};
use std::io;

use jiff::Timestamp;
use serde::Serialize;

use super::shelf::Shelf;

/// What a look at all files and at the log came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Files that are as they were written.
    pub sound: usize,
    /// Ends in the log whose files were removed when their time was over.
    pub expired: usize,
    /// What is not as it should be.
    pub flaws: Vec<Flaw>,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// The file; empty where it is the log.
    pub file: String,
    /// What.
    pub flaw: FlawKind,
}

/// How a file can differ from what the log says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlawKind {
    /// Its bytes are not those that were written.
    Changed,
    /// The log tells of it, and it is not there.
    Missing,
    /// It is there, and the log does not tell of it.
    Unknown,
    /// The audit log itself does not hold together, so it proves nothing.
    LogBroken,
}

impl FlawKind {
    /// In words.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Changed => "it is not as it was written",
            Self::Missing => "the audit log tells of it, and it is gone",
            Self::Unknown => "the audit log does not tell of it",
            Self::LogBroken => "the audit log does not hold together: palisade audit verify says where",
        }
    }
}

impl Shelf {
    /// Compares every file with the log.
    pub fn verify(&self, now: Timestamp) -> io::Result<Proof> {
        let _lock = self.settled(now)?;
        let mut flaws = Vec::new();
        if !self.log.verify()?.is_sound() {
            flaws.push(Flaw { file: String::new(), flaw: FlawKind::LogBroken });
        }
        let (mut told, mut gone) = (BTreeMap::new(), BTreeSet::new());
        for entry in self.log.entries(|entry| ["end", "expire"].contains(&entry.action.as_str()), None)? {
            if entry.action == "end" {
                let text = |name: &str| entry.detail[name].as_str().unwrap_or_default().to_owned();
                told.insert(text("evidence"), text("sha256"));
            } else {
                gone.extend(entry.detail["evidence"].as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)));
            }
        }
        let there: BTreeMap<String, String> = self.hashes()?.into_iter().collect();
        let mut sound = 0;
        for (file, sha256) in &there {
            match told.get(file) {
                Some(written) if written == sha256 => sound += 1,
                Some(_) => flaws.push(Flaw { file: file.clone(), flaw: FlawKind::Changed }),
                None => flaws.push(Flaw { file: file.clone(), flaw: FlawKind::Unknown }),
            }
        }
        let (mut expired, absent) = (0, told.keys().filter(|file| !there.contains_key(*file)));
        for file in absent {
            if gone.contains(file) {
                expired += 1;
            } else {
                flaws.push(Flaw { file: file.clone(), flaw: FlawKind::Missing });
            }
        }
        Ok(Proof { sound, expired, flaws })
    }
}
