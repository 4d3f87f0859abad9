//! Reads the simple API's JSON, entry by entry: the document is never in memory, and neither are its files.
//!
//! Sources: <https://peps.python.org/pep-0691/>, <https://peps.python.org/pep-0700/>, <https://peps.python.org/pep-0714/>.

use std::fmt;
use std::io::{self, BufReader};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::allowance::{Allowance, Guarded};
use super::document::{Digests, Entry, Metadata, Sieve, check_api, wrong};
use super::version;

/// The most versions that a document may list, like files.
const MOST_VERSIONS: usize = 200_000;

/// Reads a whole document. The versions that it lists come back, where it does.
pub(super) fn parse(body: Guarded<'_>, allowance: &Allowance, sieve: &mut Sieve<'_, '_>) -> io::Result<Option<Vec<String>>> {
    let mut failed = None;
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(16 << 10, body));
    let document = Document { allowance, sieve, failed: &mut failed };
    let read = document.deserialize(&mut json).and_then(|versions| json.end().map(|()| versions));
    match failed {
        Some(err) => Err(err),
        None => Ok(read?),
    }
}

struct Document<'a, 'i, 's> {
    allowance: &'a Allowance,
    sieve: &'a mut Sieve<'i, 's>,
    /// Why reading was stopped from within: an error of the parser's would only hold its text.
    failed: &'a mut Option<io::Error>,
}

impl Document<'_, '_, '_> {
    fn check<T, E: Error>(&mut self, result: io::Result<T>) -> Result<T, E> {
        result.map_err(|err| {
            *self.failed = Some(err);
            E::custom("stopped")
        })
    }
}

impl<'de> DeserializeSeed<'de> for Document<'_, '_, '_> {
    type Value = Option<Vec<String>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Meta,
    Name,
    Files,
    Versions,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "api-version")]
    api_version: Option<String>,
}

impl<'de> Visitor<'de> for Document<'_, '_, '_> {
    type Value = Option<Vec<String>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the simple index of a project")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut has_files, mut versions) = (false, None);
        while let Some(key) = map.next_key()? {
            match key {
                Key::Meta => {
                    let meta: Meta = map.next_value()?;
                    self.check(meta.api_version.map_or(Ok(()), |version| check_api(&version)))?;
                }
                Key::Name => {
                    let name: String = map.next_value()?;
                    let right = self.sieve.check_project(&name);
                    self.check(right)?;
                }
                Key::Files if has_files => return Err(A::Error::duplicate_field("files")),
                Key::Files => {
                    has_files = true;
                    map.next_value_seed(Files(&mut self))?;
                }
                Key::Versions => versions = map.next_value_seed(Versions(&mut self))?,
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            self.allowance.renew();
        }
        if has_files { Ok(versions) } else { Err(A::Error::missing_field("files")) }
    }
}

struct Files<'d, 'a, 'i, 's>(&'d mut Document<'a, 'i, 's>);

impl<'de> DeserializeSeed<'de> for Files<'_, '_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Files<'_, '_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of files")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut files: A) -> Result<(), A::Error> {
        while let Some(file) = files.next_element::<Listed>()? {
            let taken = self.0.sieve.take(file.into());
            self.0.check(taken)?;
            self.0.allowance.renew();
        }
        Ok(())
    }
}

struct Versions<'d, 'a, 'i, 's>(&'d mut Document<'a, 'i, 's>);

impl<'de> DeserializeSeed<'de> for Versions<'_, '_, '_, '_> {
    type Value = Option<Vec<String>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Versions<'_, '_, '_, '_> {
    type Value = Option<Vec<String>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of versions")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut versions = Vec::new();
        while let Some(version) = list.next_element::<String>()? {
            if versions.len() == MOST_VERSIONS {
                self.0.check(Err(wrong(format!("an index of more than {MOST_VERSIONS} versions"))))?;
            }
            if version.len() <= version::LONGEST && version.bytes().all(|byte| byte.is_ascii_graphic()) {
                versions.push(version);
            }
            self.0.allowance.renew();
        }
        Ok(Some(versions))
    }
}

/// A file's entry. What is not named here leads to places that the depot promises nothing of: signatures, provenance.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Listed {
    filename: Option<String>,
    url: Option<String>,
    #[serde(default)]
    hashes: Hashes,
    size: Option<u64>,
    upload_time: Option<String>,
    requires_python: Option<String>,
    #[serde(default)]
    yanked: Flag,
    #[serde(default)]
    core_metadata: Flag,
    #[serde(default)]
    dist_info_metadata: Flag,
}

impl From<Listed> for Entry {
    fn from(listed: Listed) -> Self {
        Self {
            // A name is never taken from the address here: without one the empty name is refused.
            name: Some(listed.filename.unwrap_or_default()),
            url: listed.url.unwrap_or_default(),
            digests: listed.hashes.0,
            size: listed.size,
            published: listed.upload_time.and_then(|time| time.parse().ok()),
            requires_python: listed.requires_python,
            yanked: match listed.yanked {
                Flag::No | Flag::Hashes(_) => None,
                Flag::Yes => Some(String::new()),
                Flag::Text(reason) => Some(reason).filter(|reason| !reason.is_empty()),
            },
            // The newer name has the last word: the older one was once served with a hash of something else.
            metadata: match (listed.core_metadata, listed.dist_info_metadata) {
                (Flag::No, older) => older.into(),
                (newer, _) => newer.into(),
            },
        }
    }
}

/// What may be true, and may be more than that.
#[derive(Default)]
enum Flag {
    #[default]
    No,
    Yes,
    Text(String),
    Hashes(Digests),
}

impl From<Flag> for Metadata {
    fn from(flag: Flag) -> Self {
        match flag {
            Flag::No | Flag::Text(_) => Self::Absent,
            Flag::Yes => Self::Unpromised,
            Flag::Hashes(digests) => digests.into_best().map_or(Self::Unpromised, Self::Promised),
        }
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl<'de> Visitor<'de> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a boolean, a text or hashes")
    }

    fn visit_unit<E: Error>(self) -> Result<Flag, E> {
        Ok(Flag::No)
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<Flag, E> {
        Ok(if yes { Flag::Yes } else { Flag::No })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Flag, E> {
        Ok(Flag::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Flag, A::Error> {
        HashesVisitor.visit_map(map).map(|hashes| Flag::Hashes(hashes.0))
    }
}

/// Digests by the names of their hash functions.
#[derive(Default)]
struct Hashes(Digests);

impl<'de> Deserialize<'de> for Hashes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HashesVisitor)
    }
}

struct HashesVisitor;

impl<'de> Visitor<'de> for HashesVisitor {
    type Value = Hashes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hashes by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Hashes, A::Error> {
        let mut digests = Digests::default();
        while let Some((kind, hex)) = map.next_entry::<String, String>()? {
            digests.add(&kind, &hex);
        }
        Ok(Hashes(digests))
    }
}
