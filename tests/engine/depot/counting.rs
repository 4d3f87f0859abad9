//! A registry that passes on to the real ones and so counts what they are asked: addresses of files in its indexes lead back to it.

use serde_json::{Value, json};

use super::registry::{Asked, Registry, headed};

/// How often a real registry is asked that answers with an error or breaks off.
const TRIES: usize = 4;

/// What a real registry answered.
struct Passed {
    status: u16,
    kind: String,
    etag: String,
    body: Vec<u8>,
}

/// Asks the real registries, by this machine's own trust and proxies.
struct Client {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl Client {
    fn new() -> Self {
        // Another test's may be there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        Self { runtime, client: reqwest::Client::builder().build().unwrap() }
    }

    /// What the real registry answers. One that fails is asked again: its bad moments are not what these tests are about.
    fn pass(&self, asked: &Asked, url: &str) -> Passed {
        let is_good = |answer: &Passed| answer.status < 500;
        (1..TRIES).map(|_| self.ask(asked, url)).find(is_good).unwrap_or_else(|| self.ask(asked, url))
    }

    fn ask(&self, asked: &Asked, url: &str) -> Passed {
        let mut request = self.client.request(asked.method.parse().unwrap(), url).body(asked.body.clone());
        for name in ["accept", "content-type", "content-encoding", "if-none-match"] {
            if !asked.header(name).is_empty() {
                request = request.header(name, asked.header(name));
            }
        }
        let answer = self.runtime.handle().block_on(async move {
            let response = request.send().await?;
            let text = |name: &str| response.headers().get(name).and_then(|text| text.to_str().ok()).unwrap_or_default().to_owned();
            let (status, kind, etag) = (response.status().as_u16(), text("content-type"), text("etag"));
            Ok::<_, reqwest::Error>(Passed { status, kind, etag, body: response.bytes().await?.to_vec() })
        });
        let failed = |error: reqwest::Error| Passed {
            status: 502,
            kind: "text/plain".to_owned(),
            etag: String::new(),
            body: format!("{error:?}").into_bytes(),
        };
        answer.unwrap_or_else(failed)
    }
}

impl Registry {
    /// Passes on to the registries of the default settings.
    pub fn counting() -> Self {
        let upstream = palisade::config::Settings::default().packages;
        let (pypi, npm) = (upstream.pypi.url.trim_end_matches('/').to_owned(), upstream.npm.url.trim_end_matches('/').to_owned());
        let client = Client::new();
        Self::with_url(|own| {
            let own = own.to_owned();
            Box::new(move |asked: &Asked| {
                let Passed { status, kind, etag, body } = if let Some(file) = asked.path.strip_prefix("/files/") {
                    client.pass(asked, &real_address(file))
                } else if let Some(page) = asked.path.strip_prefix("/pypi/simple") {
                    let page = client.pass(asked, &format!("{pypi}{page}"));
                    Passed { body: readdressed(&page.body, &own), ..page }
                } else if let Some(page) = asked.path.strip_prefix("/npm") {
                    let page = client.pass(asked, &format!("{npm}{page}"));
                    if asked.path.rsplit('.').next() == Some("tgz") {
                        page
                    } else {
                        Passed { body: String::from_utf8_lossy(&page.body).replace(&npm, &format!("{own}/npm")).into_bytes(), ..page }
                    }
                } else {
                    Passed { status: 404, kind: "text/plain".to_owned(), etag: String::new(), body: Vec::new() }
                };
                let etag = if etag.is_empty() { String::new() } else { format!("ETag: {etag}\r\n") };
                headed(status, &format!("Content-Type: {kind}\r\n{etag}"), &body)
            })
        })
    }
}

/// Every address of a file becomes one of ours that holds the real one in hexadecimal, and its file name.
fn readdressed(body: &[u8], own: &str) -> Vec<u8> {
    let Ok(mut page) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    for file in page["files"].as_array_mut().into_iter().flatten() {
        let url = file["url"].as_str().unwrap().to_owned();
        let name = url.rsplit('/').next().unwrap_or_default().to_owned();
        let hexed = palisade::units::hex(url.as_bytes());
        file["url"] = json!(format!("{own}/files/{hexed}/{name}"));
    }
    serde_json::to_vec(&page).unwrap()
}

/// The address behind one of ours. A file's metadata is where the file is, with an ending of its own.
fn real_address(file: &str) -> String {
    let (hexed, name) = file.split_once('/').unwrap();
    let bytes = (0..hexed.len()).step_by(2).map(|at| u8::from_str_radix(&hexed[at..at + 2], 16).unwrap()).collect();
    let url = String::from_utf8(bytes).unwrap();
    if name.ends_with(".metadata") { format!("{url}.metadata") } else { url }
}
