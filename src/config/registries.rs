//! Where the depot fetches, with what each registry wants to know of its client, and by which proxy.

use super::{Environment, PrivateRegistry, Proxy, RegistrySettings, Settings, text_file};
use crate::failure::{Code, Failure, Result};

/// Every registry, by ecosystem, in the order in which they are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registries {
    /// Python's.
    pub pypi: Vec<Registry>,
    /// Node's.
    pub npm: Vec<Registry>,
}

/// One registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// Its address.
    pub url: String,
    /// Names that are looked up here and nowhere else; empty for a registry that is asked for every name that no other owns.
    pub owns: Vec<String>,
    /// What it is shown.
    pub credentials: Option<RegistryCredentials>,
}

/// What a registry is shown.
#[derive(Clone, PartialEq, Eq)]
pub enum RegistryCredentials {
    /// HTTP Basic, `USER:PASSWORD`.
    Basic(String),
    /// HTTP Bearer.
    Bearer(String),
}

impl std::fmt::Debug for RegistryCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Basic(_) => "Basic(…)",
            Self::Bearer(_) => "Bearer(…)",
        })
    }
}

impl Settings {
    /// The registries, their credentials read.
    pub fn registries(&self, environment: &Environment) -> Result<Registries> {
        Ok(Registries { pypi: all(&self.packages.pypi, environment)?, npm: all(&self.packages.npm, environment)? })
    }

    /// The proxy by which the depot reaches them; empty for none.
    pub fn proxy(&self, environment: &Environment) -> Result<String> {
        const VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
        match &self.packages.proxy {
            Proxy::None => Ok(String::new()),
            Proxy::Url(url) => Ok(url.clone()),
            Proxy::Auto => {
                let set = VARIABLES.iter().find_map(|name| environment.var(name).map(|value| (name, value)));
                set.map_or_else(|| Ok(String::new()), |(name, value)| proxy_of(name, value))
            }
        }
    }
}

/// Private ones first: where two know a name, it is theirs.
fn all(settings: &RegistrySettings, environment: &Environment) -> Result<Vec<Registry>> {
    let private = |registry: &PrivateRegistry| {
        let file = registry.credentials_file.as_ref();
        let credentials = file.map(|file| text_file::secret(file, environment.uid).and_then(|text| credentials(&text))).transpose();
        let named = |failure: Failure| Failure {
            message: "the credentials of a registry cannot be used".to_owned(),
            details: [vec![format!("'credentials_file' of {}", registry.url), failure.message], failure.details].concat(),
            ..failure
        };
        Ok(Registry { url: registry.url.clone(), owns: registry.owns.clone(), credentials: credentials.map_err(named)? })
    };
    let public = Registry { url: settings.url.clone(), owns: Vec::new(), credentials: None };
    settings.private.iter().map(private).chain([Ok(public)]).collect()
}

/// One line: with a colon in it a user and a password, otherwise a token.
fn credentials(text: &str) -> Result<RegistryCredentials> {
    let line = text.trim_matches(['\r', '\n', ' ', '\t']);
    if line.is_empty() || line.chars().any(char::is_control) {
        return Err(
            Failure::new(Code::InvalidConfig, "the file is not one line of text").hint("write USER:PASSWORD or a token, and no more")
        );
    }
    if line.contains(':') {
        return Ok(RegistryCredentials::Basic(line.to_owned()));
    }
    if line.chars().all(|c| c.is_ascii_graphic()) {
        return Ok(RegistryCredentials::Bearer(line.to_owned()));
    }
    Err(Failure::new(Code::InvalidConfig, "a token holds no blanks and no letters beyond ASCII")
        .hint("write USER:PASSWORD or a token, and no more"))
}

/// A proxy as programs take it from the environment: without a scheme it is `http`. It may hold a password, so no
/// error shows it.
fn proxy_of(variable: &str, value: &str) -> Result<String> {
    let url = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let is_proxy = |url: &url::Url| ["http", "https"].contains(&url.scheme()) && url.has_host();
    if url::Url::parse(&url).is_ok_and(|url| is_proxy(&url)) && !url.contains(char::is_control) {
        return Ok(url);
    }
    Err(Failure::new(Code::InvalidConfig, "the proxy cannot be used by the depot")
        .detail(format!("{variable} is not the address of an http or https proxy"))
        .hint("set 'packages.proxy' in config.toml to another, or to \"\" for none"))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests write the files that are read")]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    fn here() -> Environment {
        Environment { uid: nix::unistd::getuid().as_raw(), ..Environment::default() }
    }

    fn write(file: &Path, text: &str, mode: u32) {
        std::fs::write(file, text).unwrap();
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn with_file(file: &Path) -> Settings {
        let mut settings = Settings::default();
        let url = "https://npm.example/".to_owned();
        settings.packages.npm.private =
            vec![PrivateRegistry { url, owns: vec!["@corp/*".to_owned()], credentials_file: Some(file.to_owned()) }];
        settings
    }

    #[test]
    fn private_registries_come_first_with_what_their_file_says() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        for (text, expected) in [
            ("s3cret\n", RegistryCredentials::Bearer("s3cret".to_owned())),
            ("alice:pass word\r\n", RegistryCredentials::Basic("alice:pass word".to_owned())),
        ] {
            write(&file, text, 0o600);
            let registries = with_file(&file).registries(&here()).unwrap();
            assert_eq!(registries.npm[0].credentials, Some(expected));
            assert_eq!((registries.npm.len(), registries.npm[1].credentials.as_ref(), registries.pypi.len()), (2, None, 1));
            assert!(!format!("{registries:?}").contains("s3cret"));
        }
    }

    #[test]
    fn a_file_that_others_may_read_that_is_not_ours_or_that_holds_more_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let refused = |environment: &Environment| {
            let failure = with_file(&file).registries(environment).unwrap_err();
            assert!(failure.code == Code::InvalidConfig && !failure.to_string().contains("s3cret"), "{failure}");
            assert!(failure.to_string().contains("npm.example") && failure.hint.is_some(), "{failure}");
            failure.to_string()
        };
        assert!(refused(&here()).contains("is not there"));
        for mode in [0o640, 0o604, 0o601] {
            write(&file, "s3cret", mode);
            assert!(refused(&here()).contains("chmod 600"));
        }
        write(&file, "s3cret", 0o600);
        let stranger = Environment { uid: here().uid + 1, ..here() };
        assert!(refused(&stranger).contains("belongs to"));
        for text in ["", "\n", "s3cret\ns3cret", "s3cret token", "s3cr\u{e9}t", "s3cret\0"] {
            write(&file, text, 0o600);
            refused(&here());
        }
    }

    #[test]
    fn a_proxy_is_the_operators_own_unless_the_settings_say_otherwise() {
        let with = |proxy: Proxy, variables: &[(&str, &str)]| {
            let mut settings = Settings::default();
            settings.packages.proxy = proxy;
            let vars: BTreeMap<_, _> = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            settings.proxy(&Environment { vars, ..Environment::default() })
        };
        let both = [("ALL_PROXY", "http://all.example"), ("https_proxy", "proxy.example:3128")];
        assert_eq!(with(Proxy::Auto, &both).unwrap(), "http://proxy.example:3128");
        assert_eq!(with(Proxy::Auto, &both[..1]).unwrap(), "http://all.example");
        assert_eq!((with(Proxy::Auto, &[]).unwrap(), with(Proxy::None, &both).unwrap()), (String::new(), String::new()));
        assert_eq!(with(Proxy::Url("http://x.example".to_owned()), &both).unwrap(), "http://x.example");
        let refused = with(Proxy::Auto, &[("HTTPS_PROXY", "socks5://me:s3cret@x")]).unwrap_err().to_string();
        assert!(refused.contains("HTTPS_PROXY") && !refused.contains("s3cret"), "{refused}");
    }
}
