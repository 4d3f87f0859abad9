//! A document as a stream of parts: objects are walked member by member, and no more than one member is in memory.
//!
//! What the depot reads in a document and what a client reads must be one and the same, so an object that names
//! a member twice is refused where the depot looks into it: parsers differ in which of the two they take.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The longest part: one version's manifest, or a readme. Manifests have kilobytes, readmes are cut at 64 KiB.
const LONGEST_PART: u64 = 2 * 1024 * 1024;
/// The longest key.
const LONGEST_KEY: usize = 512;

/// How much more may be read before the part that is being read is too long.
#[derive(Debug)]
pub struct Meter(Cell<u64>);

impl Default for Meter {
    fn default() -> Self {
        Self(Cell::new(LONGEST_PART))
    }
}

impl Meter {
    /// What comes next is skipped, not kept: it may be as long as it likes.
    pub fn skip<'de, A: MapAccess<'de>>(&self, map: &mut A) -> Result<(), A::Error> {
        self.0.set(u64::MAX);
        map.next_value::<IgnoredAny>().map(|_| ())
    }
}

/// What takes an object member by member.
pub trait Members<'de> {
    /// What the object is called in errors.
    const WHAT: &'static str;
    /// The most members it may have.
    const MOST: usize;

    /// Takes the member's value from `map`.
    fn member<A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error>;
}

/// The object that `members` takes.
pub struct Object<'a, M> {
    /// What takes it.
    pub members: &'a mut M,
    /// The measure of its parts.
    pub meter: &'a Meter,
}

impl<'de, M: Members<'de>> DeserializeSeed<'de> for Object<'_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, M: Members<'de>> Visitor<'de> for Object<'_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object: {}", M::WHAT)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        loop {
            self.meter.0.set(LONGEST_PART);
            let Some(key) = map.next_key::<String>()? else { return Ok(()) };
            if key.len() > LONGEST_KEY {
                return Err(A::Error::custom(format_args!("{} has a member with a name of {} bytes", M::WHAT, key.len())));
            }
            if seen.len() == M::MOST {
                return Err(A::Error::custom(format_args!("{} has more than {} members", M::WHAT, M::MOST)));
            }
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format_args!("{} names '{key}' twice", M::WHAT)));
            }
            self.members.member(key, &mut map)?;
        }
    }
}

/// Walks the one object that a document is.
pub fn walk<'de, M: Members<'de>>(body: &mut dyn BufRead, members: &mut M, meter: &Meter) -> io::Result<()> {
    // serde_json takes byte after byte: a buffer of a known type makes that cheap.
    let mut document = serde_json::Deserializer::from_reader(BufReader::new(Metered { body, meter }));
    Object { members, meter }.deserialize(&mut document).and_then(|()| document.end()).map_err(refused)
}

/// The members of an object that is in memory already; `None` where the value is none.
pub fn members(value: &RawValue) -> serde_json::Result<Option<Vec<(String, &RawValue)>>> {
    struct All<'de>(Vec<(String, &'de RawValue)>);
    impl<'de> Members<'de> for All<'de> {
        const WHAT: &'static str = "a version";
        const MOST: usize = 1_000;

        fn member<A: MapAccess<'de>>(&mut self, key: String, map: &mut A) -> Result<(), A::Error> {
            self.0.push((key, map.next_value()?));
            Ok(())
        }
    }
    if !value.get().starts_with('{') {
        return Ok(None);
    }
    let mut all = All(Vec::new());
    Object { members: &mut all, meter: &Meter::default() }.deserialize(&mut serde_json::Deserializer::from_str(value.get()))?;
    Ok(Some(all.0))
}

/// A value that is a text; `None` for any other.
pub fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// An error's text may quote the document, which is a registry's word.
fn refused(error: serde_json::Error) -> io::Error {
    let kind = if error.is_eof() { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::InvalidData };
    if error.is_io() {
        return error.into();
    }
    let reason: String = crate::units::sanitise(&error.to_string()).chars().take(300).collect();
    io::Error::new(kind, format!("not a package document: {reason}"))
}

struct Metered<'a> {
    body: &'a mut dyn BufRead,
    meter: &'a Meter,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(buffer)?;
        match self.meter.0.get().checked_sub(read as u64) {
            Some(left) => self.meter.0.set(left),
            None => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("not a package document: a part of it is longer than {LONGEST_PART} bytes"),
                ));
            }
        }
        Ok(read)
    }
}
