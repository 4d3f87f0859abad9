//! The name of a blob: its SHA-256.

use crate::depot::promise::{Algorithm, Digest};

/// A SHA-256, small enough to keep a hundred thousand of in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key([u8; 32]);

impl Key {
    pub(super) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// `None` for another algorithm's digest.
    pub(super) fn of(digest: &Digest) -> Option<Self> {
        let bytes = (digest.algorithm() == Algorithm::Sha256).then(|| digest.bytes());
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self)
    }

    /// From a file name: 64 lower-case hexadecimal digits and nothing else.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::of(&digest_from_name(Algorithm::Sha256, name)?)
    }

    pub(super) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn digest(&self) -> Digest {
        // Infallible: 32 bytes are what the algorithm gives.
        Digest::new(Algorithm::Sha256, self.0).unwrap_or_else(|| unreachable!("a key has the length of a SHA-256"))
    }
}

/// A digest from a file name. Upper case is no name of ours: one digest has one file.
pub(super) fn digest_from_name(algorithm: Algorithm, name: &str) -> Option<Digest> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    Digest::from_hex(algorithm, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_digest_in_lower_case_alone() {
        let key = Key::new([0xab; 32]);
        let name = key.digest().hex();
        assert_eq!(Key::from_name(&name), Some(key));
        assert_eq!(Key::of(&key.digest()), Some(key));
        for other in [name.to_uppercase(), format!("{name}0"), format!("{}g", &name[1..]), name[1..].to_owned(), String::new()] {
            assert_eq!(Key::from_name(&other), None, "{other}");
        }
        assert_eq!(Key::of(&Digest::new(Algorithm::Sha1, [1; 20]).unwrap()), None);
    }
}
