//! The border: bollard's models on one side, our types on the other, each field once. Absent, empty, zero and
//! "0001-01-01" become one thing here, and nothing beyond this folder sees an `Option<Option<…>>`.

pub(super) mod change;
pub(super) mod container;
pub(super) mod create;
pub(super) mod event;
pub(super) mod exec;
pub(super) mod image;
pub(super) mod one_shot;
pub(super) mod system;
pub(super) mod usage;
pub(super) mod volume;

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::units::Untrusted;

/// A moment, where the engine names one: its "never" is the year 1, or nothing.
fn moment(text: Option<&str>) -> Option<Timestamp> {
    text?.parse::<Timestamp>().ok().filter(|moment| moment.as_second() > 0)
}

/// A moment in seconds since 1970; 1970 itself where it is out of range.
fn from_seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn labels(map: Option<HashMap<String, String>>) -> BTreeMap<String, Untrusted> {
    map.unwrap_or_default().into_iter().map(|(key, value)| (key, value.into())).collect()
}

fn untrusted(texts: Option<Vec<String>>) -> Vec<Untrusted> {
    texts.unwrap_or_default().into_iter().map(Untrusted::from).collect()
}

/// A limit: zero, minus one and absent are all "none".
fn limit(value: Option<i64>) -> Option<u64> {
    value.and_then(|value| u64::try_from(value).ok()).filter(|value| *value > 0)
}

/// A count that the engine writes as a signed number.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A map whose order is chance becomes lines in order.
fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}
