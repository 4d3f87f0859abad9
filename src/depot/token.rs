//! A session's token: its claims, signed with the depot's key. The manager mints one at each start of a session and
//! keeps none; the depot checks the signature and keeps none either. Without the key no token can be made or changed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::units::{Seconds, SessionId};

/// The depot's secret, 256 random bits; in its configuration on its own volume and nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

/// What the depot knows of a session, and decides by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Whose requests these are.
    pub session: SessionId,
    /// Versions younger than this are hidden; 0 hides none.
    pub min_age: Seconds,
    /// Projects that `min_age` leaves alone, as `pypi:NAME`, `npm:NAME` or `NAME` for either.
    pub min_age_allow: Vec<String>,
}

impl Key {
    /// From 32 random bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The token that carries these claims.
    pub fn sign(&self, claims: &Claims) -> String {
        // Infallible by construction: numbers and texts.
        let claims = serde_json::to_vec(claims).unwrap_or_else(|_| unreachable!("claims are plain data"));
        let body = URL_SAFE_NO_PAD.encode(claims);
        let signature = URL_SAFE_NO_PAD.encode(self.mac(body.as_bytes()).finalize().into_bytes());
        format!("{body}.{signature}")
    }

    /// The claims of a token of this key; `None` for any other text.
    pub fn verify(&self, token: &str) -> Option<Claims> {
        let (body, signature) = token.split_once('.')?;
        self.mac(body.as_bytes()).verify_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()
    }

    fn mac(&self, body: &[u8]) -> Hmac<Sha256> {
        // Infallible: an HMAC takes a key of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| unreachable!("any length will do"));
        mac.update(b"palisade depot token 1\n");
        mac.update(body);
        mac
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Serialize for Key {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("a depot's key is 32 bytes in base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims { session: SessionId::NIL, min_age: Seconds::new(3600), min_age_allow: vec!["npm:left-pad".to_owned()] }
    }

    #[test]
    fn a_token_carries_its_claims() {
        let key = Key::new([7; 32]);
        let token = key.sign(&claims());
        assert_eq!(key.verify(&token), Some(claims()));
        assert!(token.len() < super::super::wire::LONGEST && token.bytes().all(|byte| byte.is_ascii_graphic()), "{token}");
        let read: Key = serde_json::from_str(&serde_json::to_string(&key).unwrap()).unwrap();
        assert_eq!(read, key);
    }

    #[test]
    fn no_change_to_a_token_and_no_other_key_passes() {
        let token = Key::new([7; 32]).sign(&claims());
        assert_eq!(Key::new([8; 32]).verify(&token), None);
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            // The last character of a base64 text has bits that carry nothing: a decoder refuses them.
            assert_eq!(Key::new([7; 32]).verify(&changed), None, "{changed}");
        }
        assert_eq!(Key::new([7; 32]).verify(""), None);
        assert_eq!(Key::new([7; 32]).verify("."), None);
    }
}
