//! Where the chain ended when its owner last wrote, beside the log: by it, lines that were cut off at the end are missed.
#![expect(clippy::disallowed_methods, reason = "the log's own files")]

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::chain::Link;

/// The end of the log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Of the chain.
    pub link: Link,
    /// Bytes of the log up to there.
    pub length: u64,
}

/// What stands in the file.
pub enum Kept {
    /// Nothing was ever written.
    Nothing,
    /// This.
    Head(Head),
    /// Something that no palisade wrote.
    Damaged,
}

/// Where it is for a log.
pub fn beside(log: &Path) -> PathBuf {
    log.with_extension("head")
}

/// Reads it.
pub fn read(path: &Path) -> io::Result<Kept> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let head = serde_json::from_str(&text).ok();
            // Any byte that differs counts, also one that means nothing to the parser.
            Ok(head.filter(|head| written(head).is_ok_and(|written| written == text)).map_or(Kept::Damaged, Kept::Head))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::Nothing),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(Kept::Damaged),
        Err(error) => Err(error),
    }
}

/// Replaces it whole.
pub fn write(path: &Path, head: &Head) -> io::Result<()> {
    let temporary = path.with_extension("head.new");
    std::fs::write(&temporary, written(head)?)?;
    std::fs::rename(&temporary, path)
}

fn written(head: &Head) -> io::Result<String> {
    Ok(serde_json::to_string(head)? + "\n")
}
