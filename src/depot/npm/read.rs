//! From a package's document, full or abbreviated, to the tarballs that it promises.

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use serde::de::{Error, MapAccess};
use serde_json::value::RawValue;
use url::Url;

use super::json::{self, Members, Meter, Object, walk};
use super::version::{Tarball, is_version};
use crate::depot::adapter::Source;
use crate::depot::promise::{Catalogue, Promise};

/// The most versions taken: several times what the busiest packages have, and a catalogue of some 20 MiB.
pub const MOST_VERSIONS: usize = 50_000;
/// The most times taken: versions that were taken back keep theirs.
pub const MOST_TIMES: usize = 2 * MOST_VERSIONS;
/// The most members at the top of a document.
pub const MOST_PARTS: usize = 1_000;

/// Reads a document. Its parts may come in any order.
pub fn read(source: Source<'_>) -> io::Result<Catalogue> {
    let Source { project, url, body, .. } = source;
    let meter = Meter::default();
    let mut parts = Parts { name: &project.name, url, meter: &meter, named: false, versions: None, times: Times::default() };
    walk(body, &mut parts, &meter)?;
    let invalid = |message: &str| io::Error::new(io::ErrorKind::InvalidData, format!("not a package document: {message}"));
    if !parts.named {
        return Err(invalid("it names no package"));
    }
    let mut files = parts.versions.ok_or_else(|| invalid("it has no versions"))?;
    for promise in files.values_mut() {
        promise.published = parts.times.0.get(&promise.version).copied();
    }
    Ok(Catalogue { files })
}

struct Parts<'a> {
    name: &'a str,
    url: &'a Url,
    meter: &'a Meter,
    named: bool,
    versions: Option<BTreeMap<String, Promise>>,
    times: Times,
}

impl<'de> Members<'de> for Parts<'_> {
    const WHAT: &'static str = "the document";
    const MOST: usize = MOST_PARTS;

    fn member<A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error> {
        match key.as_str() {
            "name" => {
                let name: String = map.next_value()?;
                self.named = name == self.name;
                if self.named { Ok(()) } else { Err(A::Error::custom(format_args!("it is of '{name}', not of '{}'", self.name))) }
            }
            "versions" => {
                let mut versions = Versions { url: self.url, files: BTreeMap::new() };
                map.next_value_seed(Object { members: &mut versions, meter: self.meter })?;
                self.versions = Some(versions.files);
                Ok(())
            }
            "time" => map.next_value_seed(Object { members: &mut self.times, meter: self.meter }),
            _ => self.meter.skip(map),
        }
    }
}

struct Versions<'a> {
    url: &'a Url,
    files: BTreeMap<String, Promise>,
}

impl<'de> Members<'de> for Versions<'_> {
    const WHAT: &'static str = "'versions'";
    const MOST: usize = MOST_VERSIONS;

    fn member<A: MapAccess<'de>>(&mut self, version: String, map: &mut A) -> Result<(), A::Error> {
        let manifest: Box<RawValue> = map.next_value()?;
        let Some(members) = json::members(&manifest).map_err(A::Error::custom)? else { return Ok(()) };
        let Some(tarball) = Tarball::of(&members, self.url).map_err(A::Error::custom)? else { return Ok(()) };
        if is_version(&version) {
            let promise = Promise { version, url: tarball.url.into(), digest: tarball.digest, size: None, published: None };
            // Of two versions with one tarball, the first has it: a file has one promise.
            self.files.entry(tarball.file).or_insert(promise);
        }
        Ok(())
    }
}

#[derive(Default)]
struct Times(BTreeMap<String, Timestamp>);

impl<'de> Members<'de> for Times {
    const WHAT: &'static str = "'time'";
    const MOST: usize = MOST_TIMES;

    fn member<A: MapAccess<'de>>(&mut self, version: String, map: &mut A) -> Result<(), A::Error> {
        let time: Box<RawValue> = map.next_value()?;
        if let Some(time) = json::text(&time).and_then(|time| time.parse().ok()) {
            self.0.insert(version, time);
        }
        Ok(())
    }
}
