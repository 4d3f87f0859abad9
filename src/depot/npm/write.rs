//! A document as a client gets it: written anew part by part, so that it holds what the depot has read and no more.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::de::{Error, MapAccess};
use serde_json::value::RawValue;

use super::json::{self, Members, Meter, Object, walk};
use super::read::{MOST_PARTS, MOST_TIMES, MOST_VERSIONS};
use super::version::{LONGEST_VERSION, Tarball, member};
use super::{ABBREVIATED, ABBREVIATED_LOCAL, FULL, tags};
use crate::depot::adapter::{Form, Source, View};
use crate::depot::names::Project;

/// What the full form keeps at its top besides names, versions, tags and times. Anything else could name hidden
/// versions in ways unknown here, or is long and of use to nobody who installs, as `users` is.
const TOP: [&str; 13] = [
    "_id",
    "_rev",
    "author",
    "bugs",
    "contributors",
    "description",
    "homepage",
    "keywords",
    "license",
    "maintainers",
    "readme",
    "readmeFilename",
    "repository",
];

/// What the abbreviated form keeps of a version. Source: the registry's documentation, and for `libc` npm itself.
const ABBREVIATED_VERSION: [&str; 21] = [
    "_hasShrinkwrap",
    "acceptDependencies",
    "bin",
    "bundleDependencies",
    "bundledDependencies",
    "cpu",
    "dependencies",
    "deprecated",
    "devDependencies",
    "directories",
    "dist",
    "engines",
    "funding",
    "hasInstallScript",
    "libc",
    "name",
    "optionalDependencies",
    "os",
    "peerDependencies",
    "peerDependenciesMeta",
    "version",
];

/// The most tags written: some packages have one for each proposed change.
const MOST_TAGS: usize = 10_000;

/// Writes a document in a form. Tags and times come after the versions, because they depend on them.
pub fn write(source: Source<'_>, form: Form, base: &str, view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Source { project, url, body, .. } = source;
    let meter = Meter::default();
    let mut page = Page {
        project,
        url,
        view,
        base: base.trim_end_matches('/'),
        abbreviated: matches!(form, ABBREVIATED | ABBREVIATED_LOCAL),
        canonical: matches!(form, ABBREVIATED | FULL),
        meter: &meter,
        out,
        failed: None,
        shown: BTreeMap::new(),
        has_versions: false,
        tags: Texts::default(),
        times: Texts::default(),
        modified: None,
    };
    write!(page.out, "{{\"name\":{}", quoted(&project.name))?;
    let walked = walk(body, &mut page, &meter);
    if let Some(failed) = page.failed.take() {
        return Err(failed);
    }
    walked?;
    page.end()
}

struct Page<'a> {
    project: &'a Project,
    url: &'a url::Url,
    view: &'a View<'a>,
    base: &'a str,
    abbreviated: bool,
    canonical: bool,
    meter: &'a Meter,
    out: &'a mut dyn Write,
    /// Why nothing more can be written: serde's errors cannot carry it.
    failed: Option<io::Error>,
    /// The versions written, and whether each is deprecated.
    shown: BTreeMap<String, bool>,
    has_versions: bool,
    tags: Texts<MOST_TAGS>,
    times: Texts<MOST_TIMES>,
    modified: Option<String>,
}

impl Page<'_> {
    fn put<E: Error>(&mut self, text: &str) -> Result<(), E> {
        self.out.write_all(text.as_bytes()).map_err(|failed| {
            self.failed = Some(failed);
            E::custom("the page cannot be written")
        })
    }

    /// Whether a version has the tarball that the catalogue says it has, and is old enough.
    fn shows(&self, version: &str, tarball: &Tarball) -> bool {
        let promise = self.view.catalogue.files.get(&tarball.file);
        promise
            .is_some_and(|promise| promise.version == version && promise.url == tarball.url.as_str() && !self.view.hides(promise.published))
    }

    /// A version's manifest in this page's form.
    fn manifest(&self, members: &[(String, &RawValue)], tarball: &Tarball) -> serde_json::Result<String> {
        let mut manifest = Written::default();
        for (key, value) in members.iter().filter(|(key, _)| !self.abbreviated || ABBREVIATED_VERSION.contains(&key.as_str())) {
            if key == "dist" {
                manifest.add(key, &self.dist(value, tarball)?);
            } else {
                manifest.add(key, value.get());
            }
        }
        if self.abbreviated && member(members, "hasInstallScript").is_none() && installs(member(members, "scripts")) {
            manifest.add("hasInstallScript", "true");
        }
        Ok(manifest.end())
    }

    fn dist(&self, dist: &RawValue, tarball: &Tarball) -> serde_json::Result<String> {
        let address = if self.canonical && tarball.is_found_by_path(self.project) {
            quoted(tarball.url.as_str())
        } else {
            quoted(&format!("{}/{}/-/{}", self.base, self.project.name, tarball.file))
        };
        let mut written = Written::default();
        for (key, value) in json::members(dist)?.unwrap_or_default() {
            written.add(&key, if key == "tarball" { &address } else { value.get() });
        }
        Ok(written.end())
    }

    /// Tags, times and the end.
    fn end(mut self) -> io::Result<()> {
        if !self.has_versions {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a package document: it has no versions"));
        }
        let lines = tags::Lines::of(&self.shown);
        let mut tags = Written::default();
        for (tag, named) in &self.tags.0 {
            if let Some(version) = lines.lead(tag, named) {
                tags.add(tag, &quoted(&version));
            }
        }
        write!(self.out, ",\"dist-tags\":{}", tags.end())?;
        if self.abbreviated {
            if let Some(modified) = self.modified.take().or_else(|| self.times.0.remove("modified")) {
                write!(self.out, ",\"modified\":{}", quoted(&modified))?;
            }
        } else {
            let mut times = Written::default();
            for (key, time) in
                self.times.0.iter().filter(|(key, _)| self.shown.contains_key(*key) || ["created", "modified"].contains(&key.as_str()))
            {
                times.add(key, &quoted(time));
            }
            write!(self.out, ",\"time\":{}", times.end())?;
        }
        self.out.write_all(b"}")
    }
}

impl<'de> Members<'de> for Page<'_> {
    const WHAT: &'static str = "the document";
    const MOST: usize = MOST_PARTS;

    fn member<A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error> {
        let meter = self.meter;
        match key.as_str() {
            "versions" => {
                self.has_versions = true;
                self.put(",\"versions\":{")?;
                map.next_value_seed(Object { members: &mut Versions(self), meter })?;
                self.put("}")
            }
            "dist-tags" => map.next_value_seed(Object { members: &mut self.tags, meter }),
            "time" => map.next_value_seed(Object { members: &mut self.times, meter }),
            "modified" => {
                self.modified = json::text(&map.next_value::<Box<RawValue>>()?);
                Ok(())
            }
            key if !self.abbreviated && TOP.contains(&key) => {
                let value: Box<RawValue> = map.next_value()?;
                self.put(&format!(",{}:{}", quoted(key), value.get()))
            }
            _ => meter.skip(map),
        }
    }
}

/// The versions of a page.
struct Versions<'p, 'a>(&'p mut Page<'a>);

impl<'de> Members<'de> for Versions<'_, '_> {
    const WHAT: &'static str = "'versions'";
    const MOST: usize = MOST_VERSIONS;

    fn member<A: MapAccess<'de>>(&mut self, version: String, map: &mut A) -> Result<(), A::Error> {
        let page = &mut *self.0;
        let manifest: Box<RawValue> = map.next_value()?;
        let Some(members) = json::members(&manifest).map_err(A::Error::custom)? else { return Ok(()) };
        let Some(tarball) = Tarball::of(&members, page.url).map_err(A::Error::custom)? else { return Ok(()) };
        if !page.shows(&version, &tarball) {
            return Ok(());
        }
        let written = page.manifest(&members, &tarball).map_err(A::Error::custom)?;
        let comma = if page.shown.is_empty() { "" } else { "," };
        page.put(&format!("{comma}{}:{written}", quoted(&version)))?;
        let deprecated = member(&members, "deprecated").is_some_and(|why| !matches!(why.get(), "false" | "null" | "\"\""));
        page.shown.insert(version, deprecated);
        Ok(())
    }
}

/// An object of texts: tags or times. What is no text is left out.
#[derive(Default)]
struct Texts<const MOST: usize>(BTreeMap<String, String>);

impl<'de, const MOST: usize> Members<'de> for Texts<MOST> {
    const WHAT: &'static str = "'dist-tags' or 'time'";
    const MOST: usize = MOST;

    fn member<A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error> {
        let value: Box<RawValue> = map.next_value()?;
        if let Some(text) = json::text(&value).filter(|text| text.len() <= LONGEST_VERSION) {
            self.0.insert(key, text);
        }
        Ok(())
    }
}

/// Whether npm runs something when it installs a package with these scripts.
fn installs(scripts: Option<&RawValue>) -> bool {
    let scripts = scripts.and_then(|scripts| json::members(scripts).ok().flatten()).unwrap_or_default();
    scripts.iter().any(|(name, script)| ["preinstall", "install", "postinstall"].contains(&name.as_str()) && script.get() != "\"\"")
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// An object as it is written.
#[derive(Default)]
struct Written(String);

impl Written {
    fn add(&mut self, key: &str, json: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&quoted(key));
        self.0.push(':');
        self.0.push_str(json);
    }

    fn end(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }
}
