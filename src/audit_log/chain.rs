use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::units::hex;

/// What the first entry has before it.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What someone does that is written down.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// `launch`, `exec`, `remove`, ….
    pub action: &'static str,
    /// To which session; `None` where it is to none.
    pub session: Option<Subject>,
    /// What more there is to say, in the action's own fields.
    pub detail: serde_json::Value,
}

/// The session that something was done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Its id, which stays.
    pub id: String,
    /// What it was called then.
    pub name: String,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// From 1 on, without a gap.
    pub seq: u64,
    /// The hash of the entry before.
    pub prev: String,
    /// When.
    pub time: Timestamp,
    /// Who, as `uid@host`.
    pub by: String,
    /// The process that wrote it.
    pub pid: u32,
    /// What was done.
    pub action: String,
    /// To which session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Subject>,
    /// What more there is to say.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub detail: serde_json::Value,
}

/// Where a chain ends: what the next entry is linked to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// How many entries there are.
    pub entries: u64,
    /// The hash of the last.
    pub hash: String,
}

impl Default for Link {
    fn default() -> Self {
        Self { entries: 0, hash: BEGINNING.to_owned() }
    }
}

impl Link {
    /// The line of the next entry, without its line feed, and where the chain ends then.
    pub fn next(&self, deed: &Deed, time: Timestamp, by: &str, pid: u32) -> Result<(String, Self), serde_json::Error> {
        let entry = Entry {
            seq: self.entries + 1,
            prev: self.hash.clone(),
            time,
            by: by.to_owned(),
            pid,
            action: deed.action.to_owned(),
            session: deed.session.clone(),
            detail: deed.detail.clone(),
        };
        let entry = serde_json::to_string(&entry)?;
        let hash = hex(&Sha256::digest(&entry));
        Ok((line(&hash, &entry), Self { entries: self.entries + 1, hash }))
    }
}

fn line(hash: &str, entry: &str) -> String {
    format!("{{\"hash\":\"{hash}\",\"entry\":{entry}}}")
}

#[derive(Deserialize)]
struct Line<'a> {
    hash: String,
    #[serde(borrow)]
    entry: &'a RawValue,
}

/// What a line says; `None` unless it is byte for byte as it was written.
pub fn read(text: &str) -> Option<(Entry, String)> {
    let read: Line<'_> = serde_json::from_str(text).ok()?;
    let raw = read.entry.get();
    let as_written = line(&read.hash, raw) == text && hex(&Sha256::digest(raw)) == read.hash;
    as_written.then(|| serde_json::from_str(raw).ok()).flatten().map(|entry| (entry, read.hash))
}
