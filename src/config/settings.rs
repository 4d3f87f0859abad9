//! The operator's settings: the embedded defaults, and `config.toml` over them.

mod check;
mod dashboard;
mod written;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Environment, Paths, text_file, toml_file};
use crate::failure::{Code, Failure, Result};
use crate::units::{Bytes, Seconds};
pub use dashboard::DashboardSettings;
use written::Written;

const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Every key with what it takes.
const KEYS: [toml_file::Key; 26] = [
    ("profile", "the name of a profile"),
    ("host", "an engine's address such as \"unix:///var/run/docker.sock\", or \"\" to find it"),
    ("detach_keys", "keys such as \"ctrl-p,ctrl-q\": each a letter, or ctrl- with one of a-z @ [ \\ ] ^ _"),
    ("direct_terminals", "true or false"),
    ("ca_bundle", "the path of a PEM file, absolute or from ~/, \"auto\" or \"\""),
    ("workspace.allowed_roots", "a list of folders, absolute or from ~/"),
    ("image.tag", "an image reference such as \"palisade-sandbox:latest\""),
    ("image.base", "an image reference such as \"debian:trixie-slim\""),
    ("image.suite", "the name of a Debian release"),
    ("image.debian_mirror", "the address of a Debian mirror, http or https"),
    ("packages.index_ttl", "a span of whole seconds up to 30 days, such as \"10m\""),
    ("packages.proxy", "the address of a proxy, http or https and without a password, \"auto\" or \"\""),
    ("packages.pypi.url", "the address of a simple index, http or https, without user, password and query"),
    ("packages.pypi.private", "a list of { url, owns, credentials_file }, where owns holds names such as \"corp-tool\" or \"corp-*\""),
    ("packages.npm.url", "the address of an npm registry, http or https, without user, password and query"),
    ("packages.npm.private", "a list of { url, owns, credentials_file }, where owns holds names such as \"corp-tool\" or \"@corp/*\""),
    ("depot.name", "a name of 2 to 50 of a-z A-Z 0-9 _ . -"),
    ("depot.network", "the name of one of the engine's networks, such as \"bridge\""),
    ("depot.memory", "a size from 64 MiB to 1 TiB"),
    ("depot.store_size", "a size from 64 MiB to 1 PiB"),
    ("depot.artifact_size", "a size from 1 MiB to what 'depot.store_size' is"),
    ("evidence.keep", "a whole number from 0 to 1000000"),
    ("evidence.max_age", "a span of whole seconds up to 100 years, such as \"365days\""),
    ("dashboard.theme", "the name of a theme such as \"dark\""),
    ("dashboard.mouse", "true or false"),
    ("keys", "a table of actions with lists of keys, such as launch = [\"n\", \"f2\"]"),
];

/// All settings, each decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The profile of launches that name none.
    pub profile: String,
    /// The engine's address; empty to find it.
    pub host: String,
    /// The keys that leave a session's terminal, as docker writes them.
    pub detach_keys: String,
    /// Whether a session's supervisor is talked to without the engine where that is possible.
    pub direct_terminals: bool,
    /// Which certificates images trust while they are built.
    pub ca_bundle: CaBundle,
    /// Bounds on workspaces.
    pub workspace: WorkspaceSettings,
    /// The sandbox image.
    pub image: ImageSettings,
    /// Where packages come from.
    pub packages: PackageSettings,
    /// The package depot.
    pub depot: DepotSettings,
    /// What is kept of sessions that have ended.
    pub evidence: EvidenceSettings,
    /// The dashboard.
    pub dashboard: DashboardSettings,
    /// Keys of the dashboard's actions, by the action's name; what they mean is the dashboard's to say.
    pub keys: BTreeMap<String, Vec<String>>,
}

/// Which certificates to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaBundle {
    /// `SSL_CERT_FILE`, or this machine's own.
    Auto,
    /// None but what the image has.
    None,
    /// This file.
    File(PathBuf),
}

/// Bounds on workspaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceSettings {
    /// Where they may be, absolute; empty for anywhere that is not refused.
    pub allowed_roots: Vec<PathBuf>,
}

/// The sandbox image and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSettings {
    /// Its name.
    pub tag: String,
    /// The image that it starts from.
    pub base: String,
    /// The Debian release for a bootstrap.
    pub suite: String,
    /// Where a bootstrap's packages come from.
    pub debian_mirror: String,
}

/// Where packages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageSettings {
    /// How long an index is used before its registry is asked again.
    pub index_ttl: Seconds,
    /// The depot's way out.
    pub proxy: Proxy,
    /// Python's.
    pub pypi: RegistrySettings,
    /// Node's.
    pub npm: RegistrySettings,
}

/// The registries of one ecosystem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrySettings {
    /// The address of the one that is asked for every name that no other owns.
    pub url: String,
    /// Those beside it, in the order in which they are asked.
    pub private: Vec<PrivateRegistry>,
}

/// A registry beside the public one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateRegistry {
    /// Its address.
    pub url: String,
    /// Names that are looked up here and nowhere else, in their one spelling: `name`, `prefix*`, `@scope/*`. With none,
    /// it is asked first for every name that no other owns.
    pub owns: Vec<String>,
    /// Where its credentials are, absolute.
    pub credentials_file: Option<PathBuf>,
}

/// How what leaves the depot leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// As the operator's own environment says.
    Auto,
    /// Straight.
    None,
    /// By this proxy.
    Url(String),
}

/// The package depot's container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DepotSettings {
    /// Its name; its volumes' begin with it.
    pub name: String,
    /// The engine's network by which it reaches registries.
    pub network: String,
    /// Its memory.
    pub memory: Bytes,
    /// Most that its store takes on disk.
    pub store_size: Bytes,
    /// Most that one artifact may take.
    pub artifact_size: Bytes,
}

/// What is kept of sessions that have ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceSettings {
    /// So many files; the oldest go first.
    pub keep: u64,
    /// For so long.
    pub max_age: Seconds,
}

impl Default for Settings {
    fn default() -> Self {
        // The file is part of the program: a test reads it, so this cannot be reached in one that was built.
        Self::embedded().unwrap_or_else(|error| unreachable!("config/default.toml: {error}"))
    }
}

impl Settings {
    /// The defaults, with the operator's `config.toml` over them where there is one.
    pub fn load(environment: &Environment, paths: &Paths) -> Result<Self> {
        let mut settings = Self::embedded()?;
        let path = paths.settings_file();
        if let Some(text) = text_file::read(&path)? {
            let origin = path.display().to_string();
            settings.lay(toml_file::parse(&text, &origin, &KEYS)?);
            check::check(&mut settings, &origin)?;
        }
        for root in &mut settings.workspace.allowed_roots {
            *root = environment.absolute(&root.to_string_lossy());
        }
        let registries = settings.packages.pypi.private.iter_mut().chain(&mut settings.packages.npm.private);
        let files = registries.filter_map(|registry| registry.credentials_file.as_mut());
        let bundle = if let CaBundle::File(file) = &mut settings.ca_bundle { Some(file) } else { None };
        for file in files.chain(bundle) {
            *file = environment.absolute(&file.to_string_lossy());
        }
        Ok(settings)
    }

    fn embedded() -> Result<Self> {
        const ORIGIN: &str = "config/default.toml";
        let written: Written = toml_file::parse(DEFAULTS, ORIGIN, &KEYS)?;
        let left_out = || Failure::new(Code::Internal, format!("{ORIGIN} leaves a key out"));
        let decided = |value: Option<String>| value.ok_or_else(left_out);
        let mut settings = Self {
            profile: decided(written.profile)?,
            host: decided(written.host)?,
            detach_keys: decided(written.detach_keys)?,
            direct_terminals: written.direct_terminals.ok_or_else(left_out)?,
            ca_bundle: CaBundle::of(decided(written.ca_bundle)?),
            workspace: WorkspaceSettings { allowed_roots: written.workspace.allowed_roots.unwrap_or_default() },
            image: ImageSettings {
                tag: decided(written.image.tag)?,
                base: decided(written.image.base)?,
                suite: decided(written.image.suite)?,
                debian_mirror: decided(written.image.debian_mirror)?,
            },
            packages: PackageSettings {
                index_ttl: written.packages.index_ttl.ok_or_else(left_out)?,
                proxy: Proxy::of(decided(written.packages.proxy)?),
                pypi: RegistrySettings { url: decided(written.packages.pypi.url)?, private: Vec::new() },
                npm: RegistrySettings { url: decided(written.packages.npm.url)?, private: Vec::new() },
            },
            depot: DepotSettings {
                name: decided(written.depot.name)?,
                network: decided(written.depot.network)?,
                memory: written.depot.memory.ok_or_else(left_out)?,
                store_size: written.depot.store_size.ok_or_else(left_out)?,
                artifact_size: written.depot.artifact_size.ok_or_else(left_out)?,
            },
            evidence: EvidenceSettings {
                keep: written.evidence.keep.ok_or_else(left_out)?,
                max_age: written.evidence.max_age.ok_or_else(left_out)?,
            },
            dashboard: DashboardSettings { theme: decided(written.dashboard.theme)?, mouse: written.dashboard.mouse.ok_or_else(left_out)? },
            keys: written.keys,
        };
        check::check(&mut settings, ORIGIN)?;
        Ok(settings)
    }

    fn lay(&mut self, written: Written) {
        fn take<T>(below: &mut T, above: Option<T>) {
            if let Some(above) = above {
                *below = above;
            }
        }
        take(&mut self.profile, written.profile);
        take(&mut self.host, written.host);
        take(&mut self.detach_keys, written.detach_keys);
        take(&mut self.direct_terminals, written.direct_terminals);
        take(&mut self.ca_bundle, written.ca_bundle.map(CaBundle::of));
        take(&mut self.workspace.allowed_roots, written.workspace.allowed_roots);
        take(&mut self.image.tag, written.image.tag);
        take(&mut self.image.base, written.image.base);
        take(&mut self.image.suite, written.image.suite);
        take(&mut self.image.debian_mirror, written.image.debian_mirror);
        take(&mut self.packages.index_ttl, written.packages.index_ttl);
        take(&mut self.packages.proxy, written.packages.proxy.map(Proxy::of));
        take(&mut self.packages.pypi.url, written.packages.pypi.url);
        take(&mut self.packages.pypi.private, written.packages.pypi.private);
        take(&mut self.packages.npm.url, written.packages.npm.url);
        take(&mut self.packages.npm.private, written.packages.npm.private);
        take(&mut self.depot.name, written.depot.name);
        take(&mut self.depot.network, written.depot.network);
        take(&mut self.depot.memory, written.depot.memory);
        take(&mut self.depot.store_size, written.depot.store_size);
        take(&mut self.depot.artifact_size, written.depot.artifact_size);
        take(&mut self.evidence.keep, written.evidence.keep);
        take(&mut self.evidence.max_age, written.evidence.max_age);
        take(&mut self.dashboard.theme, written.dashboard.theme);
        take(&mut self.dashboard.mouse, written.dashboard.mouse);
        self.keys.extend(written.keys);
    }
}

impl CaBundle {
    fn of(text: String) -> Self {
        match text.as_str() {
            "auto" => Self::Auto,
            "" => Self::None,
            _ => Self::File(text.into()),
        }
    }
}

impl Proxy {
    fn of(text: String) -> Self {
        match text.as_str() {
            "auto" => Self::Auto,
            "" => Self::None,
            _ => Self::Url(text),
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests write the files that are read")]
mod tests;
