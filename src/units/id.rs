use std::fmt;
use std::str::FromStr;

use ulid::Ulid;

use super::{ParseError, SessionName, serde_as_text};

/// What a session is from launch to removal, whatever it is called: a ULID, so ids sort by time of launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(Ulid);

impl SessionId {
    /// The id that `palisade plan` shows: no session is ever launched under it.
    pub const NIL: Self = Self(Ulid::nil());

    /// From a moment (milliseconds since 1970) and 80 random bits.
    pub fn from_parts(unix_ms: u64, random: u128) -> Self {
        Self(Ulid::from_parts(unix_ms, random))
    }

    /// The name of a session that was launched without one: `run-` and the id's random tail.
    pub fn default_name(self) -> SessionName {
        let text = self.to_string();
        let tail = text.get(text.len() - 8..).unwrap_or(&text);
        // Infallible by construction: eight lower-case alphanumerics after a fixed prefix.
        format!("run-{tail}").parse().unwrap_or_else(|_| unreachable!("a ULID's tail is alphanumeric"))
    }
}

impl fmt::Display for SessionId {
    /// Lower case, so that it can stand in names of volumes and hosts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_string().to_ascii_lowercase())
    }
}

impl FromStr for SessionId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ulid::from_string(text)
            .map(Self)
            .map_err(|_| ParseError(format!("'{}' is not a session id: it has 26 letters and digits", super::sanitise(text))))
    }
}

serde_as_text!(SessionId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_sorts_by_time() {
        let early = SessionId::from_parts(1, u128::MAX);
        let late = SessionId::from_parts(2, 0);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(late.to_string().parse::<SessionId>().unwrap(), late);
        assert!(early.default_name().as_str().starts_with("run-"));
    }
}
