use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ParseError;

/// A share of processors in thousandths: `Cpus::milli(1500)` is one and a half.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cpus(u32);

impl Cpus {
    /// So many thousandths of a processor.
    pub const fn milli(thousandths: u32) -> Self {
        Self(thousandths)
    }

    /// Thousandths of a processor.
    pub const fn as_milli(self) -> u32 {
        self.0
    }

    /// From the engine's unit, down to a thousandth; `None` for more than there can be.
    pub fn from_nano(nano: u64) -> Option<Self> {
        u32::try_from(nano / 1_000_000).ok().map(Self)
    }

    /// The engine's unit: billionths of a processor.
    pub const fn as_nano(self) -> i64 {
        self.0 as i64 * 1_000_000
    }
}

impl fmt::Display for Cpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) { write!(f, "{}", self.0 / 1000) } else { write!(f, "{}", f64::from(self.0) / 1000.0) }
    }
}

impl FromStr for Cpus {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || ParseError(format!("'{text}' is not a number of CPUs: give one such as 2 or 0.5"));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        if fraction.len() > 3 || !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Err(refuse());
        }
        let whole: u32 = whole.parse().map_err(|_| refuse())?;
        let part: u32 = if fraction.is_empty() { 0 } else { format!("{fraction:0<3}").parse().map_err(|_| refuse())? };
        whole.checked_mul(1000).and_then(|milli| milli.checked_add(part)).map(Self).ok_or_else(refuse)
    }
}

impl Serialize for Cpus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(1000) {
            serializer.serialize_u32(self.0 / 1000)
        } else {
            serializer.serialize_f64(f64::from(self.0) / 1000.0)
        }
    }
}

impl<'de> Deserialize<'de> for Cpus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a number of CPUs such as 2 or 0.5")]
        enum Form {
            Whole(u32),
            Decimal(f64),
            Text(String),
        }
        let text = match Form::deserialize(deserializer)? {
            Form::Whole(whole) => whole.to_string(),
            Form::Decimal(decimal) => decimal.to_string(),
            Form::Text(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_read_and_show_the_same() {
        for text in ["2", "0.5", "1.25", "0.001"] {
            assert_eq!(text.parse::<Cpus>().unwrap().to_string(), text);
        }
        for text in ["", "two", "-1", "1.2345", ".", "1e3"] {
            assert!(text.parse::<Cpus>().is_err(), "{text}");
        }
    }
}
