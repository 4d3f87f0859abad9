//! The certificate authorities that an image is built with: an operator behind a company's proxy names them once.
#![expect(clippy::disallowed_methods, reason = "reads the bundle that the settings name")]

use std::fs;
use std::io;
use std::path::Path;

use crate::failure::{Code, Failure, Result};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
/// Far above any real bundle (they are some 200 KiB); what is larger is another file.
const LARGEST: u64 = 8 << 20;

/// The bundle, or nothing where none is named.
pub fn read(named: Option<&Path>) -> Result<Vec<u8>> {
    named.map_or_else(|| Ok(Vec::new()), read_bundle)
}

/// How many there are.
pub fn count(named: Option<&Path>) -> Result<usize> {
    Ok(String::from_utf8_lossy(&read(named)?).matches(BEGIN).count())
}

fn read_bundle(path: &Path) -> Result<Vec<u8>> {
    let refuse = |why: &str| {
        Failure::new(Code::InvalidConfig, format!("the certificate authorities cannot be used: {why}"))
            .detail(format!("'ca_bundle': {}", path.display()))
            .hint("name a file in PEM form, or leave 'ca_bundle' out")
    };
    let not_read = |error: io::Error| refuse(&error.to_string());
    let metadata = fs::metadata(path).map_err(not_read)?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return Err(refuse("not a bundle of certificates"));
    }
    let bundle = fs::read(path).map_err(not_read)?;
    let text = String::from_utf8_lossy(&bundle);
    if !text.contains(BEGIN) {
        return Err(refuse("it holds no certificate"));
    }
    // It goes into an image, where everyone can read it.
    if text.contains("PRIVATE KEY-----") {
        return Err(refuse("it holds a private key, which must not go into an image"));
    }
    Ok(bundle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_read_and_anything_else_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str, content: &str| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            path
        };
        let good = at("good.pem", "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n");
        assert_eq!(count(Some(&good)).unwrap(), 1);
        let key = at("key.pem", "-----BEGIN CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\n");
        for bad in [at("empty.pem", ""), key, folder.path().join("absent.pem"), folder.path().to_owned()] {
            let failure = read(Some(&bad)).unwrap_err();
            assert_eq!(failure.code, Code::InvalidConfig);
            assert!(failure.details[0].contains(bad.to_str().unwrap()), "{failure}");
        }
    }
}
