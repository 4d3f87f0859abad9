//! Digests of bytes as they go by: the store's own SHA-256 and, beside it, the one that a registry promised.

use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::key::Key;
use crate::depot::promise::{Algorithm, Digest};

/// SHA-256 and at most one more.
pub(super) struct Sums {
    own: Sha256,
    other: Option<Other>,
}

enum Other {
    Sha1(Sha1),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Sums {
    /// For what is promised by an algorithm.
    pub(super) fn new(promised: Algorithm) -> Self {
        let other = match promised {
            Algorithm::Sha1 => Some(Other::Sha1(Sha1::new())),
            Algorithm::Sha256 => None,
            Algorithm::Sha384 => Some(Other::Sha384(Sha384::new())),
            Algorithm::Sha512 => Some(Other::Sha512(Sha512::new())),
        };
        Self { own: Sha256::new(), other }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.own.update(bytes);
        match &mut self.other {
            None => {}
            Some(Other::Sha1(sum)) => sum.update(bytes),
            Some(Other::Sha384(sum)) => sum.update(bytes),
            Some(Other::Sha512(sum)) => sum.update(bytes),
        }
    }

    /// The name in the store, and the digest by the promised algorithm.
    pub(super) fn finish(self) -> (Key, Digest) {
        let key = Key::new(self.own.finalize().into());
        let other = match self.other {
            None => None,
            Some(Other::Sha1(sum)) => Digest::new(Algorithm::Sha1, sum.finalize().to_vec()),
            Some(Other::Sha384(sum)) => Digest::new(Algorithm::Sha384, sum.finalize().to_vec()),
            Some(Other::Sha512(sum)) => Digest::new(Algorithm::Sha512, sum.finalize().to_vec()),
        };
        (key, other.unwrap_or_else(|| key.digest()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_gives_its_known_digest_of_abc() {
        let own = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for (algorithm, expected) in [
            (Algorithm::Sha1, "sha1:a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Algorithm::Sha256, own),
            (Algorithm::Sha384, "sha384:cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"),
            (
                Algorithm::Sha512,
                "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
        ] {
            let mut sums = Sums::new(algorithm);
            sums.update(b"a");
            sums.update(b"bc");
            let (key, digest) = sums.finish();
            assert_eq!((key.digest().to_string().as_str(), digest.to_string().as_str()), (own, expected));
        }
    }
}
