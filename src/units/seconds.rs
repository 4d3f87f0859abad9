use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{ParseError, serde_number_or_text};

/// A whole number of seconds, read as `90`, `90s`, `1h 30m` or `2days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seconds(u64);

impl Seconds {
    /// So many seconds.
    pub const fn new(seconds: u64) -> Self {
        Self(seconds)
    }

    /// The number of seconds.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The same span as the standard library's type.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

const DAY: u64 = 86_400;

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A month here would be 30.44 days: `300d` would be shown as 9 months, 26 days, 57 minutes and 36 seconds.
        let (days, rest) = (self.0 / DAY, Duration::from_secs(self.0 % DAY));
        match (days, rest.is_zero()) {
            (0, _) => humantime::format_duration(rest).fmt(f),
            (1, true) => f.write_str("1day"),
            (1, false) => write!(f, "1day {}", humantime::format_duration(rest)),
            (_, true) => write!(f, "{days}days"),
            (_, false) => write!(f, "{days}days {}", humantime::format_duration(rest)),
        }
    }
}

impl FromStr for Seconds {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(seconds) = text.trim().parse() {
            return Ok(Self(seconds));
        }
        match humantime::parse_duration(text) {
            Ok(duration) if duration.subsec_nanos() == 0 => Ok(Self(duration.as_secs())),
            _ => Err(ParseError(format!("'{text}' is not a span of whole seconds: give one such as 90s, 10m or 1h 30m"))),
        }
    }
}

serde_number_or_text!(Seconds);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_with_and_without_units() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("1h 30m", 5400), ("2days", 172_800)] {
            assert_eq!(text.parse::<Seconds>().unwrap().get(), seconds);
        }
        for text in ["0s", "1m 30s", "1day", "1day 1h", "300days", "31days 5s"] {
            assert_eq!(text.parse::<Seconds>().unwrap().to_string(), text);
        }
        assert!("500ms".parse::<Seconds>().is_err());
        assert!("soon".parse::<Seconds>().unwrap_err().to_string().contains("'soon'"));
    }
}
