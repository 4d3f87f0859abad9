//! npm's registry protocol. Names and paths are in `ask` and `name`, documents in `read` and `write`, which
//! see a document as a stream of parts (`json`); the one query that is passed on is in `audit`.
//!
//! Source: <https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md>.

mod ask;
mod audit;
mod json;
mod name;
mod read;
mod tags;
#[cfg(test)]
mod tests;
mod version;
mod write;

use std::io::{self, Write};

use super::adapter::{Adapter, Ask, Asked, Document, Form, Refusal, Source, View};
use super::names::Project;
use super::promise::{Catalogue, Ecosystem};

/// What an installer needs, tarballs at the registry's own addresses.
const ABBREVIATED: Form = Form("abbreviated");
/// What an installer needs, tarballs at the depot's addresses.
const ABBREVIATED_LOCAL: Form = Form("abbreviated-local");
/// Everything, tarballs at the registry's own addresses.
const FULL: Form = Form("full");
/// Everything, tarballs at the depot's addresses.
const FULL_LOCAL: Form = Form("full-local");

const ABBREVIATED_DOCUMENT: Document = Document("abbreviated");
const FULL_DOCUMENT: Document = Document("full");

const JSON: &str = "application/json";
/// The abbreviated form's own type.
const INSTALL: &str = "application/vnd.npm.install-v1+json";

/// The npm registry protocol.
#[derive(Debug, Clone, Copy)]
pub struct Npm;

impl Adapter for Npm {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Npm
    }

    fn ask(&self, request: &Asked<'_>) -> Result<Ask, Refusal> {
        ask::ask(request)
    }

    fn document(&self, form: Option<Form>, ages: bool) -> Document {
        // Publication times are in the full document alone.
        let full = ages || matches!(form, Some(FULL | FULL_LOCAL));
        if full { FULL_DOCUMENT } else { ABBREVIATED_DOCUMENT }
    }

    /// The full document holds all that the abbreviated one does.
    fn answers(&self, have: &str, need: Document) -> bool {
        have == need.0 || have == FULL_DOCUMENT.0
    }

    fn index_at(&self, project: &Project, document: Document) -> (String, &'static str) {
        let accept = if document == FULL_DOCUMENT { JSON } else { "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8" };
        (project.name.replace('/', "%2f"), accept)
    }

    fn read(&self, source: Source<'_>) -> io::Result<Catalogue> {
        read::read(source)
    }

    fn write(&self, source: Source<'_>, form: Form, base: &str, view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
        write::write(source, form, base, view, out)
    }

    fn rewrite(&self, path: &str, body: &[u8], may_name: &dyn Fn(&Project) -> bool) -> Result<Vec<u8>, Refusal> {
        audit::rewrite(path, body, may_name)
    }

    fn media_type(&self, form: Form) -> &'static str {
        if matches!(form, ABBREVIATED | ABBREVIATED_LOCAL) { INSTALL } else { JSON }
    }

    fn error_body(&self, message: &str) -> (String, &'static str) {
        (serde_json::json!({ "error": crate::units::sanitise(message) }).to_string(), JSON)
    }
}
