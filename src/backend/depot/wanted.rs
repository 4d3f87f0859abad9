//! From settings to what the depot is told, and to what its container is given.

use std::collections::BTreeMap;

use crate::config::{Environment, Settings};
use crate::depot::config::{DepotConfig, SCHEMA, UpstreamConfig};
use crate::depot::promise::Ecosystem;
use crate::depot::token::Key;
use crate::failure::Result;
use crate::units::{Bytes, Seconds};

const NAME: &str = "palisade-depot";
const NETWORK: &str = "bridge";
const MEMORY: Bytes = Bytes::mib(256);
const STORE_SIZE: Bytes = Bytes::gib(10);
const ARTIFACT_SIZE: Bytes = Bytes::gib(4);
const INDEX_TTL: Seconds = Seconds::new(600);

/// What the depot is told.
#[expect(clippy::unnecessary_wraps, reason = "credentials are read from files")]
pub fn wanted(settings: &Settings, _environment: &Environment, key: Key) -> Result<DepotConfig> {
    let public = |url: &str| vec![UpstreamConfig { url: url.to_owned(), owns: Vec::new(), credentials: None }];
    Ok(DepotConfig {
        schema: SCHEMA,
        key,
        upstreams: BTreeMap::from([
            (Ecosystem::Pypi, public(&settings.packages.pypi.url)),
            (Ecosystem::Npm, public(&settings.packages.npm.url)),
        ]),
        index_ttl: INDEX_TTL,
        store_size: STORE_SIZE,
        artifact_size: ARTIFACT_SIZE,
        proxy: String::new(),
    })
}

/// The depot's name: its container's, and what its volumes' begin with.
pub fn name(_settings: &Settings) -> String {
    NAME.to_owned()
}

/// The engine's network by which it reaches registries.
pub fn network(_settings: &Settings) -> String {
    NETWORK.to_owned()
}

/// The memory of its container.
pub fn memory(_settings: &Settings) -> Bytes {
    MEMORY
}

/// The volume that it alone mounts.
pub fn store_volume(settings: &Settings) -> String {
    format!("{}-store", name(settings))
}

/// The volume with its socket, which sandboxes mount read-only.
pub fn socket_volume(settings: &Settings) -> String {
    format!("{}-socket", name(settings))
}
