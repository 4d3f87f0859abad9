//! The depot's way out: which registry is asked for a name, and how. The only place that opens a connection to
//! anything but a sandbox. Nothing that a sandbox wrote goes out but a name that an adapter has proved harmless.

mod client;
mod health;
#[cfg(test)]
pub(in crate::depot) mod planted;
mod reach;
mod route;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use reqwest::header::{self, HeaderMap, HeaderValue};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::config::{Credentials, DepotConfig, UpstreamConfig};
use super::ledger::UpstreamFacts;
use super::names::Project;
use super::promise::Ecosystem;
use health::Health;
use reach::Reach;
pub use route::Pattern;

/// Questions at once to one registry that it has not begun to answer: one that is slow holds up nobody else's.
const QUESTIONS: usize = 64;
/// Documents and artifacts that come in at once from all registries together: each may hold some hundred kilobytes and a file.
const AT_ONCE: usize = 64;
/// Connections that are kept for the next request.
const KEPT_OPEN: usize = 16;
/// A failed connection is tried once more after this long.
const TRY_AGAIN: Duration = Duration::from_millis(300);
/// An index or an audit may take this long as a whole.
const DOCUMENT_DEADLINE: Duration = Duration::from_mins(2);
/// An artifact may take this long: who sends a byte now and then is not waited for any longer.
const ARTIFACT_DEADLINE: Duration = Duration::from_hours(1);
/// The longest validator that is kept and sent back.
const LONGEST_VALIDATOR: usize = 512;

/// Every registry, and the clients that reach them.
pub struct Egress {
    /// Bodies as they are.
    plain: reqwest::Client,
    /// Bodies that may come compressed and are given out unpacked.
    unpacking: reqwest::Client,
    upstreams: BTreeMap<Ecosystem, Vec<Arc<Upstream>>>,
    reach: Arc<Reach>,
    permits: Arc<Semaphore>,
}

/// One registry.
pub struct Upstream {
    ecosystem: Ecosystem,
    base: Url,
    owns: Vec<Pattern>,
    authorization: Option<HeaderValue>,
    health: Health,
    permits: Semaphore,
}

/// Why a registry gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Whether it is away, as opposed to there and refusing.
    pub away: bool,
    /// Whether it forbids this very thing: what is kept of it is no answer then.
    pub forbids: bool,
    /// One sentence that names the registry.
    pub reason: String,
}

/// What a registry says of a document.
pub enum Reply {
    /// It has it.
    Found(Box<Found>),
    /// It has what it had.
    Unchanged,
    /// It knows nothing by that name.
    NotFound,
}

/// A document or an artifact on its way.
pub struct Found {
    /// Where it came from, redirects followed.
    pub url: Url,
    /// Without parameters, lower case.
    pub media_type: String,
    /// To ask again with.
    pub validators: Validators,
    /// How long it says that it is; never of a body that came compressed.
    pub length: Option<u64>,
    /// The bytes.
    pub body: BoxStream<'static, std::io::Result<Bytes>>,
    /// One of all that may come in at once.
    permit: Option<OwnedSemaphorePermit>,
}

impl Found {
    /// Counts as one that comes in until its end. Not for a body that is given on as it comes: a sandbox that takes it
    /// slowly would keep everyone's registries busy.
    #[must_use]
    pub fn counted(mut self) -> Self {
        let permit = self.permit.take();
        self.body = self.body.inspect(move |_| _ = &permit).boxed();
        self
    }
}

/// What a registry recognises its own answer by.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

impl Egress {
    /// Clients for what the configuration names; `roots` is a PEM bundle, or none for the built-in roots.
    pub fn new(config: &DepotConfig, roots: Option<&[u8]>) -> Result<Self, String> {
        let mut upstreams = BTreeMap::new();
        for (ecosystem, configured) in &config.upstreams {
            let all = configured.iter().map(|upstream| Upstream::new(*ecosystem, upstream).map(Arc::new));
            upstreams.insert(*ecosystem, all.collect::<Result<Vec<_>, _>>()?);
        }
        let proxy = Url::parse(&config.proxy).ok();
        let bases = upstreams.values().flatten().map(|upstream: &Arc<Upstream>| &upstream.base);
        let reach = Arc::new(Reach::new(bases.chain(&proxy)));
        let (plain, unpacking) = client::pair(&config.proxy, roots, &reach)?;
        Ok(Self { plain, unpacking, upstreams, reach, permits: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// The registries to ask for a project, in order: its owners alone where it has any.
    pub fn route(&self, project: &Project) -> Vec<Arc<Upstream>> {
        let all = self.upstreams.get(&project.ecosystem).map(Vec::as_slice).unwrap_or_default();
        let owners: Vec<_> = all.iter().filter(|upstream| upstream.owns(project)).cloned().collect();
        if owners.is_empty() { all.iter().filter(|upstream| upstream.is_for_anyone()).cloned().collect() } else { owners }
    }

    /// Whether a project may be named to the registries that are asked for what nobody owns.
    pub fn may_name(&self, project: &Project) -> bool {
        self.route(project).first().is_some_and(|upstream| upstream.is_for_anyone())
    }

    /// The registry that answers queries about names nobody owns: the last, which is the public one.
    pub fn public(&self, ecosystem: Ecosystem) -> Option<Arc<Upstream>> {
        self.upstreams.get(&ecosystem)?.iter().rfind(|upstream| upstream.is_for_anyone()).cloned()
    }

    /// Every registry with its state.
    pub fn facts(&self) -> Vec<UpstreamFacts> {
        let facts = |upstream: &Arc<Upstream>| UpstreamFacts {
            ecosystem: upstream.ecosystem,
            url: upstream.base.to_string(),
            away: upstream.health.away(),
        };
        self.upstreams.values().flatten().map(facts).collect()
    }

    /// Asks for a document below the registry's base address.
    pub async fn document(
        &self,
        upstream: &Upstream,
        path: &str,
        accept: &'static str,
        known: &Validators,
        now: Timestamp,
    ) -> Result<Reply, Fault> {
        let url = upstream.below(path)?;
        let mut headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        for (name, value) in [(header::IF_NONE_MATCH, &known.etag), (header::IF_MODIFIED_SINCE, &known.last_modified)] {
            if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
                headers.insert(name, value);
            }
        }
        let request = |client: &reqwest::Client| client.get(url.clone()).headers(headers.clone()).timeout(DOCUMENT_DEADLINE);
        let (response, permit) = self.send(upstream, &self.unpacking, &url, &request, now).await?;
        match response.status().as_u16() {
            304 if *known != Validators::default() => Ok(Reply::Unchanged),
            404 | 410 => Ok(Reply::NotFound),
            200 => Ok(Reply::Found(Box::new(upstream.found(response, permit).counted()))),
            status => Err(upstream.refused(status)),
        }
    }

    /// Asks for an artifact where the registry's index says that it is.
    pub async fn artifact(&self, upstream: &Upstream, url: &str, now: Timestamp) -> Result<Found, Fault> {
        let url = Url::parse(url).map_err(|_| upstream.fault("its index names an address that is none"))?;
        if !self.reach.allows(&url) {
            return Err(upstream.fault("its index names an address that is not public"));
        }
        let request =
            |client: &reqwest::Client| client.get(url.clone()).header(header::ACCEPT_ENCODING, "identity").timeout(ARTIFACT_DEADLINE);
        let (response, permit) = self.send(upstream, &self.plain, &url, &request, now).await?;
        match response.status().as_u16() {
            200 => Ok(upstream.found(response, permit)),
            status => Err(upstream.refused(status)),
        }
    }

    /// Passes on a query that an adapter wrote.
    pub async fn query(&self, upstream: &Upstream, path: &str, body: Vec<u8>, now: Timestamp) -> Result<(u16, Found), Fault> {
        let url = upstream.below(path)?;
        let body = Bytes::from(body);
        let request = |client: &reqwest::Client| {
            client.post(url.clone()).header(header::CONTENT_TYPE, "application/json").body(body.clone()).timeout(DOCUMENT_DEADLINE)
        };
        let (response, permit) = self.send(upstream, &self.unpacking, &url, &request, now).await?;
        Ok((response.status().as_u16(), upstream.found(response, permit)))
    }

    /// Sends, once more after a failure that may pass, unless the registry was away a moment ago. Only that it cannot be reached
    /// at its own address makes it away for everyone: an answer, however bad, is one to this question alone, which a
    /// sandbox may have chosen for it.
    async fn send(
        &self,
        upstream: &Upstream,
        client: &reqwest::Client,
        url: &Url,
        request: &(dyn Fn(&reqwest::Client) -> reqwest::RequestBuilder + Sync),
        now: Timestamp,
    ) -> Result<(reqwest::Response, Option<OwnedSemaphorePermit>), Fault> {
        let is_own = |url: &Url| url.origin() == upstream.base.origin();
        if is_own(url)
            && let Some(reason) = upstream.health.known_away(now)
        {
            return Err(Fault { away: true, forbids: false, reason });
        }
        // Never closed.
        let question = upstream.permits.acquire().await;
        let mut last = None;
        for pause in [None, Some(TRY_AGAIN)] {
            if let Some(pause) = pause {
                tokio::time::sleep(pause).await;
            }
            let mut asked = request(client);
            // Only to the registry itself: its index may name any other host.
            if let Some(authorization) = upstream.authorization.as_ref().filter(|_| is_own(url)) {
                asked = asked.header(header::AUTHORIZATION, authorization.clone());
            }
            last = Some(match asked.send().await {
                Ok(response) if response.status().is_server_error() || response.status().as_u16() == 429 => {
                    let reason = format!("{} answers {}", host(url), response.status().as_u16());
                    (false, Fault { away: true, forbids: false, reason })
                }
                Ok(response) => {
                    if is_own(url) {
                        upstream.health.answered();
                    }
                    drop(question);
                    // Held until the last of the body has come.
                    return Ok((response, Arc::clone(&self.permits).acquire_owned().await.ok()));
                }
                Err(error) => {
                    // A redirect may have led elsewhere.
                    let failed = error.url().unwrap_or(url);
                    let reason = format!("{} cannot be reached: {}", host(failed), client::cause(&error));
                    (is_own(failed) && !error.is_redirect(), Fault { away: true, forbids: false, reason })
                }
            });
        }
        let (is_away, fault) = last.unwrap_or_else(|| (false, upstream.fault("it was not asked")));
        if is_away {
            upstream.health.failed(now, &fault.reason);
        }
        Err(fault)
    }
}

/// The host of an address, for people.
fn host(url: &Url) -> &str {
    url.host_str().unwrap_or("the registry")
}

impl Upstream {
    fn new(ecosystem: Ecosystem, config: &UpstreamConfig) -> Result<Self, String> {
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
            permits: Semaphore::new(QUESTIONS),
        })
    }

    /// Its base address, by which an index page remembers it.
    pub fn base(&self) -> &Url {
        &self.base
    }

    fn owns(&self, project: &Project) -> bool {
        self.owns.iter().any(|pattern| pattern.matches(&project.name))
    }

    fn is_for_anyone(&self) -> bool {
        self.owns.is_empty()
    }

    /// The host, for people.
    pub fn shown(&self) -> &str {
        host(&self.base)
    }

    fn fault(&self, what: &str) -> Fault {
        Fault { away: false, forbids: false, reason: format!("{}: {what}", self.shown()) }
    }

    fn refused(&self, status: u16) -> Fault {
        let why = match status {
            401 | 403 | 451 => ": it wants other credentials, or forbids this package",
            _ => "",
        };
        Fault { away: false, forbids: !why.is_empty(), reason: format!("{} answers {status}{why}", self.shown()) }
    }

    fn below(&self, path: &str) -> Result<Url, Fault> {
        let url = Url::parse(&format!("{}{path}", self.base)).map_err(|_| self.fault("no address can be made for that name"))?;
        // An adapter has proved the name; this holds whatever it overlooked.
        if url.origin() == self.base.origin() && url.path().starts_with(self.base.path()) {
            Ok(url)
        } else {
            Err(self.fault("that name leads away from it"))
        }
    }

    #[expect(clippy::unused_self, reason = "what one registry answered")]
    fn found(&self, response: reqwest::Response, permit: Option<OwnedSemaphorePermit>) -> Found {
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

#[cfg(test)]
mod tests {
    use super::planted::Planted;
    use super::*;
    use crate::depot::token::Key;
    use crate::units::{Bytes, Seconds};

    /// An egress to registries that are this very test.
    async fn led_to(found: Planted, target: &str) -> Result<Found, Fault> {
        let egress = found.egress();
        let upstream = Arc::clone(&egress.upstreams[&Ecosystem::Pypi][0]);
        egress.artifact(&upstream, target, Timestamp::UNIX_EPOCH).await
    }

    #[tokio::test]
    async fn neither_an_index_nor_a_redirect_leads_to_what_is_not_public() {
        let inside = Planted::new(|_| Some(planted::reply(200, "text/plain", b"a secret")));
        let port = inside.port();
        for target in
            [format!("http://127.0.0.1:{port}/x"), format!("http://[::ffff:7f00:1]:{port}/x"), format!("http://localhost:{port}/x")]
        {
            let there = target.clone();
            let registry = Planted::new(move |path| match path {
                "/away" => {
                    Some(format!("HTTP/1.1 302 Found\r\nLocation: {there}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into())
                }
                _ => None,
            });
            let redirecting = format!("{}away", registry.url);
            assert!(led_to(registry, &redirecting).await.is_err(), "redirected to {target}");
            let registry = Planted::new(|_| None);
            assert!(led_to(registry, &target).await.is_err(), "told by an index: {target}");
        }
        assert_eq!(inside.requests(), Vec::<String>::new());
        // The registry itself is where the settings say, wherever that is.
        let registry = Planted::new(|_| Some(planted::reply(200, "text/plain", b"a file")));
        let own = format!("{}x", registry.url);
        assert!(led_to(registry, &own).await.is_ok());
    }

    #[tokio::test]
    async fn credentials_go_to_their_registry_alone() {
        let other = Planted::new(|_| Some(planted::reply(200, "text/plain", b"a file")));
        let there = format!("HTTP/1.1 302 Found\r\nLocation: {}x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", other.url);
        let registry = Planted::new(move |_| Some(there.clone().into()));
        let egress = registry.egress_with(&[&other.url]);
        let upstream = Arc::clone(&egress.upstreams[&Ecosystem::Pypi][0]);
        let now = Timestamp::UNIX_EPOCH;
        assert!(egress.artifact(&upstream, &format!("{}x", other.url), now).await.is_ok(), "told by its index");
        assert!(egress.artifact(&upstream, &format!("{}x", registry.url), now).await.is_ok(), "redirected by it");
        assert!(egress.document(&upstream, "x/", "text/html", &Validators::default(), now).await.is_ok());
        assert!(registry.was_sent("authorization: bearer word") && other.requests().len() == 3 && !other.was_sent("authorization"));
    }

    #[tokio::test]
    async fn a_document_that_was_never_had_is_not_unchanged() {
        let registry = Planted::new(|_| Some(planted::reply(304, "text/html", b"")));
        let egress = registry.egress();
        let upstream = Arc::clone(&egress.upstreams[&Ecosystem::Pypi][0]);
        let (now, none) = (Timestamp::UNIX_EPOCH, Validators::default());
        assert!(egress.document(&upstream, "x/", "text/html", &none, now).await.is_err());
        let known = Validators { etag: Some("\"1\"".to_owned()), last_modified: None };
        assert!(matches!(egress.document(&upstream, "x/", "text/html", &known, now).await, Ok(Reply::Unchanged)));
    }

    #[tokio::test]
    async fn one_bad_answer_and_another_host_s_absence_make_no_registry_away() {
        let registry =
            Planted::new(|path| (path != "/gone/").then(|| planted::reply(if path == "/bad/" { 503 } else { 200 }, "text/html", b"")));
        // In the settings, and not there.
        let absent = Planted::new(|_| None).url.clone();
        let egress = registry.egress_with(&[&absent]);
        let upstream = Arc::clone(&egress.upstreams[&Ecosystem::Pypi][0]);
        let (now, known) = (Timestamp::UNIX_EPOCH, Validators::default());
        let ask = async |path: &str| egress.document(&upstream, path, "text/html", &known, now).await.map(drop);
        assert!(ask("bad/").await.unwrap_err().away);
        assert!(egress.artifact(&upstream, &format!("{absent}x"), now).await.is_err_and(|fault| fault.away));
        assert!(ask("good/").await.is_ok(), "everyone else's packages are still to be had");
        assert!(ask("gone/").await.unwrap_err().away);
        assert!(ask("good/").await.is_err(), "now it is left alone for a moment");
    }

    fn egress() -> Egress {
        let upstream = |url: &str, owns: &[&str]| UpstreamConfig {
            url: url.to_owned(),
            owns: owns.iter().map(|&owned| owned.to_owned()).collect(),
            credentials: None,
        };
        let npm = vec![
            upstream("https://npm.corp.example/api", &["@corp/*", "widgets"]),
            upstream("https://mirror.corp.example", &[]),
            upstream("https://registry.example", &[]),
        ];
        let config = DepotConfig {
            schema: 1,
            key: Key::new([0; 32]),
            key_made: jiff::Timestamp::UNIX_EPOCH,
            upstreams: BTreeMap::from([(Ecosystem::Npm, npm)]),
            index_ttl: Seconds::new(600),
            store_size: Bytes::new(1),
            artifact_size: Bytes::new(1),
            proxy: String::new(),
        };
        Egress::new(&config, None).unwrap()
    }

    fn route(egress: &Egress, name: &str) -> Vec<String> {
        let project = Project { ecosystem: Ecosystem::Npm, name: name.to_owned() };
        egress.route(&project).iter().map(|upstream| upstream.base.to_string()).collect()
    }

    #[test]
    fn an_owned_name_is_asked_of_its_owner_alone_and_the_rest_in_order() {
        let egress = egress();
        assert_eq!(route(&egress, "@corp/secret"), ["https://npm.corp.example/api/"]);
        assert_eq!(route(&egress, "widgets"), ["https://npm.corp.example/api/"]);
        assert_eq!(route(&egress, "widgets2"), ["https://mirror.corp.example/", "https://registry.example/"]);
        let project = |name: &str| Project { ecosystem: Ecosystem::Npm, name: name.to_owned() };
        assert!(egress.may_name(&project("express")) && !egress.may_name(&project("@corp/secret")));
        assert_eq!(egress.public(Ecosystem::Npm).unwrap().base.host_str(), Some("registry.example"));
        assert!(egress.route(&Project { ecosystem: Ecosystem::Pypi, name: "six".to_owned() }).is_empty());
    }

    #[test]
    fn no_path_leads_away_from_its_registry() {
        let egress = egress();
        let upstream = &egress.upstreams[&Ecosystem::Npm][0];
        assert_eq!(upstream.below("@corp%2fa").unwrap().as_str(), "https://npm.corp.example/api/@corp%2fa");
        for path in ["../x", "../../x", "a/../../x", "%2e%2e/x"] {
            assert!(upstream.below(path).is_err(), "{path}");
        }
    }
}
