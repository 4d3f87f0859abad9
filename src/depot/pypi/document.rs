//! A project's simple index as one stream of files, whichever form it came in: what both the catalogue and the pages
//! for clients are made of. Decides which files are usable; holds none of them.

use std::collections::HashSet;
use std::io;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use url::Url;

use super::super::adapter::Source;
use super::super::names::is_file_name;
use super::super::promise::{Algorithm, Digest};
use super::allowance::Allowance;
use super::{METADATA, html, json, names};
use crate::units::sanitise;

/// The most files that a project may have. The largest ones have some tens of thousands.
const MOST_FILES: usize = 50_000;
/// The longest address: signed ones of private registries take up to two thousand characters.
const LONGEST_URL: usize = 4096;
/// The longest `Requires-Python`.
const LONGEST_REQUIREMENT: usize = 512;
/// Most of a reason for yanking that is kept.
const LONGEST_REASON: usize = 1024;

/// One file as an index has it, nothing of it checked.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// Where the form tells it apart from the address.
    pub name: Option<String>,
    pub url: String,
    pub digests: Digests,
    pub size: Option<u64>,
    pub published: Option<Timestamp>,
    pub requires_python: Option<String>,
    /// The reason, empty where none is given.
    pub yanked: Option<String>,
    pub metadata: Metadata,
}

/// One usable file.
#[derive(Debug)]
pub(super) struct File {
    pub name: String,
    /// Normalised, empty where the name tells none.
    pub version: String,
    pub url: Url,
    pub digests: Digests,
    pub size: Option<u64>,
    pub published: Option<Timestamp>,
    pub requires_python: Option<String>,
    pub yanked: Option<String>,
    pub metadata: Metadata,
}

/// What an index says of a file's metadata, which stand beside it with a longer name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Metadata {
    #[default]
    Absent,
    /// There are some, unpromised.
    Unpromised,
    Promised(Digest),
}

/// The digests of one file, at most one of each kind. Weaker hashes prove nothing and are not kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Digests(Vec<Digest>);

impl Digests {
    /// Keeps a digest if it is one of a strong kind and the first of it.
    pub(super) fn add(&mut self, kind: &str, hex: &str) {
        // Best first: every installer knows SHA-256.
        const KINDS: [Algorithm; 3] = [Algorithm::Sha256, Algorithm::Sha512, Algorithm::Sha384];
        let digest = KINDS.iter().find(|known| known.name() == kind).and_then(|known| Digest::from_hex(*known, hex));
        if let Some(digest) = digest.filter(|digest| self.0.iter().all(|kept| kept.algorithm() != digest.algorithm())) {
            self.0.push(digest);
            self.0.sort_by_key(|digest| KINDS.iter().position(|known| *known == digest.algorithm()));
        }
    }

    /// Best first.
    pub(super) fn all(&self) -> &[Digest] {
        &self.0
    }

    pub(super) fn into_best(self) -> Option<Digest> {
        self.0.into_iter().next()
    }
}

/// Takes the files of a document one by one.
pub(super) type Sink<'a> = dyn FnMut(File) -> io::Result<()> + 'a;

/// Reads a document through to its end: each usable file goes to the sink, the first of a name alone. The versions
/// that the document lists come back, where it does.
pub(super) fn each(source: Source<'_>, sink: &mut Sink<'_>) -> io::Result<Option<Vec<String>>> {
    let Source { project, url, media_type, body } = source;
    let mut base = url.clone();
    // Credentials are sent to a registry by those who know them; what is written down has none. An address that can
    // hold none is in order.
    let _ = base.set_username("").and_then(|()| base.set_password(None));
    let allowance = Allowance::new();
    let mut sieve = Sieve { project: &project.name, base, seen: HashSet::new(), count: 0, sink };
    let body = allowance.guard(body);
    match media_type {
        "application/vnd.pypi.simple.v1+json" => json::parse(body, &allowance, &mut sieve),
        "application/vnd.pypi.simple.v1+html" | "text/html" => html::parse(body, &allowance, &mut sieve).map(|()| None),
        other => Err(wrong(format!("'{}' is not a simple index", sanitise(other)))),
    }
}

/// That a document is not what it should be.
pub(super) fn wrong(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}

/// Whether a document of this version of the simple API can be understood: minor versions only add.
pub(super) fn check_api(version: &str) -> io::Result<()> {
    if version.split('.').next() == Some("1") {
        return Ok(());
    }
    Err(wrong(format!("version '{}' of the simple API is not known", sanitise(version))))
}

/// What stands between a parser and the sink.
pub(super) struct Sieve<'a, 's> {
    project: &'a str,
    /// Where relative addresses start.
    base: Url,
    seen: HashSet<Box<str>>,
    count: usize,
    sink: &'a mut Sink<'s>,
}

impl Sieve<'_, '_> {
    /// That the document names a project: it must be the one that was asked for.
    pub(super) fn check_project(&self, name: &str) -> io::Result<()> {
        if names::normalise(name).as_deref() == Some(self.project) {
            return Ok(());
        }
        Err(wrong(format!("the index of '{}' came for '{}'", sanitise(name), self.project)))
    }

    /// Relative addresses start elsewhere from here on.
    pub(super) fn rebase(&mut self, href: &str) {
        if let Ok(base) = self.base.join(href) {
            self.base = base;
        }
    }

    /// Whether any file was usable.
    pub(super) fn has_taken(&self) -> bool {
        !self.seen.is_empty()
    }

    /// Passes a file on if it is usable.
    pub(super) fn take(&mut self, entry: Entry) -> io::Result<()> {
        self.count += 1;
        if self.count > MOST_FILES {
            return Err(wrong(format!("an index of more than {MOST_FILES} files")));
        }
        match self.file(entry) {
            Some(file) if self.seen.insert(file.name.as_str().into()) => (self.sink)(file),
            _ => Ok(()),
        }
    }

    fn file(&self, entry: Entry) -> Option<File> {
        // An empty address would be the index itself.
        let mut url = Some(&entry.url).filter(|url| !url.is_empty()).and_then(|url| self.base.join(url).ok())?;
        url.set_fragment(None);
        let reachable = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
        if !reachable || url.as_str().len() > LONGEST_URL {
            return None;
        }
        let name = match entry.name {
            Some(name) => name,
            None => percent_decode_str(url.path_segments()?.next_back()?).decode_utf8().ok()?.into_owned(),
        };
        // Names with these endings are what the depot calls things beside a file.
        if !is_file_name(&name) || [METADATA, ".asc"].iter().any(|ending| name.to_ascii_lowercase().ends_with(ending)) {
            return None;
        }
        let version = names::version(&name, self.project)?;
        // Without it, an interpreter would take what it must not: no such file rather than no such bound.
        let requires_python = entry.requires_python.map(|text| line(&text));
        if requires_python.as_ref().is_some_and(|text| text.len() > LONGEST_REQUIREMENT) {
            return None;
        }
        let metadata = if is_file_name(&format!("{name}{METADATA}")) { entry.metadata } else { Metadata::Absent };
        Some(File {
            name,
            version,
            url,
            digests: entry.digests,
            size: entry.size,
            published: entry.published,
            requires_python: requires_python.filter(|text| !text.is_empty()),
            yanked: entry.yanked.map(|reason| cut(line(&reason), LONGEST_REASON)),
            metadata,
        })
    }
}

/// One line that no terminal acts on: installers show it.
fn line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    sanitise(spaced.trim())
}

fn cut(mut text: String, longest: usize) -> String {
    text.truncate(text.floor_char_boundary(longest));
    text
}
