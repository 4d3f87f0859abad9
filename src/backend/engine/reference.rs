//! What may stand in the path of a request: ids, names and image references, checked before they become part of an address.
//!
//! The engine's own alphabet is the rule, so nothing that the engine could know is refused, and no `/../` or `?`
//! from a command line turns one request into another.

use crate::failure::{Code, Failure, Result};
use crate::units::sanitise;

/// Longest reference that is sent; the engine's own limit for names is far below.
const MAX: usize = 1024;

/// An id or name of a container, volume or exec.
pub(super) fn name<'a>(noun: &str, text: &'a str) -> Result<&'a str> {
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let known = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    if begins && known && text.len() <= MAX {
        return Ok(text);
    }
    Err(Failure::new(Code::NotFound, format!("there is no {noun} '{}'", shown(text)))
        .detail("names have only the characters a-z A-Z 0-9 _ . - and begin with a letter or digit"))
}

/// An image's id or `[HOST[:PORT]/]PATH[:TAG][@DIGEST]`.
pub(super) fn image(text: &str) -> Result<&str> {
    let known = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'/' | b':' | b'@' | b'+'));
    let whole = text.split('/').all(|part| part.starts_with(|c: char| c.is_ascii_alphanumeric()));
    if known && whole && text.len() <= MAX {
        return Ok(text);
    }
    Err(Failure::new(Code::Usage, format!("'{}' is not an image reference", shown(text)))
        .hint("name an image as NAME, NAME:TAG, HOST/NAME:TAG or sha256:ID"))
}

/// Splits a reference into repository and tag; `latest` where it names neither tag nor digest, because the engine
/// would otherwise pull every tag there is.
pub(super) fn repository_and_tag(reference: &str) -> (&str, &str) {
    if reference.contains('@') {
        return (reference, "");
    }
    let path_begins = reference.rfind('/').map_or(0, |slash| slash + 1);
    match reference.get(path_begins..).and_then(|path| path.find(':')) {
        Some(colon) => {
            let (repository, tag) = reference.split_at(path_begins + colon);
            (repository, tag.trim_start_matches(':'))
        }
        None => (reference, "latest"),
    }
}

fn shown(text: &str) -> String {
    sanitise(&text.chars().take(120).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_changes_an_address_is_a_name() {
        for text in ["", ".", "..", "a/b", "../images/x", "a?force=1", "a#", "a%2f", "a b", "a\n", "\u{1b}[2J", "-x", &"x".repeat(2000)] {
            assert_eq!(name("container", text).unwrap_err().code, Code::NotFound, "{text:?}");
        }
        for text in ["a", "palisade-web_1.2", "a969799a267ffdba"] {
            assert_eq!(name("container", text).unwrap(), text);
        }
    }

    #[test]
    fn nothing_that_changes_an_address_is_an_image() {
        for text in ["", "/", "a//b", "a/../b", "../containers/x", "a/./b", "a?x", "a b", "a\0", "-a", ":x", "naïve"] {
            assert_eq!(image(text).unwrap_err().code, Code::Usage, "{text:?}");
        }
        for text in ["debian", "debian:13", "localhost:5000/a/b:1", "sha256:4d5286ec0daa", "ghcr.io/x/y_z@sha256:00ff"] {
            assert_eq!(image(text).unwrap(), text);
        }
    }

    #[test]
    fn a_reference_without_a_tag_means_latest_and_never_every_tag() {
        for (text, parts) in [
            ("debian", ("debian", "latest")),
            ("debian:13", ("debian", "13")),
            ("localhost:5000/a/b", ("localhost:5000/a/b", "latest")),
            ("localhost:5000/a/b:1", ("localhost:5000/a/b", "1")),
            ("a@sha256:00", ("a@sha256:00", "")),
        ] {
            assert_eq!(repository_and_tag(text), parts);
        }
    }
}
