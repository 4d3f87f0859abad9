//! A file of settings as it is written: any of them, unknown ones refused.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::PrivateRegistry;
use crate::units::{Bytes, Seconds};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Written {
    pub(super) profile: Option<String>,
    pub(super) host: Option<String>,
    pub(super) detach_keys: Option<String>,
    pub(super) direct_terminals: Option<bool>,
    pub(super) ca_bundle: Option<String>,
    pub(super) workspace: WrittenWorkspace,
    pub(super) image: WrittenImage,
    pub(super) packages: WrittenPackages,
    pub(super) depot: WrittenDepot,
    pub(super) evidence: WrittenEvidence,
    pub(super) dashboard: WrittenDashboard,
    pub(super) keys: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WrittenWorkspace {
    pub(super) allowed_roots: Option<Vec<PathBuf>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WrittenImage {
    pub(super) tag: Option<String>,
    pub(super) base: Option<String>,
    pub(super) suite: Option<String>,
    pub(super) debian_mirror: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WrittenPackages {
    pub(super) index_ttl: Option<Seconds>,
    pub(super) proxy: Option<String>,
    pub(super) pypi: WrittenRegistries,
    pub(super) npm: WrittenRegistries,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WrittenRegistries {
    pub(super) url: Option<String>,
    #[serde(deserialize_with = "some_private")]
    pub(super) private: Option<Vec<PrivateRegistry>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WrittenDepot {
    pub(super) name: Option<String>,
    pub(super) network: Option<String>,
    pub(super) memory: Option<Bytes>,
    pub(super) store_size: Option<Bytes>,
    pub(super) artifact_size: Option<Bytes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WrittenEvidence {
    pub(super) keep: Option<u64>,
    pub(super) max_age: Option<Seconds>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WrittenDashboard {
    pub(super) theme: Option<String>,
    pub(super) mouse: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPrivate {
    url: String,
    #[serde(default)]
    owns: Vec<String>,
    credentials_file: Option<PathBuf>,
}

fn some_private<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<PrivateRegistry>>, D::Error> {
    let registry = |WrittenPrivate { url, owns, credentials_file }| PrivateRegistry { url, owns, credentials_file };
    Ok(Some(Vec::<WrittenPrivate>::deserialize(deserializer)?.into_iter().map(registry).collect()))
}
