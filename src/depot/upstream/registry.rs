//! One registry: its address, whose names it has, how it is spoken to.

use futures_util::{StreamExt, TryStreamExt};
use reqwest::header::{self, HeaderValue};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::health::Health;
use super::{Fault, Found, Pattern, Validators, client};
use crate::depot::config::{Credentials, UpstreamConfig};
use crate::depot::names::Project;
use crate::depot::promise::Ecosystem;

/// Questions at once to one registry that it has not begun to answer: one that is slow holds up nobody else's.
const QUESTIONS: usize = 64;
/// The longest validator that is kept and sent back.
const LONGEST_VALIDATOR: usize = 512;

/// One registry.
pub struct Upstream {
    pub(super) ecosystem: Ecosystem,
    pub(super) base: Url,
    owns: Vec<Pattern>,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) health: Health,
    pub(super) questions: Semaphore,
}

/// The host of an address, for people.
pub(super) fn host(url: &Url) -> &str {
    url.host_str().unwrap_or("the registry")
}

impl Upstream {
    pub(super) fn new(ecosystem: Ecosystem, config: &UpstreamConfig) -> Result<Self, String> {
        let with_slash = format!("{}/", config.url.trim_end_matches('/'));
        let base = Url::parse(&with_slash).map_err(|error| format!("the registry's address '{}' cannot be used: {error}", config.url))?;
        let owns = config.owns.iter().map(|pattern| Pattern::new(pattern)).collect();
        let authorization = config.credentials.as_ref().map(|credentials| {
            use base64::Engine as _;
            let text = match credentials {
                Credentials::Basic(pair) => format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)),
                Credentials::Bearer(token) => format!("Bearer {token}"),
            };
            let mut value = HeaderValue::from_str(&text)
                .map_err(|_| format!("the credentials for '{}' hold a character that no header can", config.url))?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        });
        Ok(Self {
            ecosystem,
            base,
            owns,
            authorization: authorization.transpose()?,
            health: Health::default(),
            questions: Semaphore::new(QUESTIONS),
        })
    }

    /// Its base address, by which an index page remembers it.
    pub fn base(&self) -> &Url {
        &self.base
    }

    pub(super) fn owns(&self, project: &Project) -> bool {
        self.owns.iter().any(|pattern| pattern.matches(&project.name))
    }

    pub(super) fn is_for_anyone(&self) -> bool {
        self.owns.is_empty()
    }

    /// The host, for people.
    pub fn shown(&self) -> &str {
        host(&self.base)
    }

    pub(super) fn fault(&self, what: &str) -> Fault {
        Fault { away: false, forbids: false, reason: format!("{}: {what}", self.shown()) }
    }

    pub(super) fn refused(&self, status: u16) -> Fault {
        let why = match status {
            401 | 403 | 451 => ": it wants other credentials, or forbids this package",
            _ => "",
        };
        Fault { away: false, forbids: !why.is_empty(), reason: format!("{} answers {status}{why}", self.shown()) }
    }

    pub(super) fn below(&self, path: &str) -> Result<Url, Fault> {
        let url = Url::parse(&format!("{}{path}", self.base)).map_err(|_| self.fault("no address can be made for that name"))?;
        // An adapter has proved the name; this holds whatever it overlooked.
        if url.origin() == self.base.origin() && url.path().starts_with(self.base.path()) {
            Ok(url)
        } else {
            Err(self.fault("that name leads away from it"))
        }
    }

    #[expect(clippy::unused_self, reason = "what one registry answered")]
    pub(super) fn found(&self, response: reqwest::Response, permit: Option<OwnedSemaphorePermit>) -> Found {
        let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let validator = |name| text(name).filter(|value| value.len() <= LONGEST_VALIDATOR).map(str::to_owned);
        Found {
            url: response.url().clone(),
            media_type: text(header::CONTENT_TYPE).and_then(|text| text.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase(),
            validators: Validators { etag: validator(header::ETAG), last_modified: validator(header::LAST_MODIFIED) },
            length: response.content_length(),
            body: response.bytes_stream().map_err(|error| std::io::Error::other(client::cause(&error))).boxed(),
            permit,
        }
    }
}
