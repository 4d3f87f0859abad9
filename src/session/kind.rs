use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::units::ParseError;

/// How long a session stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Stays until it is removed; home is a volume of its own.
    Persistent,
    /// Removed, home and all, when its command ends.
    Ephemeral,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Persistent => "persistent",
            Self::Ephemeral => "ephemeral",
        })
    }
}

impl FromStr for Kind {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "persistent" => Ok(Self::Persistent),
            "ephemeral" => Ok(Self::Ephemeral),
            _ => Err(ParseError(format!("'{}' is not a kind: persistent or ephemeral", crate::units::sanitise(text)))),
        }
    }
}
