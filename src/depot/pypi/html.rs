//! Reads an index that is HTML alone: anchors with attributes, and what browsers do with them.
//!
//! Sources: <https://peps.python.org/pep-0503/>, <https://peps.python.org/pep-0592/>, <https://peps.python.org/pep-0629/>,
//! <https://peps.python.org/pep-0714/>.

use std::collections::BTreeMap;
use std::io;
use std::mem::take;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{IoReader, Span, Tokenizer};

use super::allowance::{Allowance, Guarded};
use super::document::{Digests, Entry, Metadata, Sieve, check_api, wrong};

/// Attributes that mean something here.
const ATTRIBUTES: [&str; 7] =
    ["href", "name", "content", "data-requires-python", "data-yanked", "data-core-metadata", "data-dist-info-metadata"];

/// Reads a whole document.
pub(super) fn parse(body: Guarded<'_>, allowance: &Allowance, sieve: &mut Sieve<'_, '_>) -> io::Result<()> {
    let mut building = Tag::default();
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| {
        // Errors come in the midst of what is still growing.
        if !matches!(event, CallbackEvent::Error(_)) {
            allowance.renew();
        }
        building.build(&event)
    });
    // What stands in a script or a title is no link.
    emitter.naively_switch_states(true);
    let (mut has_links, mut has_base) = (false, false);
    for tag in Tokenizer::new_with_emitter(IoReader::new(body), emitter) {
        let mut tag = tag?;
        match tag.name {
            Name::Anchor => {
                if let Some(href) = tag.attributes.remove("href") {
                    has_links = true;
                    sieve.take(entry(&href, tag.attributes))?;
                }
            }
            Name::Base => {
                if let Some(href) = tag.attributes.get("href").filter(|_| !has_base) {
                    has_base = true;
                    sieve.rebase(href.trim());
                }
            }
            Name::Meta => {
                if tag.attributes.get("name").is_some_and(|name| name.eq_ignore_ascii_case("pypi:repository-version")) {
                    check_api(tag.attributes.get("content").map_or("", |version| version.trim()))?;
                }
            }
            Name::Other => {}
        }
    }
    // A page to sign in at, or an error's, would pass for a project without files.
    if has_links && !sieve.has_taken() {
        return Err(wrong("no link on the page leads to a file of the project"));
    }
    Ok(())
}

fn entry(href: &str, mut attributes: BTreeMap<&'static str, String>) -> Entry {
    let (url, fragment) = href.split_once('#').unwrap_or((href, ""));
    let mut digests = Digests::default();
    for (kind, hex) in fragment.split('&').filter_map(|part| part.split_once('=')) {
        digests.add(kind, hex);
    }
    let mut metadata = ["data-core-metadata", "data-dist-info-metadata"].into_iter().filter_map(|name| attributes.remove(name));
    Entry {
        name: None,
        url: url.trim().to_owned(),
        digests,
        metadata: metadata.next().map_or(Metadata::Absent, |value| promised(&value)),
        requires_python: attributes.remove("data-requires-python"),
        yanked: attributes.remove("data-yanked"),
        size: None,
        published: None,
    }
}

/// `sha256=…`, `true` or `false`.
fn promised(value: &str) -> Metadata {
    let mut digests = Digests::default();
    match value.trim() {
        "false" => return Metadata::Absent,
        value => value.split_once('=').into_iter().for_each(|(kind, hex)| digests.add(kind, hex)),
    }
    digests.into_best().map_or(Metadata::Unpromised, Metadata::Promised)
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Name {
    Anchor,
    Base,
    Meta,
    #[default]
    Other,
}

/// A start tag; of the attributes those that mean something.
#[derive(Debug, Default)]
struct Tag {
    name: Name,
    attributes: BTreeMap<&'static str, String>,
    /// The attribute whose value may follow.
    attribute: Option<&'static str>,
}

impl Tag {
    /// Goes on with what the tokenizer found; the tag, once it is whole and means something.
    fn build(&mut self, event: &CallbackEvent<'_>) -> Option<Self> {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                *self = Self::default();
                self.name = match *name {
                    b"a" => Name::Anchor,
                    b"base" => Name::Base,
                    b"meta" => Name::Meta,
                    _ => Name::Other,
                };
            }
            CallbackEvent::AttributeName { name } => {
                let known = ATTRIBUTES.into_iter().find(|known| known.as_bytes() == *name);
                // Of two attributes of one name, the first holds.
                self.attribute = known.filter(|known| self.name != Name::Other && !self.attributes.contains_key(known));
                if let Some(attribute) = self.attribute {
                    self.attributes.insert(attribute, String::new());
                }
            }
            CallbackEvent::AttributeValue { value } => {
                if let Some(attribute) = self.attribute.take() {
                    self.attributes.insert(attribute, String::from_utf8_lossy(value).into_owned());
                }
            }
            CallbackEvent::CloseStartTag { .. } if self.name != Name::Other => return Some(take(self)),
            _ => {}
        }
        None
    }
}
