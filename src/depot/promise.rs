//! What a registry promises: digests, and for each file of a project where it is and what it must be.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::units::{ParseError, serde_as_text};

/// A world of packages with a registry protocol of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// Python's.
    Pypi,
    /// Node's.
    Npm,
}

impl Ecosystem {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Pypi, Self::Npm];

    /// The name that paths, labels and documents use; also a package URL's type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pypi => "pypi",
            Self::Npm => "npm",
        }
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A hash function that registries use. Strongest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// npm's `shasum`, of packages from before 2017.
    Sha1,
    /// `PyPI`'s, and the store's own.
    Sha256,
    /// npm's `integrity`, seldom.
    Sha384,
    /// npm's `integrity`.
    Sha512,
}

impl Algorithm {
    /// `sha256`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Bytes of a digest.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512].into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// A digest: shown and read as `sha256:<hex, lower case>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

impl Digest {
    /// From bytes of the algorithm's length; `None` for another.
    pub fn new(algorithm: Algorithm, bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.into();
        (bytes.len() == algorithm.length()).then_some(Self { algorithm, bytes })
    }

    /// From hexadecimal in either case.
    pub fn from_hex(algorithm: Algorithm, hex: &str) -> Option<Self> {
        if hex.len() != algorithm.length() * 2 || !hex.is_ascii() {
            return None;
        }
        let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect();
        // `from_str_radix` takes a sign: "+f" is no byte.
        hex.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(Self { algorithm, bytes: bytes? })
    }

    /// The strongest digest of a Subresource Integrity text, `sha512-<base64> …`.
    ///
    /// Source: <https://www.w3.org/TR/SRI/#the-integrity-attribute>.
    pub fn from_sri(text: &str) -> Option<Self> {
        let one = |word: &str| {
            let (algorithm, value) = word.split_once('-')?;
            let value = value.split_once('?').map_or(value, |(value, _)| value);
            Self::new(Algorithm::of(algorithm)?, STANDARD.decode(value).ok()?)
        };
        text.split_ascii_whitespace().filter_map(one).max_by_key(|digest| digest.algorithm)
    }

    /// Its hash function.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Hexadecimal, lower case.
    pub fn hex(&self) -> String {
        crate::units::hex(&self.bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex())
    }
}

impl FromStr for Digest {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digest = text.split_once(':').and_then(|(name, hex)| Self::from_hex(Algorithm::of(name)?, hex));
        digest.ok_or_else(|| ParseError(format!("'{}' is not a digest such as sha256:…", crate::units::sanitise(text))))
    }
}

serde_as_text!(Digest);

/// What an index says of one file. Everything in it is the registry's word, nothing a sandbox's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// The version it belongs to; empty where the index does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Where it is: absolute, `http` or `https`.
    pub url: String,
    /// What its bytes must hash to; without one it is served and never stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// How many bytes it must have, where the index says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When it was published, where the index says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
}

/// Everything that one project's index promises, by file name as the depot's paths name files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Catalogue {
    /// The files.
    pub files: BTreeMap<String, Promise>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_in_each_form() {
        let hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let digest = Digest::from_hex(Algorithm::Sha256, &hex.to_uppercase()).unwrap();
        assert_eq!(digest.to_string(), format!("sha256:{hex}"));
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        let sri = format!("sha1-{} sha256-{}?opt", STANDARD.encode([1; 20]), STANDARD.encode(digest.bytes()));
        assert_eq!(Digest::from_sri(&sri).unwrap(), digest);
    }

    #[test]
    fn what_is_no_digest_is_none() {
        for text in [
            "",
            "sha256:",
            "sha256:ab",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            &format!("sha1:{}", "+f".repeat(20)),
            &format!("sha1:{}", "é".repeat(20)),
        ] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
        for text in ["", "sha512", "sha512-", "sha512-AAAA", "md5-1B2M2Y8AsgTpgAmY7PhCfg==", "sha256-!!"] {
            assert_eq!(Digest::from_sri(text), None, "{text}");
        }
    }
}
