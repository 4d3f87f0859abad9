use std::path::PathBuf;

use crate::failure::{Code, Failure, Result};
use crate::units::sanitise;

/// What an image is built of, from the settings and the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSpec {
    /// `name:tag` that the image gets.
    pub tag: String,
    /// The image that it is built on.
    pub base: String,
    /// Debian's release, where the base must be bootstrapped.
    pub suite: String,
    /// Where Debian's packages come from.
    pub debian_mirror: String,
    /// The index that pip reads (the address that ends in `/simple`).
    pub pypi_url: String,
    /// The registry that npm reads.
    pub npm_url: String,
    /// Certificate authorities that the image trusts beside Debian's.
    pub ca_bundle: Option<PathBuf>,
    /// Build even what the engine has cached, on a base that is pulled anew.
    pub no_cache: bool,
}

impl ImageSpec {
    /// Whether Debian's packages make the same base as the one that is named: an operator's own is never replaced.
    pub fn is_debian(&self) -> bool {
        ["", "-slim"].iter().any(|variant| self.base == format!("debian:{}{variant}", self.suite))
    }

    /// The tag that a bootstrapped base gets and keeps.
    pub fn bootstrapped_tag(&self) -> String {
        format!("palisade-base:{}", self.suite)
    }

    /// Refuses what a build argument or a command line must not carry.
    pub fn check(&self) -> Result<()> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !self.suite.starts_with(|c: char| c.is_ascii_lowercase()) || !self.suite.chars().all(plain) {
            return Err(Failure::new(Code::InvalidConfig, "the Debian release is not a code name")
                .detail(format!("'image.suite': '{}'", self.suite))
                .hint("give one such as trixie"));
        }
        for (key, url) in
            [("image.debian_mirror", &self.debian_mirror), ("packages.pypi.url", &self.pypi_url), ("packages.npm.url", &self.npm_url)]
        {
            check_url(key, url)?;
        }
        Ok(())
    }
}

fn check_url(key: &str, url: &str) -> Result<()> {
    let refuse = |why: &str, hint: &str| Err(Failure::new(Code::InvalidConfig, format!("'{key}' {why}")).hint(hint));
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return refuse(&format!("is not an address: '{}'", sanitise(url)), "give one that begins with https:// or http://");
    };
    if rest.is_empty() || rest.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\\' | '`' | '$')) {
        return refuse(&format!("is not an address: '{}'", sanitise(url)), "give one without spaces, quotes and control characters");
    }
    if rest.split('/').next().is_some_and(|authority| authority.contains('@')) {
        // The value itself stays out of the message.
        return refuse(
            "holds a user or password, which would stay in the image's history",
            "name a mirror that needs none; package access with credentials belongs outside of images",
        );
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn spec() -> ImageSpec {
        ImageSpec {
            tag: "palisade-sandbox:test".to_owned(),
            base: "debian:trixie-slim".to_owned(),
            suite: "trixie".to_owned(),
            debian_mirror: "http://debian.example/debian".to_owned(),
            pypi_url: "https://pypi.example/simple".to_owned(),
            npm_url: "https://npm.example".to_owned(),
            ca_bundle: None,
            no_cache: false,
        }
    }

    #[test]
    fn only_debian_itself_is_ever_bootstrapped() {
        assert!(spec().is_debian());
        assert!(ImageSpec { base: "debian:trixie".to_owned(), ..spec() }.is_debian());
        for base in ["debian:bookworm-slim", "ubuntu:24.04", "mine/debian:trixie", "debian"] {
            assert!(!ImageSpec { base: base.to_owned(), ..spec() }.is_debian(), "{base}");
        }
    }

    #[test]
    fn a_suite_that_could_be_an_option_or_a_path_is_refused() {
        for suite in ["", "--help", "../x", "tri xie", "Trixie"] {
            let failure = ImageSpec { suite: suite.to_owned(), ..spec() }.check().unwrap_err();
            assert_eq!(failure.code, Code::InvalidConfig, "{suite}");
        }
        spec().check().unwrap();
    }

    #[test]
    fn addresses_with_credentials_are_refused_without_repeating_them() {
        let failure = ImageSpec { npm_url: "https://me:geheim@npm.example".to_owned(), ..spec() }.check().unwrap_err();
        assert!(failure.message.contains("packages.npm.url"));
        assert!(!failure.to_string().contains("geheim"), "{failure}");
        for url in ["", "ftp://x", "https://", "https://a b", "https://x\"; y", "-o"] {
            assert!(ImageSpec { pypi_url: url.to_owned(), ..spec() }.check().is_err(), "{url}");
        }
    }
}
