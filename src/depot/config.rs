//! What the manager tells the depot: one JSON document on the depot's own volume, its key and credentials included.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::promise::Ecosystem;
use super::token::Key;
use crate::units::{Bytes, Seconds};

/// The version of this document, and of the protocol on the socket.
pub const SCHEMA: u32 = 1;

/// Everything that the depot is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepotConfig {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Signs tokens.
    pub key: Key,
    /// When the key was made: sessions that were started before show tokens of another.
    pub key_made: Timestamp,
    /// Registries by ecosystem, in the order in which they are asked.
    pub upstreams: BTreeMap<Ecosystem, Vec<UpstreamConfig>>,
    /// How long an index page is used before the registry is asked again.
    pub index_ttl: Seconds,
    /// Most that the store takes on disk.
    pub store_size: Bytes,
    /// Most that one artifact may take.
    pub artifact_size: Bytes,
    /// The proxy for everything that leaves; empty for none.
    pub proxy: String,
}

/// One registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamConfig {
    /// Base address: a simple index, or an npm registry.
    pub url: String,
    /// Names that are looked up here and nowhere else: `name`, `prefix*` or `@scope/*`. Empty for a registry that
    /// is asked for every name that no other owns.
    pub owns: Vec<String>,
    /// Sent to this registry's own origin alone.
    pub credentials: Option<Credentials>,
}

/// How a registry knows its client.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Credentials {
    /// HTTP Basic, `USER:PASSWORD`.
    Basic(String),
    /// HTTP Bearer.
    Bearer(String),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Basic(_) => "Basic(…)",
            Self::Bearer(_) => "Bearer(…)",
        })
    }
}
