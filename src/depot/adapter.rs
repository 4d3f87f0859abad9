//! What an ecosystem's protocol is to the rest of the depot. An adapter reads paths and documents and writes
//! documents: it opens no connection, keeps no state and knows no clock, so the next ecosystem is one more of these.

use std::io::{self, BufRead, Write};

use jiff::Timestamp;

use super::names::Project;
use super::promise::{Catalogue, Ecosystem};

/// One ecosystem's protocol.
pub trait Adapter: Send + Sync {
    /// Whose it is. Its paths begin with `/<name>/`.
    fn ecosystem(&self) -> Ecosystem;

    /// What a request asks for, or why it is refused. The path is what follows `/<name>/`, still percent-encoded,
    /// of visible ASCII characters, at most 2 KiB.
    fn ask(&self, request: &Asked<'_>) -> Result<Ask, Refusal>;

    /// Which of its upstream's documents answers an ask: the lighter one where two would do. `form` is `None` for an
    /// artifact, `ages` says that publication times are needed.
    fn document(&self, form: Option<Form>, ages: bool) -> Document;

    /// Whether a kept document (by the name in its [`Document`]) answers what another is needed for.
    fn answers(&self, have: &str, need: Document) -> bool {
        have == need.0
    }

    /// Where below an upstream's base address that document is (percent-encoded, no leading slash), and the
    /// `Accept` header to ask with.
    fn index_at(&self, project: &Project, document: Document) -> (String, &'static str);

    /// Reads an upstream's document: every file that it promises. One that is not what it should be is an error, never
    /// half a catalogue; a file without a usable name or address is left out. Memory stays in proportion to the files, not to the document.
    fn read(&self, source: Source<'_>) -> io::Result<Catalogue>;

    /// Writes a document as a client sees it, with file addresses that lead to the depot where the form asks for
    /// that. `hidden` versions are left out wherever the document names them, tags included.
    fn write(&self, source: Source<'_>, form: Form, base: &str, view: &View<'_>, out: &mut dyn Write) -> io::Result<()>;

    /// Checks the body of an [`Ask::Query`] (decompressed, at most 1 MiB) and writes it anew: nothing that is not understood is
    /// passed on. `may_name` says whether a project may be named to that upstream, because no other one owns it.
    fn rewrite(&self, path: &str, body: &[u8], may_name: &dyn Fn(&Project) -> bool) -> Result<Vec<u8>, Refusal>;

    /// The `Content-Type` of a form.
    fn media_type(&self, form: Form) -> &'static str;

    /// The body of an error in this ecosystem's manner, with its `Content-Type`: its clients show it.
    fn error_body(&self, message: &str) -> (String, &'static str);

    /// Status and `Content-Type` of an answer that is no index, for a client that would keep an error's reason to itself.
    fn index_error(&self, _user_agent: &str, _reason: &str) -> Option<(u16, String)> {
        None
    }
}

/// A request as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// After `/<ecosystem>/`, percent-encoded.
    pub path: &'a str,
    /// `Accept`, empty where absent.
    pub accept: &'a str,
    /// `User-Agent`, empty where absent.
    pub user_agent: &'a str,
    /// Whether it is a `POST`: only what an adapter names as a query is let through.
    pub is_post: bool,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// A project's index.
    Index {
        /// Of which.
        project: Project,
        /// In which form.
        form: Form,
    },
    /// A file of a project.
    Artifact {
        /// Of which.
        project: Project,
        /// The file's name in the [`Catalogue`].
        file: String,
        /// Its `Content-Type`.
        media_type: &'static str,
    },
    /// A `POST` that reads, passed on to the upstream that is asked for names nobody owns: npm's audit.
    Query {
        /// Path below the upstream's base address.
        path: &'static str,
    },
    /// Answered by the depot itself.
    Local {
        /// The body.
        body: &'static str,
        /// Its `Content-Type`.
        media_type: &'static str,
    },
}

/// One of the forms in which an adapter gives a document to clients: `json`, `html`, `full`, ….
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Form(pub &'static str);

/// One of the documents that an upstream has of a project: `simple`, `full`, `abbreviated`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Document(pub &'static str);

/// An upstream's document, to be read once from its beginning.
pub struct Source<'a> {
    /// Whose it is.
    pub project: &'a Project,
    /// The address that it came from, redirects followed: relative addresses in it start there.
    pub url: &'a url::Url,
    /// Its `Content-Type` without parameters, lower case.
    pub media_type: &'a str,
    /// The document.
    pub body: &'a mut dyn BufRead,
}

/// What of a document a session sees.
pub struct View<'a> {
    /// What the document promises.
    pub catalogue: &'a Catalogue,
    /// Files published after this moment are hidden, and so are those whose time the registry does not tell; `None` hides nothing.
    pub not_after: Option<Timestamp>,
}

impl View<'_> {
    /// Whether a file published then is hidden.
    pub fn hides(&self, published: Option<Timestamp>) -> bool {
        self.not_after.is_some_and(|limit| published.is_none_or(|published| published > limit))
    }
}

/// Why a request is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status, 4xx.
    pub status: u16,
    /// One sentence for the person who reads the client's error.
    pub reason: String,
}

impl Refusal {
    /// No such place.
    pub fn not_found(reason: impl Into<String>) -> Self {
        Self { status: 404, reason: reason.into() }
    }

    /// Something that is never done here.
    pub fn forbidden(reason: impl Into<String>) -> Self {
        Self { status: 403, reason: reason.into() }
    }

    /// Not a request that makes sense.
    pub fn bad(reason: impl Into<String>) -> Self {
        Self { status: 400, reason: reason.into() }
    }
}
