use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::units::hex;

/// What only who has the key can foretell, so that no proof can be had in advance.
pub fn challenge(key: &[u8], number: u64) -> [u8; 32] {
    mac(key, &["palisade challenge 1", &number.to_string()]).finalize().into_bytes().into()
}

/// The proof that whoever asks for this has the key, in hexadecimal. It is good for this challenge, and for nothing else asked.
pub fn make(key: &[u8], challenge: &str, ttl_s: Option<u64>) -> String {
    hex(&renewal(key, challenge, ttl_s).finalize().into_bytes())
}

/// Whether a proof is one.
pub fn holds(key: &[u8], challenge: &str, ttl_s: Option<u64>, proof: &str) -> bool {
    let bytes: Option<Vec<u8>> = (0..proof.len()).step_by(2).map(|at| u8::from_str_radix(proof.get(at..at + 2)?, 16).ok()).collect();
    bytes.is_some_and(|bytes| renewal(key, challenge, ttl_s).verify_slice(&bytes).is_ok())
}

fn renewal(key: &[u8], challenge: &str, ttl_s: Option<u64>) -> Hmac<Sha256> {
    mac(key, &["palisade renew 1", challenge, &ttl_s.map_or("-".to_owned(), |seconds| seconds.to_string())])
}

fn mac(key: &[u8], lines: &[&str]) -> Hmac<Sha256> {
    // Infallible: an HMAC takes a key of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("any length will do"));
    for line in lines {
        mac.update(line.as_bytes());
        mac.update(b"\n");
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_good_for_one_challenge_and_one_span() {
        let challenge = |number| hex(&super::challenge(b"key", number));
        let proof = make(b"key", &challenge(1), Some(60));
        assert!(holds(b"key", &challenge(1), Some(60), &proof));
        assert!(!holds(b"key", &challenge(2), Some(60), &proof) && !holds(b"key", &challenge(1), Some(61), &proof));
        assert!(!holds(b"key", &challenge(1), None, &proof) && !holds(b"another", &challenge(1), Some(60), &proof));
        for proof in ["", "0", "zz", "é", &proof[2..]] {
            assert!(!holds(b"key", &challenge(1), Some(60), proof), "{proof}");
        }
    }
}
