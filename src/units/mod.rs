//! Quantities, names and ids: how each is parsed from what a person types and shown again.
//!
//! Knows nothing of sessions, policies or engines. Every type here carries its unit in its name, refuses
//! what is out of its range when it is parsed, and says why.

mod age;
mod bytes;
mod capability;
mod cpus;
mod hex;
mod id;
mod name;
mod seconds;
mod share;
mod untrusted;

pub use age::{age, brief_age, brief_span};
pub use bytes::Bytes;
pub use capability::{CapSet, Capability};
pub use cpus::Cpus;
pub use hex::hex;
pub use id::SessionId;
pub use name::SessionName;
pub use seconds::Seconds;
pub use share::percent;
pub use untrusted::{Untrusted, plain_width, sanitise};

/// Why a text is not the quantity, name or id that it was read as: the value and the way out in one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(pub String);

/// Serde through `Display` and `FromStr`, for the types that are a text in TOML and JSON.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;

/// Serde for quantities that are a number in JSON and, in TOML, a number or a text with a unit.
macro_rules! serde_number_or_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u64(self.get())
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(serde::Deserialize)]
                #[serde(untagged, expecting = "a whole number, or a text with a unit such as \"512 MiB\" or \"30s\"")]
                enum Form {
                    Number(u64),
                    Text(String),
                }
                match Form::deserialize(deserializer)? {
                    Form::Number(number) => Ok(Self::new(number)),
                    Form::Text(text) => text.parse().map_err(serde::de::Error::custom),
                }
            }
        }
    };
}
pub(crate) use serde_number_or_text;
