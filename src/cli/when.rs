use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use crate::units::{ParseError, sanitise};

/// A point in time as typed: absolute, or so long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// A moment.
    At(Timestamp),
    /// A span before now.
    Ago(SignedDuration),
}

impl When {
    /// Seconds since 1970.
    pub fn unix_seconds(self, now: Timestamp) -> i64 {
        match self {
            Self::At(moment) => moment.as_second(),
            Self::Ago(span) => now.checked_sub(span).map_or(0, Timestamp::as_second).max(0),
        }
    }
}

impl FromStr for When {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || {
            ParseError(format!(
                "'{}' is not a time: give RFC 3339 such as 2026-01-31T08:00:00Z, a date, seconds since 1970, or a span ago such as 10m",
                sanitise(text)
            ))
        };
        if let Ok(seconds) = text.parse::<i64>() {
            return Timestamp::from_second(seconds).map(Self::At).map_err(|_| refuse()).and_then(|when| match when {
                Self::At(moment) if moment.as_second() < 0 => Err(refuse()),
                when => Ok(when),
            });
        }
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Ok(Self::At(moment));
        }
        if let Ok(moment) = format!("{text}T00:00:00Z").parse::<Timestamp>() {
            return Ok(Self::At(moment));
        }
        let span = humantime::parse_duration(text).map_err(|_| refuse())?;
        SignedDuration::try_from(span).map(Self::Ago).map_err(|_| refuse())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_spans_read_as_seconds_since_1970() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        for (text, seconds) in
            [("10m", 999_400), ("1h 30m", 994_600), ("0", 0), ("86400", 86_400), ("1970-01-02T00:00:00Z", 86_400), ("1970-01-02", 86_400)]
        {
            assert_eq!(text.parse::<When>().unwrap().unix_seconds(now), seconds, "{text}");
        }
        assert_eq!("100days".parse::<When>().unwrap().unix_seconds(now), 0);
        for text in ["", "soon", "-5", "2026-13-01", "9999999999999999", "\u{1b}[2J"] {
            let error = text.parse::<When>().unwrap_err().to_string();
            assert!(error.contains("is not a time") && !error.contains('\u{1b}'), "{error}");
        }
    }
}
