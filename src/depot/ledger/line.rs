use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::fold::FetchedArtifact;
use super::types::{Counters, Event};
use crate::depot::promise::Ecosystem;

/// The longest line that is read; what is longer is damage.
const LONGEST: u64 = 16 * 1024;

/// One line of a journal. A compacted journal begins with a head, and everything but what was recorded since is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// What had been counted when the journal was compacted.
    Head(Head),
    /// An artifact, as compacted.
    Fetched(FetchedArtifact),
    /// An event worth showing that the head has counted.
    Past(Event),
    /// A request that no head has counted.
    Request {
        /// What its hit is estimated to have saved.
        #[serde(default)]
        saved_ms: u64,
        /// The request.
        event: Event,
    },
}

/// What had been counted when a journal was compacted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Head {
    /// By ecosystem.
    pub counters: BTreeMap<Ecosystem, Counters>,
    /// When the last of it was.
    pub last: Option<Timestamp>,
    /// Answers with artifacts for which the list had no room.
    pub unlisted: u64,
}

impl Line {
    /// As it stands in a journal, line feed included.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        bytes(self)
    }
}

/// The line of a request, as it stands in a journal.
pub(super) fn request(saved_ms: u64, event: &Event) -> io::Result<Vec<u8>> {
    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Borrowed<'a> {
        Request { saved_ms: u64, event: &'a Event },
    }
    bytes(&Borrowed::Request { saved_ms, event })
}

fn bytes(line: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(512);
    serde_json::to_writer(&mut bytes, line)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Gives each line that makes sense, with its length, and passes over what does not: a torn end, damage, a newer
/// version's words. Never holds more than one line.
pub(super) fn each(mut journal: impl BufRead, mut take: impl FnMut(Line, u64)) -> io::Result<()> {
    let mut text = Vec::new();
    loop {
        text.clear();
        if journal.by_ref().take(LONGEST).read_until(b'\n', &mut text)? == 0 {
            return Ok(());
        }
        if text.last() != Some(&b'\n') {
            // Too long, or torn; a torn one may still be whole, when only its line feed is missing.
            if text.len() as u64 == LONGEST {
                journal.skip_until(b'\n')?;
                continue;
            }
        }
        if let Ok(line) = serde_json::from_slice(&text) {
            take(line, text.len() as u64);
        }
    }
}
