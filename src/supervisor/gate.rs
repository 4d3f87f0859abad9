//! The gate: one frame on standard input, before which the command does not start.
//!
//! ```text
//! PALISADE 1 <length>\n
//! {"stdin":"pass","secrets":{"NAME":"<base64>"}}
//! ```
//!
//! What follows the frame belongs to the command, byte for byte. The manager sends it once the container has
//! been created, inspected, audited, started and measured; so code of the sandbox never runs unmeasured.

use std::collections::BTreeMap;
use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The name that the supervisor gives itself while it waits; read from `/proc` by the manager.
pub use crate::kernel::GATE_NAME as WAITING_NAME;
/// Longest frame taken: secrets are files in a tmpfs, not archives.
pub const MAX_FRAME: usize = 1 << 20;

const MAGIC: &str = "PALISADE 1 ";

/// What the manager says as it opens the gate.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// What the command finds on its standard input.
    pub stdin: Stdin,
    /// File name to base64 of the content.
    secrets: BTreeMap<String, String>,
    /// The session's token for the depot; `None` where it reaches none.
    #[serde(default)]
    pub depot: Option<String>,
    /// The key that renews this run of the session, in base64.
    #[serde(default)]
    renewal: Option<String>,
}

/// What the command finds on its standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Stdin {
    /// The rest of the supervisor's own.
    Pass,
    /// Nothing: `/dev/null`.
    #[default]
    Null,
}

impl Frame {
    /// A frame with secrets by file name.
    pub fn new(stdin: Stdin, secrets: &BTreeMap<String, Vec<u8>>, depot: Option<String>) -> Self {
        Self { stdin, secrets: secrets.iter().map(|(name, value)| (name.clone(), STANDARD.encode(value))).collect(), depot, renewal: None }
    }

    /// The same, with the key that renews the session until its next start.
    #[must_use]
    pub fn renewed_by(self, key: &[u8]) -> Self {
        Self { renewal: Some(STANDARD.encode(key)), ..self }
    }

    /// The key that renews the session.
    pub fn renewal(&self) -> Option<Vec<u8>> {
        self.renewal.as_deref().and_then(|key| STANDARD.decode(key).ok())
    }

    /// The secrets by file name.
    pub fn secrets(&self) -> io::Result<BTreeMap<String, Vec<u8>>> {
        self.secrets.iter().map(|(name, text)| STANDARD.decode(text).map(|value| (name.clone(), value)).map_err(io::Error::other)).collect()
    }

    /// The bytes on the wire; an error where the secrets are too large together.
    pub fn encode(&self) -> io::Result<Vec<u8>> {
        let body = serde_json::to_vec(self).map_err(io::Error::other)?;
        if body.len() > MAX_FRAME {
            return Err(io::Error::other(format!("the secrets take {} bytes together, at most {MAX_FRAME} fit", body.len())));
        }
        let mut bytes = format!("{MAGIC}{}\n", body.len()).into_bytes();
        bytes.extend(body);
        Ok(bytes)
    }

    /// Reads exactly one frame and not a byte more, so that the rest stays the command's.
    pub fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut header = Vec::with_capacity(MAGIC.len() + 8);
        loop {
            let mut byte = [0];
            from.read_exact(&mut byte)?;
            match byte[0] {
                b'\n' => break,
                other if header.len() < MAGIC.len() + 8 => header.push(other),
                _ => return Err(not_a_frame()),
            }
        }
        let length: usize = std::str::from_utf8(&header)
            .ok()
            .and_then(|header| header.strip_prefix(MAGIC))
            .and_then(|length| length.parse().ok())
            .filter(|length| *length <= MAX_FRAME)
            .ok_or_else(not_a_frame)?;
        let mut body = vec![0; length];
        from.read_exact(&mut body)?;
        serde_json::from_slice(&body).map_err(|_| not_a_frame())
    }
}

fn not_a_frame() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what came first on standard input does not open the gate")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back_and_leaves_what_follows_untouched() {
        let frame = Frame::new(Stdin::Pass, &BTreeMap::from([("TOKEN".to_owned(), vec![0, 255, b'\n'])]), Some("token".to_owned()));
        let mut wire = frame.encode().unwrap();
        wire.extend(b"\nthe command's own bytes");
        let mut reader = wire.as_slice();
        let read = Frame::read(&mut reader).unwrap();
        assert_eq!(read.secrets().unwrap()["TOKEN"], [0, 255, b'\n']);
        assert_eq!(reader, b"\nthe command's own bytes");
    }

    #[test]
    fn what_is_not_a_frame_does_not_open_the_gate() {
        for wire in ["", "\n", "PALISADE 1 2\n{", "PALISADE 1 99999999999\n", "PALISADE 2 2\n{}", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"] {
            assert!(Frame::read(&mut wire.as_bytes()).is_err(), "{wire:?}");
        }
        let endless = io::repeat(b'P');
        assert!(Frame::read(&mut endless.take(1 << 30)).is_err());
    }
}
