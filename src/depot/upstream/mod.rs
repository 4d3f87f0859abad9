//! The depot's way out: which registry is asked for a name, and how. The only place that opens a connection to
//! anything but a sandbox. Nothing that a sandbox wrote goes out but a name that an adapter has proved harmless.

mod client;
mod health;
#[cfg(test)]
pub(in crate::depot) mod planted;
mod reach;
mod registry;
mod route;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use reqwest::header::{self, HeaderMap, HeaderValue};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::config::DepotConfig;
use super::ledger::UpstreamFacts;
use super::names::Project;
use super::promise::Ecosystem;
use reach::Reach;
pub use registry::Upstream;
use registry::host;
pub use route::Pattern;

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
        let question = upstream.questions.acquire().await;
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
                    // Only then may the registry be asked the next question: answers that wait for this are bounded, too.
                    let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
                    drop(question);
                    return Ok((response, permit));
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
