//! `PyPI`'s protocol, the simple API: JSON and HTML of it, with metadata beside the files. The list of all projects,
//! searches and uploads are not part of it: whoever installs knows the name.
//!
//! Sources: PEP 503, 592, 629, 658, 691, 700 and 714, now
//! <https://packaging.python.org/en/latest/specifications/simple-repository-api/>.

mod accept;
mod allowance;
mod document;
mod html;
mod json;
mod names;
mod path;
mod version;
mod write;

use std::io::{self, Write};

use super::adapter::{Adapter, Ask, Asked, Document, Form, Refusal, Source, View};
use super::names::Project;
use super::promise::{Catalogue, Ecosystem, Promise};
use crate::units::sanitise;
use document::Metadata;

/// Simple API JSON.
const JSON: Form = Form("json");
/// Simple API HTML.
const HTML: Form = Form("html");
/// The one document that registries have of a project.
const SIMPLE: Document = Document("simple");
/// What a file's metadata are called: the file's name and this.
const METADATA: &str = ".metadata";

/// Python's packages.
#[derive(Debug, Clone, Copy)]
pub struct Pypi;

impl Adapter for Pypi {
    fn ecosystem(&self) -> Ecosystem {
        Ecosystem::Pypi
    }

    fn ask(&self, request: &Asked<'_>) -> Result<Ask, Refusal> {
        path::ask(request)
    }

    fn document(&self, _form: Option<Form>, _ages: bool) -> Document {
        SIMPLE
    }

    fn index_at(&self, project: &Project, _document: Document) -> (String, &'static str) {
        let accept = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";
        (format!("{}/", project.name), accept)
    }

    fn read(&self, source: Source<'_>) -> io::Result<Catalogue> {
        let mut catalogue = Catalogue::default();
        document::each(source, &mut |file| {
            let metadata = match file.metadata {
                Metadata::Absent => None,
                Metadata::Unpromised => Some(None),
                Metadata::Promised(digest) => Some(Some(digest)),
            };
            if let Some(digest) = metadata {
                let mut url = file.url.clone();
                url.set_path(&format!("{}{METADATA}", file.url.path()));
                let promise = Promise { version: file.version.clone(), url: url.into(), digest, size: None, published: file.published };
                catalogue.files.insert(format!("{}{METADATA}", file.name), promise);
            }
            let digest = file.digests.into_best();
            let promise = Promise { version: file.version, url: file.url.into(), digest, size: file.size, published: file.published };
            catalogue.files.insert(file.name, promise);
            Ok(())
        })?;
        Ok(catalogue)
    }

    fn write(&self, source: Source<'_>, form: Form, base: &str, view: &View<'_>, out: &mut dyn Write) -> io::Result<()> {
        write::write(source, form, base, view, out)
    }

    fn rewrite(&self, _path: &str, _body: &[u8], _may_name: &dyn Fn(&Project) -> bool) -> Result<Vec<u8>, Refusal> {
        Err(Refusal::forbidden("a Python index is asked nothing that it must be sent"))
    }

    fn media_type(&self, form: Form) -> &'static str {
        if form == JSON { "application/vnd.pypi.simple.v1+json" } else { "text/html; charset=utf-8" }
    }

    fn error_body(&self, message: &str) -> (String, &'static str) {
        (format!("{}\n", sanitise(message)), "text/plain; charset=utf-8")
    }

    /// pip says of an index that it could not have that there are no versions, and never why. Of one that is neither HTML nor
    /// JSON it shows the type, in a warning: there the reason is seen. The status is one that pip does not take for an error,
    /// and nobody else for an index.
    fn index_error(&self, user_agent: &str, reason: &str) -> Option<(u16, String)> {
        user_agent.starts_with("pip/").then(|| (300, format!("text/plain; reason=\"{}\"", reason.replace(['"', '\\'], "'"))))
    }
}

#[cfg(test)]
mod tests;
