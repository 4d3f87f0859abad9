//! Where profiles are found, and which layers a launch is made of.
//!
//! ```text
//! lowest   profile default, embedded
//!          'image.tag' of config.toml, as the image of sessions that name none
//!          the operator's own default.toml, where there is one
//!          the bases of the profile that was asked for, then the profile itself
//!          --profile ./FILE.toml, then the project's .palisade.toml: these may only narrow
//! highest  the command line
//! ```
//!
//! A profile of the operator's own stands before an embedded one of the same name. It starts from its `base`,
//! from `default` where it names none; a `base` of its own name is the embedded one that it stands before.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Paths, Settings, project_file, text_file, toml_file};
use crate::failure::{Code, Failure, Result};
use crate::policy::Policy;
use crate::policy::profile::{KEYS, Profile};
use crate::policy::resolve::{Layer, Trust, resolve};

/// The profiles that are part of the program.
const EMBEDDED: [(&str, &str); 4] = [
    (DEFAULT, include_str!("../../config/profiles/default.toml")),
    ("strict", include_str!("../../config/profiles/strict.toml")),
    ("build", include_str!("../../config/profiles/build.toml")),
    ("offline", include_str!("../../config/profiles/offline.toml")),
];
const DEFAULT: &str = "default";
/// More bases than anyone can keep in mind.
const DEEPEST: usize = 8;
/// Longest name of a profile: it stands in a label and in tables.
const LONGEST_NAME: usize = 64;

/// One profile as `palisade profiles` shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ProfileSummary {
    /// What it is called.
    pub name: String,
    /// Its own line.
    pub description: String,
    /// `embedded`, or the operator's file.
    pub origin: String,
    /// What it comes to.
    pub policy: Policy,
}

/// The policy of a launch; see [`layers`].
pub fn resolved(
    paths: &Paths,
    settings: &Settings,
    profile: Option<&str>,
    project_folder: Option<&Path>,
    overrides: Profile,
) -> Result<Policy> {
    let (name, layers) = layers(paths, settings, profile, project_folder, overrides)?;
    resolve(&name, &layers)
}

/// The name of the profile and the layers of a launch, lowest first.
///
/// `profile` is a name, or a file where it has a `/` or ends in `.toml`; `None` is the configured default.
/// `project_folder` is where a `.palisade.toml` is looked for: `None` looks for none.
pub fn layers(
    paths: &Paths,
    settings: &Settings,
    profile: Option<&str>,
    project_folder: Option<&Path>,
    overrides: Profile,
) -> Result<(String, Vec<Layer>)> {
    let shelf = Shelf { paths, settings };
    let file = profile.filter(|profile| is_file(profile)).map(Path::new);
    let chosen = profile.filter(|_| file.is_none()).unwrap_or(&settings.profile);
    let mut layers = shelf.chain(chosen)?;
    let mut name = chosen.to_owned();
    if let Some(file) = file {
        let Some(text) = text_file::read(file)? else {
            return Err(Failure::new(Code::NotFound, format!("there is no profile file {}", file.display()))
                .hint(format!("give the path of a file, or one of {}", shelf.names()?.join(", "))));
        };
        name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        layers.extend(shelf.distrusted(&text, &file.display().to_string())?);
    }
    if let Some(folder) = project_folder
        && let Some(text) = project_file::read(folder)?
    {
        layers.extend(shelf.distrusted(&text, project_file::NAME)?);
    }
    if overrides != Profile::default() {
        layers.push(Layer { profile: overrides, origin: "the command line".to_owned(), trust: Trust::Operator });
    }
    Ok((name, layers))
}

/// Every profile by name, with what it comes to.
pub fn list(paths: &Paths, settings: &Settings) -> Result<Vec<ProfileSummary>> {
    let shelf = Shelf { paths, settings };
    let mut summaries = Vec::new();
    for name in shelf.names()? {
        let layers = shelf.chain(&name)?;
        let own = shelf.find(&name, &name, false)?;
        summaries.push(ProfileSummary {
            policy: resolve(&name, &layers)?,
            description: own.profile.description.unwrap_or_default(),
            origin: own.file.map_or_else(|| "embedded".to_owned(), |file| file.display().to_string()),
            name,
        });
    }
    Ok(summaries)
}

/// Whether what was given for a profile is a file rather than a name.
pub fn is_file(profile: &str) -> bool {
    profile.contains('/') || Path::new(profile).extension().is_some_and(|extension| extension == "toml")
}

fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && !is_file(name)
}

/// The profiles that there are.
struct Shelf<'a> {
    paths: &'a Paths,
    settings: &'a Settings,
}

/// A profile with where it was found; `file` is `None` where it is embedded.
struct Found {
    profile: Profile,
    file: Option<PathBuf>,
}

impl Shelf<'_> {
    /// A profile by name: the operator's own first, unless only the embedded one is meant.
    fn find(&self, name: &str, asked_by: &str, embedded_only: bool) -> Result<Found> {
        let unknown = || -> Result<Found> {
            let names = self.names()?;
            let shown: String = name.chars().take(LONGEST_NAME).collect();
            let failure = Failure::new(Code::NotFound, format!("there is no profile '{shown}'"));
            let failure = if asked_by == name { failure } else { failure.detail(format!("'base' in {asked_by}: {shown}")) };
            Err(match toml_file::nearest(name, names.iter().map(String::as_str)) {
                Some(near) => failure.hint(format!("did you mean '{near}'? The profiles are {}", names.join(", "))),
                None => failure.hint(format!("the profiles are {}", names.join(", "))),
            })
        };
        if !is_name(name) {
            return unknown();
        }
        let path = self.paths.profiles().join(format!("{name}.toml"));
        if !embedded_only && let Some(text) = text_file::read(&path)? {
            return Ok(Found { profile: toml_file::parse(&text, &path.display().to_string(), &KEYS)?, file: Some(path) });
        }
        match EMBEDDED.iter().find(|(embedded, _)| *embedded == name) {
            Some((_, text)) => Ok(Found { profile: toml_file::parse(text, &format!("profile {name}"), &KEYS)?, file: None }),
            None => unknown(),
        }
    }

    /// The layers of a profile with all its bases, lowest first; the embedded default is the lowest of any.
    fn chain(&self, name: &str) -> Result<Vec<Layer>> {
        let mut layers = Vec::new();
        let mut way: Vec<(String, bool)> = Vec::new();
        let (mut next, mut embedded_only) = (name.to_owned(), false);
        let mut asked_by = name.to_owned();
        loop {
            let Found { profile, file } = self.find(&next, &asked_by, embedded_only)?;
            let here = (next.clone(), file.is_some());
            if way.contains(&here) {
                let way: Vec<_> = way.iter().map(|(name, _)| name.as_str()).chain([next.as_str()]).collect();
                let failure = Failure::new(Code::InvalidConfig, "the bases of a profile lead in a circle").detail(way.join(" → "));
                return Err(failure.hint("let one of them start from 'default'"));
            }
            way.push(here);
            if way.len() > DEEPEST {
                let way: Vec<_> = way.iter().map(|(name, _)| name.as_str()).collect();
                let failure = Failure::new(Code::InvalidConfig, format!("a profile has more than {DEEPEST} bases")).detail(way.join(" → "));
                return Err(failure.hint("join some of them"));
            }
            let own = file.is_some();
            let origin = file.map_or_else(|| format!("profile {next}"), |file| file.display().to_string());
            let base = profile.base.clone();
            layers.push(Layer { profile, origin: origin.clone(), trust: Trust::Operator });
            if next == DEFAULT && !own {
                break;
            }
            let base = base.unwrap_or_else(|| DEFAULT.to_owned());
            // Its own name is the embedded one that it stands before; without that it is a circle of one.
            embedded_only = own && base == next && EMBEDDED.iter().any(|(embedded, _)| *embedded == base);
            (next, asked_by) = (base, origin);
        }
        layers.reverse();
        let tag = &self.settings.image.tag;
        let lowest = layers.first().and_then(|layer| layer.profile.image.as_ref());
        if lowest != Some(tag) {
            let profile = Profile { image: Some(tag.clone()), ..Profile::default() };
            layers.insert(1, Layer { profile, origin: "config.toml, as 'image.tag'".to_owned(), trust: Trust::Operator });
        }
        Ok(layers)
    }

    /// A file that may only narrow. Its `base`, where it names one, is laid under it as one whole profile that
    /// may only narrow too: a project can choose `strict`, and cannot choose what is wider than what it was given.
    fn distrusted(&self, text: &str, origin: &str) -> Result<Vec<Layer>> {
        let profile: Profile = toml_file::parse(text, origin, &KEYS)?;
        let mut layers = Vec::new();
        if let Some(base) = &profile.base {
            // Only the shelf's own profiles: a base is never a path.
            self.find(base, origin, false)?;
            let whole = resolve(base, &self.chain(base)?)?;
            // What is no limit stays as it is below.
            let narrowing = Profile { image: None, env: None, ..Profile::from(&whole) };
            let origin = format!("profile {base}, the base of {origin}");
            layers.push(Layer { profile: narrowing, origin, trust: Trust::Project });
        }
        layers.push(Layer { profile, origin: origin.to_owned(), trust: Trust::Project });
        Ok(layers)
    }

    /// The names of all, sorted.
    fn names(&self) -> Result<Vec<String>> {
        let mut names: BTreeSet<String> = EMBEDDED.iter().map(|(name, _)| (*name).to_owned()).collect();
        for file in text_file::names_in(&self.paths.profiles())? {
            names.extend(file.strip_suffix(".toml").filter(|name| is_name(name)).map(str::to_owned));
        }
        Ok(names.into_iter().collect())
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests write the files that are read")]
mod tests;
