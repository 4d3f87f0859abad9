//! Which file of certificates images trust while they are built.

use std::path::{Path, PathBuf};

use super::{CaBundle, Environment, Settings};
use crate::failure::{Code, Failure, Result};

/// Where distributions keep the machine's own: Debian, Fedora, SUSE, Alpine and others.
const USUAL: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

impl Settings {
    /// The file, where one is to be used. `auto` on a machine that has none is none.
    pub fn ca_bundle_file(&self, environment: &Environment) -> Result<Option<PathBuf>> {
        self.bundle_among(environment, &USUAL.map(Path::new))
    }

    fn bundle_among(&self, environment: &Environment, usual: &[&Path]) -> Result<Option<PathBuf>> {
        let named = |file: PathBuf, by: &str, hint: &str| {
            if file.is_file() {
                return Ok(Some(file));
            }
            Err(Failure::new(Code::InvalidConfig, "the file of certificates is not there")
                .detail(format!("{by}: {}", file.display()))
                .hint(hint))
        };
        match &self.ca_bundle {
            CaBundle::None => Ok(None),
            CaBundle::File(file) => named(file.clone(), "'ca_bundle' in config.toml", "give the path of a PEM file, \"auto\" or \"\""),
            CaBundle::Auto => match environment.var("SSL_CERT_FILE") {
                Some(path) => named(environment.absolute(path), "SSL_CERT_FILE", "unset it, or set it to the path of a PEM file"),
                None => Ok(usual.iter().find(|file| file.is_file()).map(|file| file.to_path_buf())),
            },
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests write the files that are read")]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_bundle_is_the_one_that_is_named_or_the_first_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (own, usual, absent) = (folder.path().join("own.pem"), folder.path().join("usual.pem"), folder.path().join("absent.pem"));
        std::fs::write(&own, "").unwrap();
        std::fs::write(&usual, "").unwrap();
        let with = |ca_bundle: &CaBundle, variable: &str| {
            let settings = Settings { ca_bundle: ca_bundle.clone(), ..Settings::default() };
            let vars = BTreeMap::from([("SSL_CERT_FILE".to_owned(), variable.to_owned())]);
            let environment = Environment { vars, cwd: folder.path().to_owned(), ..Environment::default() };
            settings.bundle_among(&environment, &[&absent, &usual])
        };
        assert_eq!(with(&CaBundle::Auto, "").unwrap(), Some(usual.clone()));
        assert_eq!(with(&CaBundle::Auto, own.to_str().unwrap()).unwrap(), Some(own.clone()));
        assert_eq!(with(&CaBundle::File(own.clone()), "").unwrap(), Some(own.clone()));
        assert_eq!(with(&CaBundle::None, own.to_str().unwrap()).unwrap(), None);
        for error in [with(&CaBundle::Auto, absent.to_str().unwrap()), with(&CaBundle::File(absent.clone()), "")] {
            assert!(error.unwrap_err().to_string().contains("absent.pem"));
        }
    }
}
