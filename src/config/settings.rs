//! The operator's settings: the embedded defaults, and `config.toml` over them.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Environment, Paths, text_file, toml_file};
use crate::failure::{Code, Failure, Result};

const DEFAULTS: &str = include_str!("../../config/default.toml");

/// Every key with what it takes.
const KEYS: [toml_file::Key; 10] = [
    ("profile", "the name of a profile"),
    ("host", "an engine's address such as \"unix:///var/run/docker.sock\", or \"\" to find it"),
    ("ca_bundle", "the path of a PEM file, absolute or from ~/, \"auto\" or \"\""),
    ("workspace.allowed_roots", "a list of folders, absolute or from ~/"),
    ("image.tag", "an image reference such as \"palisade-sandbox:latest\""),
    ("image.base", "an image reference such as \"debian:trixie-slim\""),
    ("image.suite", "the name of a Debian release"),
    ("image.debian_mirror", "the address of a Debian mirror, http or https"),
    ("packages.pypi.url", "the address of a simple index, http or https"),
    ("packages.npm.url", "the address of an npm registry, http or https"),
];

/// All settings, each decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The profile of launches that name none.
    pub profile: String,
    /// The engine's address; empty to find it.
    pub host: String,
    /// Which certificates images trust while they are built.
    pub ca_bundle: CaBundle,
    /// Bounds on workspaces.
    pub workspace: WorkspaceSettings,
    /// The sandbox image.
    pub image: ImageSettings,
    /// Where packages come from.
    pub packages: PackageSettings,
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
    /// Python's.
    pub pypi: RegistrySettings,
    /// Node's.
    pub npm: RegistrySettings,
}

/// One registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrySettings {
    /// Its address.
    pub url: String,
}

/// A file of settings: any of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    profile: Option<String>,
    host: Option<String>,
    ca_bundle: Option<String>,
    workspace: WrittenWorkspace,
    image: WrittenImage,
    packages: WrittenPackages,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenWorkspace {
    allowed_roots: Option<Vec<PathBuf>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenImage {
    tag: Option<String>,
    base: Option<String>,
    suite: Option<String>,
    debian_mirror: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenPackages {
    pypi: WrittenRegistry,
    npm: WrittenRegistry,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenRegistry {
    url: Option<String>,
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
            settings.check(&origin)?;
        }
        for root in &mut settings.workspace.allowed_roots {
            *root = environment.absolute(&root.to_string_lossy());
        }
        if let CaBundle::File(file) = &mut settings.ca_bundle {
            *file = environment.absolute(&file.to_string_lossy());
        }
        Ok(settings)
    }

    fn embedded() -> Result<Self> {
        const ORIGIN: &str = "config/default.toml";
        let written: Written = toml_file::parse(DEFAULTS, ORIGIN, &KEYS)?;
        let decided = |value: Option<String>| value.ok_or_else(|| Failure::new(Code::Internal, format!("{ORIGIN} leaves a key out")));
        let settings = Self {
            profile: decided(written.profile)?,
            host: decided(written.host)?,
            ca_bundle: CaBundle::of(decided(written.ca_bundle)?),
            workspace: WorkspaceSettings { allowed_roots: written.workspace.allowed_roots.unwrap_or_default() },
            image: ImageSettings {
                tag: decided(written.image.tag)?,
                base: decided(written.image.base)?,
                suite: decided(written.image.suite)?,
                debian_mirror: decided(written.image.debian_mirror)?,
            },
            packages: PackageSettings {
                pypi: RegistrySettings { url: decided(written.packages.pypi.url)? },
                npm: RegistrySettings { url: decided(written.packages.npm.url)? },
            },
        };
        settings.check(ORIGIN).map(|()| settings)
    }

    fn lay(&mut self, written: Written) {
        fn take<T>(below: &mut T, above: Option<T>) {
            if let Some(above) = above {
                *below = above;
            }
        }
        take(&mut self.profile, written.profile);
        take(&mut self.host, written.host);
        take(&mut self.ca_bundle, written.ca_bundle.map(CaBundle::of));
        take(&mut self.workspace.allowed_roots, written.workspace.allowed_roots);
        take(&mut self.image.tag, written.image.tag);
        take(&mut self.image.base, written.image.base);
        take(&mut self.image.suite, written.image.suite);
        take(&mut self.image.debian_mirror, written.image.debian_mirror);
        take(&mut self.packages.pypi.url, written.packages.pypi.url);
        take(&mut self.packages.npm.url, written.packages.npm.url);
    }

    /// What the types cannot say. Addresses and names reach build arguments: no blank, quote or control character.
    fn check(&self, origin: &str) -> Result<()> {
        let is_word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !"\"'\\`$<>|;&".contains(c));
        let is_url = |text: &str| {
            is_word(text) && ["http://", "https://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
        };
        let is_plain = |text: &str| is_word(text) && text.starts_with(|c: char| c.is_ascii_alphanumeric());
        let mut wrong = Vec::new();
        let mut need = |holds: bool, key: &'static str, value: &str| {
            if !holds {
                let value: String = value.chars().take(80).collect();
                wrong.push((key, format!("'{key}' in {origin}: '{value}'")));
            }
        };
        need(is_plain(&self.profile), "profile", &self.profile);
        need(is_plain(&self.image.tag), "image.tag", &self.image.tag);
        need(is_plain(&self.image.base), "image.base", &self.image.base);
        let is_suite = is_plain(&self.image.suite) && self.image.suite.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        need(is_suite, "image.suite", &self.image.suite);
        need(is_url(&self.image.debian_mirror), "image.debian_mirror", &self.image.debian_mirror);
        need(is_url(&self.packages.pypi.url), "packages.pypi.url", &self.packages.pypi.url);
        need(is_url(&self.packages.npm.url), "packages.npm.url", &self.packages.npm.url);
        let is_anchored = |path: &Path| path.is_absolute() || path.to_string_lossy().starts_with("~/");
        for root in &self.workspace.allowed_roots {
            need(is_anchored(root), "workspace.allowed_roots", &root.to_string_lossy());
        }
        if let CaBundle::File(file) = &self.ca_bundle {
            need(is_anchored(file), "ca_bundle", &file.to_string_lossy());
        }
        let Some((first, _)) = wrong.first() else { return Ok(()) };
        let takes = KEYS.iter().find(|(key, _)| key == first).map_or("", |(_, takes)| takes);
        let failure = Failure::new(Code::InvalidConfig, format!("{origin} has a value that its key does not take"));
        let hint = format!("'{first}' takes {takes}");
        Err(Failure { details: wrong.into_iter().map(|(_, line)| line).collect(), ..failure.hint(hint) })
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

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests write the files that are read")]
mod tests;
