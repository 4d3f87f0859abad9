//! What of a request's head is let through to an adapter. What an adapter answers goes by the path alone, and nothing of
//! the head is ever sent on.

use hyper::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use hyper::{Method, Request};

use crate::depot::adapter::Refusal;

/// The longest path taken.
const LONGEST_PATH: usize = 2048;

/// Checks what every request must be.
pub fn check<B>(request: &Request<B>) -> Result<(), Refusal> {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    if !matches!(*method, Method::GET | Method::HEAD | Method::POST) {
        return Err(Refusal { status: 405, reason: format!("the depot only reads: {} is refused", short(method.as_str())) });
    }
    if uri.scheme().is_some() || uri.authority().is_some() || !uri.path().starts_with('/') {
        return Err(Refusal::bad("the depot is no proxy: ask it for a path"));
    }
    if uri.path().len() > LONGEST_PATH {
        return Err(Refusal { status: 414, reason: format!("the path is longer than {LONGEST_PATH} characters") });
    }
    if !uri.path().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::bad("the path holds a character that no path may"));
    }
    if uri.path().split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(Refusal::bad("the path climbs"));
    }
    if *method != Method::POST && has_body(headers) {
        return Err(Refusal::bad("a request to read comes without a body"));
    }
    // hyper takes the one that the standard says; a request with both is an attempt at smuggling.
    if headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH)
        || headers.get_all(CONTENT_LENGTH).iter().count() > 1
        || headers.get_all(TRANSFER_ENCODING).iter().count() > 1
    {
        return Err(Refusal::bad("the request says its length in two ways"));
    }
    Ok(())
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING) || headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0")
}

/// A header's text; empty where it is absent, given twice, or no text.
pub fn text(headers: &HeaderMap, name: hyper::header::HeaderName) -> &str {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => "",
    }
}

/// What a sandbox wrote, cut for a message.
pub fn short(text: &str) -> String {
    let shown: String = text.chars().take(80).collect();
    crate::units::sanitise(&shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(method: &str, path: &str, headers: &[(&str, &str)]) -> Option<u16> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap()).err().map(|refusal| refusal.status)
    }

    #[test]
    fn only_plain_reads_pass() {
        assert_eq!(judged("GET", "/pypi/simple/six/", &[("content-length", "0")]), None);
        assert_eq!(judged("HEAD", "/npm/six", &[]), None);
        assert_eq!(judged("POST", "/npm/-/npm/v1/security/advisories/bulk", &[("content-length", "12")]), None);
        for method in ["PUT", "DELETE", "PATCH", "CONNECT", "OPTIONS", "TRACE", "PURGE"] {
            let path = if method == "CONNECT" { "host.example:443" } else { "/npm/six" };
            assert_eq!(judged(method, path, &[]), Some(405), "{method}");
        }
        assert_eq!(judged("GET", "http://other.example/npm/six", &[]), Some(400));
        assert_eq!(judged("GET", &format!("/npm/{}", "x".repeat(2048)), &[]), Some(414));
        for path in ["/npm/../pypi", "/..", "/npm/./six"] {
            assert_eq!(judged("GET", path, &[]), Some(400), "{path}");
        }
    }

    #[test]
    fn a_body_where_none_belongs_and_two_lengths_are_refused() {
        for headers in [
            &[("content-length", "5")][..],
            &[("transfer-encoding", "chunked")],
            &[("transfer-encoding", "chunked"), ("content-length", "0")],
            &[("content-length", "0"), ("content-length", "0")],
        ] {
            assert_eq!(judged("GET", "/npm/six", headers), Some(400), "{headers:?}");
        }
        let both = [("transfer-encoding", "chunked"), ("content-length", "5")];
        assert_eq!(judged("POST", "/npm/-/npm/v1/security/advisories/bulk", &both), Some(400));
    }
}
