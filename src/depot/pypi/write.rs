//! Writes an index as a client of the depot sees it: addresses that lead to the depot, hashes that the registry
//! promised, nothing that is hidden. File by file, so that no page is in memory.

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::super::adapter::{Form, Source, View};
use super::super::promise::Digest;
use super::document::{self, File};
use super::{HTML, JSON, METADATA, version};

/// What an address may hold as it is, whoever reads it: the unreserved characters.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Writes a document in one of the forms.
pub(super) fn write(source: Source<'_>, form: Form, base: &str, view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
    let project = source.project;
    let out = BufWriter::new(out);
    let page: &mut dyn Page = match form {
        JSON => &mut Json { out, project: &project.name, is_sized: true, has_files: false },
        HTML => &mut Html { out, project: &project.name },
        Form(other) => return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("an index has no form '{other}'"))),
    };
    page.begin()?;
    let (mut is_whole, mut shown_versions) = (true, HashSet::new());
    let versions = document::each(source, &mut |file| {
        // What the catalogue does not have cannot be had.
        let Some(promise) = view.catalogue.files.get(&file.name) else { return Ok(()) };
        if view.hides(promise.published) {
            is_whole = false;
            return Ok(());
        }
        if view.not_after.is_some() {
            shown_versions.extend(version::key(&file.version));
        }
        let url = format!("{base}/files/{}/{}", project.name, utf8_percent_encode(&file.name, &RESERVED));
        let metadata = view.catalogue.files.get(&format!("{}{METADATA}", file.name)).and_then(|promise| promise.digest.as_ref());
        page.file(&Shown { url, metadata, file: &file })
    })?;
    // A version that no visible file is known of may be one of those that are hidden.
    let is_shown = |version: &String| is_whole || version::key(version).is_some_and(|key| shown_versions.contains(&key));
    page.end(versions.map(|versions| versions.into_iter().filter(is_shown).collect()))
}

/// A file with the addresses and promises that the client gets.
struct Shown<'a> {
    url: String,
    /// What its metadata must hash to.
    metadata: Option<&'a Digest>,
    file: &'a File,
}

/// A document in the making.
trait Page {
    fn begin(&mut self) -> io::Result<()>;
    fn file(&mut self, shown: &Shown<'_>) -> io::Result<()>;
    fn end(&mut self, versions: Option<Vec<String>>) -> io::Result<()>;
}

struct Json<'a, W: Write> {
    out: W,
    project: &'a str,
    /// Whether every file so far has a size, which version 1.1 demands.
    is_sized: bool,
    has_files: bool,
}

impl<W: Write> Page for Json<'_, W> {
    fn begin(&mut self) -> io::Result<()> {
        self.out.write_all(b"{\"files\":[")
    }

    fn file(&mut self, shown: &Shown<'_>) -> io::Result<()> {
        if self.has_files {
            self.out.write_all(b",")?;
        }
        self.has_files = true;
        self.is_sized &= shown.file.size.is_some();
        let metadata = shown.metadata.map(|digest| Hashes(std::slice::from_ref(digest)));
        let listed = Listed {
            filename: &shown.file.name,
            url: &shown.url,
            hashes: Hashes(shown.file.digests.all()),
            size: shown.file.size,
            upload_time: shown.file.published.map(micros),
            requires_python: shown.file.requires_python.as_deref(),
            yanked: shown.file.yanked.as_deref().map(|reason| if reason.is_empty() { Yanked::Yes(true) } else { Yanked::Because(reason) }),
            core_metadata: metadata,
            dist_info_metadata: metadata,
        };
        serde_json::to_writer(&mut self.out, &listed)?;
        Ok(())
    }

    fn end(&mut self, versions: Option<Vec<String>>) -> io::Result<()> {
        // Version 1.1 promises all sizes and all versions; without them it is 1.0, where both are extras.
        let versions = versions.filter(|_| self.is_sized);
        let api_version = if versions.is_some() { "1.1" } else { "1.0" };
        write!(self.out, "],\"meta\":{{\"api-version\":\"{api_version}\"}},\"name\":\"{}\"", self.project)?;
        if let Some(versions) = versions {
            self.out.write_all(b",\"versions\":")?;
            serde_json::to_writer(&mut self.out, &versions)?;
        }
        self.out.write_all(b"}")?;
        self.out.flush()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Listed<'a> {
    filename: &'a str,
    url: &'a str,
    hashes: Hashes<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requires_python: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    yanked: Option<Yanked<'a>>,
    // Both names: pip before 23.2 knows the older one alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    core_metadata: Option<Hashes<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dist_info_metadata: Option<Hashes<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Yanked<'a> {
    Yes(bool),
    Because(&'a str),
}

#[derive(Clone, Copy)]
struct Hashes<'a>(&'a [Digest]);

impl Serialize for Hashes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for digest in self.0 {
            map.serialize_entry(digest.algorithm().name(), &digest.hex())?;
        }
        map.end()
    }
}

/// Six digits after the point: the most that the simple API knows.
fn micros(time: Timestamp) -> String {
    format!("{time:.6}")
}

struct Html<'a, W: Write> {
    out: W,
    project: &'a str,
}

impl<W: Write> Page for Html<'_, W> {
    fn begin(&mut self) -> io::Result<()> {
        let project = self.project;
        writeln!(self.out, "<!DOCTYPE html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">")?;
        writeln!(self.out, "    <meta name=\"pypi:repository-version\" content=\"1.0\">\n    <title>Links for {project}</title>")?;
        writeln!(self.out, "  </head>\n  <body>\n    <h1>Links for {project}</h1>")
    }

    fn file(&mut self, shown: &Shown<'_>) -> io::Result<()> {
        let file = shown.file;
        write!(self.out, "    <a href=\"{}", escape(&shown.url))?;
        if let Some(digest) = file.digests.all().first() {
            write!(self.out, "#{}={}", digest.algorithm().name(), digest.hex())?;
        }
        self.out.write_all(b"\"")?;
        if let Some(requires_python) = &file.requires_python {
            write!(self.out, " data-requires-python=\"{}\"", escape(requires_python))?;
        }
        if let Some(digest) = shown.metadata {
            let promise = format!("{}={}", digest.algorithm().name(), digest.hex());
            write!(self.out, " data-core-metadata=\"{promise}\" data-dist-info-metadata=\"{promise}\"")?;
        }
        if let Some(reason) = &file.yanked {
            write!(self.out, " data-yanked=\"{}\"", escape(reason))?;
        }
        writeln!(self.out, ">{}</a><br>", escape(&file.name))
    }

    fn end(&mut self, _: Option<Vec<String>>) -> io::Result<()> {
        writeln!(self.out, "  </body>\n</html>")?;
        self.out.flush()
    }
}

/// Text that is nothing but text in HTML, between tags and between quotation marks alike.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#x27;"),
            c => escaped.push(c),
        }
    }
    escaped
}
