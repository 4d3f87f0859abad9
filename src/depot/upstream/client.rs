use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use url::Url;

use super::reach::{Guarded, Reach};

/// To a registry that is there, a connection takes a fraction of a second.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest silence within an answer.
const SILENCE: Duration = Duration::from_secs(30);
/// A registry sends to its file host in one step, or in two.
const REDIRECTS: usize = 5;

/// A client for bodies as they are, and one that unpacks.
pub fn pair(proxy: &str, roots: Option<&[u8]>, reach: &Arc<Reach>) -> Result<(reqwest::Client, reqwest::Client), String> {
    let tls = tls(roots)?;
    let resolver = Guarded::new(Arc::clone(reach));
    let build = |gzip: bool| {
        let reach = Arc::clone(reach);
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("palisade/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls.clone())
            .redirect(redirect::Policy::custom(move |attempt| follow(&reach, attempt)))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .dns_resolver(resolver.clone())
            .pool_max_idle_per_host(super::KEPT_OPEN)
            .gzip(gzip)
            .no_proxy();
        if !proxy.is_empty() {
            let proxy = reqwest::Proxy::all(proxy).map_err(|error| format!("the proxy cannot be used: {}", cause(&error)))?;
            builder = builder.proxy(proxy);
        }
        builder.build().map_err(|error| format!("the way out cannot be set up: {}", cause(&error)))
    };
    Ok((build(false)?, build(true)?))
}

/// The operator's bundle alone, or the built-in roots.
fn tls(roots: Option<&[u8]>) -> Result<ClientConfig, String> {
    let mut store = RootCertStore::empty();
    match roots {
        None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(bundle) => {
            // A bundle of a whole system holds some that no library reads; those that it does are enough.
            let (added, _) = store.add_parsable_certificates(CertificateDer::pem_slice_iter(bundle).filter_map(Result::ok));
            if added == 0 {
                return Err("the certificates that the depot was given hold none that can be read".to_owned());
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?;
    Ok(config.with_root_certificates(store).with_no_client_auth())
}

fn follow(reach: &Reach, attempt: redirect::Attempt<'_>) -> redirect::Action {
    match why_not(reach, attempt.previous(), attempt.url()) {
        None => attempt.follow(),
        Some(why) => attempt.error(why),
    }
}

/// A few steps, never from a protected address to an open one, and to none that is out of reach.
fn why_not(reach: &Reach, previous: &[Url], next: &Url) -> Option<&'static str> {
    let downgraded = previous.iter().any(|url| url.scheme() == "https") && next.scheme() != "https";
    if previous.len() > REDIRECTS || downgraded || !matches!(next.scheme(), "http" | "https") {
        return Some("it redirects too often, or to an address that is not protected");
    }
    (!reach.allows(next)).then_some("it redirects to an address that is not public")
}

/// The innermost cause, without the address, which may be long.
pub fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    if error.is_timeout() { "timed out".to_owned() } else { crate::units::sanitise(&innermost.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_few_and_never_lead_to_less_protection() {
        let reach = Reach::new(&[]);
        let url = |text: &str| Url::parse(text).unwrap();
        let follows = |previous: &[&str], next: &str| {
            why_not(&reach, &previous.iter().map(|text| url(text)).collect::<Vec<_>>(), &url(next)).is_none()
        };
        assert!(follows(&["https://a.example/"], "https://b.example/") && follows(&["http://a.example/"], "https://b.example/"));
        assert!(follows(&["http://a.example/"], "http://b.example/"));
        assert!(!follows(&["https://a.example/"], "http://a.example/"));
        assert!(!follows(&["https://a.example/", "https://b.example/"], "http://c.example/"));
        assert!(!follows(&["http://a.example/"], "ftp://a.example/") && !follows(&["http://a.example/"], "file:///etc/passwd"));
        assert!(!follows(&["http://a.example/"], "http://169.254.169.254/"));
        assert!(follows(&["https://a.example/"; REDIRECTS], "https://a.example/"));
        assert!(!follows(&["https://a.example/"; REDIRECTS + 1], "https://a.example/"));
    }
}
