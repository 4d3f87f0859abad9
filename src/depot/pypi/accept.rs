//! Which form of an index a client would rather have: `Accept` as HTTP defines it, for the media types of the
//! simple API. Knows nothing of documents.
//!
//! Sources: <https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1>, <https://peps.python.org/pep-0691/#content-types>.

use super::super::adapter::Form;
use super::{HTML, JSON};

/// The names that a form goes by, lower case; the first two of each are versions of one family.
const NAMES: [(Form, [&str; 3]); 2] = [
    (JSON, ["application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.latest+json", ""]),
    (HTML, ["application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.latest+html", "text/html"]),
];

/// How closely a range names a form: the closest one decides, whatever its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    Anything,
    Family,
    Exact,
}

/// The form to answer with; `None` where the client takes neither. Whoever does not say gets HTML.
pub(super) fn negotiate(accept: &str) -> Option<Form> {
    if accept.trim().is_empty() {
        return Some(HTML);
    }
    let wanted = NAMES.iter().filter_map(|(form, names)| {
        // Of two ranges that are equally close, the heavier one: the names of a form are aliases.
        let (closeness, weight) = ranges(accept).filter_map(|(range, weight)| Some((closeness(range, names)?, weight))).max()?;
        // Who takes anything gets what browsers show; who names both equally gets what says more.
        let liked = (closeness == Closeness::Anything) == (*form == HTML);
        (weight > 0).then_some((weight, closeness, liked, *form))
    });
    wanted.max_by_key(|&(weight, closeness, liked, _)| (weight, closeness, liked)).map(|(.., form)| form)
}

fn closeness(range: &str, names: &[&str; 3]) -> Option<Closeness> {
    if range == "*/*" {
        return Some(Closeness::Anything);
    }
    if names.iter().any(|name| name.eq_ignore_ascii_case(range)) {
        return Some(Closeness::Exact);
    }
    let family = range.strip_suffix('*')?;
    let in_family = |name: &&str| family.ends_with('/') && name.get(..family.len()).is_some_and(|start| start.eq_ignore_ascii_case(family));
    names.iter().any(in_family).then_some(Closeness::Family)
}

/// Each media range with its weight in thousandths. One whose weight is none is left out: nothing was said.
fn ranges(accept: &str) -> impl Iterator<Item = (&str, u16)> {
    accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let q = parts.filter_map(|part| part.split_once('=')).find(|(key, _)| key.trim().eq_ignore_ascii_case("q"));
        Some((name, q.map_or(Some(1000), |(_, value)| weight(value.trim()))?))
    })
}

/// `0.5` as 500.
fn weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_gets_what_it_likes_best() {
        let pip = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01";
        let uv = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        for (accept, form) in [
            (pip, Some(JSON)),
            (uv, Some(JSON)),
            (browser, Some(HTML)),
            ("", Some(HTML)),
            ("  ", Some(HTML)),
            ("*/*", Some(HTML)),
            ("text/html", Some(HTML)),
            ("text/*", Some(HTML)),
            ("application/*", Some(JSON)),
            ("TEXT/HTML; Charset=utf-8", Some(HTML)),
            ("application/vnd.pypi.simple.latest+json", Some(JSON)),
            ("application/vnd.pypi.simple.v1+html", Some(HTML)),
            ("Application/Vnd.PyPI.Simple.V1+JSON", Some(JSON)),
            // Weights.
            ("application/vnd.pypi.simple.v1+json;q=0.5, text/html", Some(HTML)),
            ("application/vnd.pypi.simple.v1+json;q=0.2, text/html;q=0.1", Some(JSON)),
            ("application/vnd.pypi.simple.v1+json;q=0.001, text/html;q=0", Some(JSON)),
            ("application/vnd.pypi.simple.v1+json, text/html", Some(JSON)),
            ("*/*, application/vnd.pypi.simple.v1+json", Some(JSON)),
            ("*/*;q=0.1, application/vnd.pypi.simple.v1+json;q=0.9", Some(JSON)),
            ("text/html;q=0, */*", Some(JSON)),
            ("application/vnd.pypi.simple.v1+json;q=0, */*", Some(HTML)),
            ("application/vnd.pypi.simple.v1+html;q=0, text/html;q=0.3", Some(HTML)),
            ("text/html;level=1;Q=1.000", Some(HTML)),
            // Nothing that there is.
            ("application/json", None),
            ("application/vnd.pypi.simple.v2+json", None),
            ("image/*", None),
            ("*", None),
            ("text/html;q=0", None),
            ("*/*;q=0", None),
            (",;,", None),
            // A weight that is none says nothing.
            ("text/html;q=2", None),
            ("text/html;q=1.001", None),
            ("text/html;q=-1", None),
            ("text/html;q=0.1234, application/vnd.pypi.simple.v1+json;q=0.1", Some(JSON)),
            ("text/html;q=, application/vnd.pypi.simple.v1+json;q=0.1", Some(JSON)),
        ] {
            assert_eq!(negotiate(accept), form, "{accept}");
        }
    }
}
