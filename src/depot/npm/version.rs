//! One version's manifest, as far as the depot understands it: which tarball it promises.

use serde_json::value::RawValue;
use url::Url;

use super::{ask, json};
use crate::depot::names::{Project, is_file_name};
use crate::depot::promise::{Algorithm, Digest};

/// The longest version taken; semver has no limit, npm's is 256.
pub const LONGEST_VERSION: usize = 256;
/// The longest address taken.
const LONGEST_URL: usize = 2048;

/// Whether a text can be a version: the characters of semver, and of what was taken for it in npm's early days.
pub fn is_version(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_VERSION && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte))
}

/// The tarball that a version's `dist` promises.
#[derive(Debug, PartialEq, Eq)]
pub struct Tarball {
    /// Its name: the last segment of its address.
    pub file: String,
    /// Where it is.
    pub url: Url,
    /// What its bytes must hash to.
    pub digest: Option<Digest>,
}

impl Tarball {
    /// The tarball of a version with these members; `None` where there is none with a usable name and address. An
    /// address may be relative to the document's.
    pub fn of(version: &[(String, &RawValue)], document: &Url) -> serde_json::Result<Option<Self>> {
        let Some(dist) = member(version, "dist").map(json::members).transpose()?.flatten() else { return Ok(None) };
        let text = |name| member(&dist, name).and_then(json::text);
        let Some((file, url)) = text("tarball").and_then(|address| place(&address, document)) else { return Ok(None) };
        let digest = text("integrity")
            .and_then(|integrity| Digest::from_sri(&integrity))
            .or_else(|| text("shasum").and_then(|sum| Digest::from_hex(Algorithm::Sha1, &sum)));
        Ok(Some(Self { file, url, digest }))
    }

    /// Whether npm, which puts the depot's address in place of the registry's and keeps the path, would find it here.
    pub fn is_found_by_path(&self, project: &Project) -> bool {
        self.url.query().is_none() && ask::leads_to(self.url.path(), project, &self.file)
    }
}

/// A member by name.
pub fn member<'a>(members: &[(String, &'a RawValue)], name: &str) -> Option<&'a RawValue> {
    members.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
}

fn place(address: &str, document: &Url) -> Option<(String, Url)> {
    let mut url = document.join(address).ok().filter(|_| !address.is_empty() && address.len() <= LONGEST_URL)?;
    url.set_fragment(None);
    let plain = matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty() && url.password().is_none();
    let file = percent_encoding::percent_decode_str(url.path_segments()?.next_back()?).decode_utf8().ok()?.into_owned();
    (plain && is_file_name(&file)).then_some((file, url))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::depot::npm::name;

    fn tarball(dist: &str) -> Option<Tarball> {
        let raw = RawValue::from_string(format!("{{\"dist\":{dist}}}")).unwrap();
        Tarball::of(&json::members(&raw).unwrap().unwrap(), &Url::parse("https://registry.example/x").unwrap()).unwrap()
    }

    fn at(address: &str) -> Option<Tarball> {
        tarball(&serde_json::json!({ "tarball": address }).to_string())
    }

    #[test]
    fn the_strongest_digest_counts_and_the_old_one_where_there_is_no_other() {
        let sum = "a".repeat(40);
        let (weak, strong) = (STANDARD.encode([1; 48]), STANDARD.encode([2; 64]));
        let algorithm = |integrity: &str, shasum: &str| {
            let dist = serde_json::json!({ "tarball": "https://registry.example/x.tgz", "integrity": integrity, "shasum": shasum });
            tarball(&dist.to_string()).unwrap().digest.map(|digest| digest.algorithm())
        };
        assert_eq!(algorithm(&format!("sha384-{weak} sha512-{strong}"), &sum), Some(Algorithm::Sha512));
        assert_eq!(algorithm("md5-AAAA", &sum), Some(Algorithm::Sha1));
        assert_eq!(algorithm("", "no sum"), None);
        assert_eq!(tarball(r#"{"tarball":"https://registry.example/x.tgz","integrity":5,"shasum":null}"#).unwrap().digest, None);
    }

    #[test]
    fn an_address_without_a_plain_name_or_a_plain_origin_is_none() {
        for address in [
            "",
            "https://registry.example",
            "https://registry.example/x/",
            "ftp://registry.example/x.tgz",
            "file:///x.tgz",
            "data:x.tgz",
            "https:///",
            "https://user@registry.example/x.tgz",
            "https://user:word@registry.example/x.tgz",
            "https://registry.example/a%2fb.tgz",
            "https://registry.example/%2e%2e%2fx",
            "https://registry.example/a%00.tgz",
            "https://registry.example/a%0d%0a.tgz",
            "https://registry.example/%ff.tgz",
            "https://registry.example/.tgz",
            &format!("https://registry.example/{}/x.tgz", "y".repeat(2048)),
        ] {
            assert_eq!(at(address), None, "{address}");
        }
        for dist in ["null", "5", "[]", "\"x\"", "{}", r#"{"tarball":5}"#, r#"{"tarball":["https://registry.example/x.tgz"]}"#] {
            assert_eq!(tarball(dist), None, "{dist}");
        }
    }

    #[test]
    fn an_address_is_taken_as_it_is() {
        for (address, file, url) in [
            ("https://cdn.example/d/x-1.tgz?sig=1#f", "x-1.tgz", "https://cdn.example/d/x-1.tgz?sig=1"),
            ("x/-/x-1.tgz", "x-1.tgz", "https://registry.example/x/-/x-1.tgz"),
            ("https://registry.example/x/-/x-1%2B2.tgz", "x-1+2.tgz", "https://registry.example/x/-/x-1%2B2.tgz"),
            ("https://registry.example/download/x/1.0.0/0123abcd", "0123abcd", "https://registry.example/download/x/1.0.0/0123abcd"),
        ] {
            let tarball = at(address).unwrap();
            assert_eq!((tarball.file.as_str(), tarball.url.as_str()), (file, url));
        }
    }

    #[test]
    fn npm_finds_a_path_of_a_registry_s_usual_shape_alone() {
        for (project, address, found) in [
            ("x", "https://registry.example/x/-/x-1.tgz", true),
            ("@a/x", "https://registry.example/@a/x/-/x-1.tgz", true),
            ("@a/x", "https://registry.example/@a%2fx/-/x-1.tgz", true),
            ("@a/x", "https://registry.example/@a/x/-/@a/x-1.tgz", false),
            ("x", "https://registry.example/api/npm/x/-/x-1.tgz", true),
            ("@a/x", "https://registry.example/npm/@a/x/-/x-1.tgz", true),
            ("npm", "https://registry.example/npm/-/npm-1.tgz", true),
            ("npm", "https://registry.example/npm/npm/-/npm-1.tgz", true),
            ("x", "https://registry.example/pypi/x/-/x-1.tgz", false),
            ("x", "https://registry.example/api/x.y;z/x/-/x-1.tgz", false),
            ("x", "https://registry.example/y/-/x-1.tgz", false),
            ("x", "https://registry.example/x/-/x-1.tgz?a", false),
            ("x", "https://registry.example/x-1.tgz", false),
        ] {
            assert_eq!(at(address).unwrap().is_found_by_path(&name::project(project).unwrap()), found, "{address}");
        }
    }

    #[test]
    fn a_version_is_of_semver_s_characters() {
        assert!(["1.0.0", "1.0.0-rc.1+b", "v1", "1.0.0beta"].into_iter().all(is_version));
        assert!(!["", "1 0", "1/0", "../1", "1\n", "ä", &"1".repeat(257)].into_iter().any(is_version));
    }
}
