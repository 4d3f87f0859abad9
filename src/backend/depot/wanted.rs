//! From settings to what the depot is told, and to what its container is given.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::config::{Environment, Registry, RegistryCredentials, Settings};
use crate::depot::config::{Credentials, DepotConfig, SCHEMA, UpstreamConfig};
use crate::depot::promise::Ecosystem;
use crate::depot::token::Key;
use crate::failure::Result;

/// What the depot is told.
pub fn wanted(settings: &Settings, environment: &Environment, key: Key, key_made: Timestamp) -> Result<DepotConfig> {
    let registries = settings.registries(environment)?;
    let all = |registries: Vec<Registry>| registries.into_iter().map(upstream).collect();
    Ok(DepotConfig {
        schema: SCHEMA,
        key,
        key_made,
        upstreams: BTreeMap::from([(Ecosystem::Pypi, all(registries.pypi)), (Ecosystem::Npm, all(registries.npm))]),
        index_ttl: settings.packages.index_ttl,
        store_size: settings.depot.store_size,
        artifact_size: settings.depot.artifact_size,
        proxy: settings.proxy(environment)?,
    })
}

fn upstream(registry: Registry) -> UpstreamConfig {
    let credentials = registry.credentials.map(|credentials| match credentials {
        RegistryCredentials::Basic(pair) => Credentials::Basic(pair),
        RegistryCredentials::Bearer(token) => Credentials::Bearer(token),
    });
    UpstreamConfig { url: registry.url, owns: registry.owns, credentials }
}

/// The volume that it alone mounts.
pub fn store_volume(settings: &Settings) -> String {
    format!("{}-store", settings.depot.name)
}

/// The volume with its socket, which sandboxes mount read-only.
pub fn socket_volume(settings: &Settings) -> String {
    format!("{}-socket", settings.depot.name)
}
