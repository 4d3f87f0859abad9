use std::fs;

use super::*;

/// A home folder with Docker contexts in it.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn docker(&self) -> PathBuf {
        self.0.path().join(".docker")
    }

    fn context(&self, id: &str, name: &str, host: &str) -> &Self {
        let meta = self.docker().join("contexts/meta").join(id);
        fs::create_dir_all(&meta).unwrap();
        let text = serde_json::json!({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": true}}});
        fs::write(meta.join("meta.json"), text.to_string()).unwrap();
        self
    }

    fn current(&self, text: &str) -> &Self {
        fs::create_dir_all(self.docker()).unwrap();
        fs::write(self.docker().join("config.json"), text).unwrap();
        self
    }

    fn certificates(&self, folder: &str) -> PathBuf {
        let folder = self.docker().join(folder);
        fs::create_dir_all(&folder).unwrap();
        for file in ["ca.pem", "cert.pem", "key.pem"] {
            fs::write(folder.join(file), "").unwrap();
        }
        folder
    }

    fn find(&self, flag: Option<&str>, settings: &str, vars: &[(&str, &str)]) -> Result<Endpoint> {
        let settings = Settings { host: settings.to_owned(), ..Settings::default() };
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        endpoint(flag, &settings, &Environment { vars, home: Some(self.0.path().to_owned()), ..Environment::default() })
    }
}

/// `printf remote | sha256sum`.
const REMOTE: &str = "b71199ebd070b36beab7317920c2c2f1d777df8d05e5527d8458fda57cb17a7a";

fn found(endpoint: Result<Endpoint>) -> (String, String) {
    let endpoint = endpoint.unwrap();
    (endpoint.uri, endpoint.found_by)
}

#[test]
fn each_way_to_name_an_engine_wins_over_the_ones_after_it() {
    let home = Home::new();
    home.context(REMOTE, "remote", "ssh://me@far").current(r#"{"currentContext": "remote"}"#);
    let vars = [("DOCKER_HOST", "tcp://env:2375"), ("DOCKER_CONTEXT", "remote")];
    let pair = |uri: &str, by: &str| (uri.to_owned(), by.to_owned());
    assert_eq!(found(home.find(Some("unix:///flag.sock"), "unix:///set.sock", &vars)), pair("unix:///flag.sock", "--host"));
    assert_eq!(found(home.find(None, "unix:///set.sock", &vars)), pair("unix:///set.sock", "'host' in config.toml"));
    assert_eq!(found(home.find(None, "", &vars)), pair("tcp://env:2375", "DOCKER_HOST"));
    assert_eq!(found(home.find(None, "", &vars[1..])), pair("ssh://me@far", "context remote"));
    assert_eq!(found(home.find(None, "", &[])), pair("ssh://me@far", "context remote"));
    let default = pair("unix:///var/run/docker.sock", "default socket");
    assert_eq!(found(home.find(None, "", &[("DOCKER_CONTEXT", "default"), ("DOCKER_HOST", "")])), default);
    assert_eq!(found(Home::new().find(None, "", &[])), default);
    assert_eq!(Home::new().find(None, "", &[]).unwrap().socket, Some(PathBuf::from("/var/run/docker.sock")));
}

#[test]
fn another_docker_config_folder_is_followed() {
    let (home, other) = (Home::new(), Home::new());
    other.context(REMOTE, "remote", "tcp://other:1").current(r#"{"currentContext": "remote", "auths": {}}"#);
    let folder = other.docker().display().to_string();
    assert_eq!(home.find(None, "", &[("DOCKER_CONFIG", &folder)]).unwrap().uri, "tcp://other:1");
}

#[test]
fn an_unknown_context_says_which_there_are() {
    let home = Home::new();
    home.context("aa", "west", "tcp://w:1").context("bb", "ea\u{1b}st", "tcp://e:1").current(r#"{"currentContext": "north"}"#);
    let error = home.find(None, "", &[]).unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    let shown = error.to_string();
    assert!(shown.contains("'north'") && shown.contains("config.json names it") && shown.contains("default, ea\\u{1b}st, west"), "{shown}");
    assert!(home.find(None, "", &[("DOCKER_CONTEXT", "../../x")]).unwrap_err().to_string().contains("DOCKER_CONTEXT names it"));
}

#[test]
fn dockers_files_that_say_nothing_or_nonsense_are_told_apart() {
    let home = Home::new();
    home.current("{}");
    assert_eq!(home.find(None, "", &[]).unwrap().found_by, "default socket");
    home.current(r#"{"currentContext": ""}"#);
    assert_eq!(home.find(None, "", &[]).unwrap().found_by, "default socket");
    home.current("{");
    let error = home.find(None, "", &[]).unwrap_err();
    assert_eq!(error.code, Code::InvalidConfig);
    assert!(error.to_string().contains("config.json is not JSON"), "{error}");
    assert!(home.find(None, "", &[("DOCKER_HOST", "tcp://a:1")]).is_ok(), "what is not needed is not read");
    home.context(REMOTE, "remote", "");
    assert!(home.find(None, "", &[("DOCKER_CONTEXT", "remote")]).unwrap_err().to_string().contains("'Endpoints.docker.Host'"));
}

#[test]
fn certificates_come_from_the_variables_or_from_the_context() {
    let home = Home::new();
    let own = home.certificates("own");
    let own_text = own.display().to_string();
    let tls = [("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", own_text.as_str())];
    assert_eq!(home.find(Some("tcp://a:2376"), "", &tls).unwrap().tls_dir, Some(own));
    assert_eq!(home.find(Some("unix:///a.sock"), "", &tls).unwrap().tls_dir, None);
    assert_eq!(home.find(Some("tcp://a:2375"), "", &tls[1..]).unwrap().tls_dir, None);
    let missing = home.find(Some("tcp://a:2376"), "", &tls[..1]).unwrap_err().to_string();
    assert!(missing.contains(".docker/ca.pem is not there") && missing.contains("DOCKER_CERT_PATH"), "{missing}");
    assert!(home.find(Some("https://a:2376"), "", &[]).unwrap_err().to_string().contains("needs certificates"));
    home.context(REMOTE, "remote", "tcp://far:2376");
    assert_eq!(home.find(None, "", &[("DOCKER_CONTEXT", "remote")]).unwrap().tls_dir, None);
    let of_context = home.certificates(&format!("contexts/tls/{REMOTE}/docker"));
    assert_eq!(home.find(None, "", &[("DOCKER_CONTEXT", "remote")]).unwrap().tls_dir, Some(of_context));
}

#[test]
fn what_is_no_address_is_refused_with_the_form_that_was_meant() {
    let home = Home::new();
    for (host, way_out) in [
        ("/var/run/docker.sock", "did you mean unix:///var/run/docker.sock?"),
        ("build.test:2375", "did you mean tcp://build.test:2375?"),
        ("unix://docker.sock", "three slashes"),
        ("unix://", "three slashes"),
        ("tcp://", "tcp://HOST:PORT"),
        ("tcp://:2375", "tcp://HOST:PORT"),
        ("ssh://-oProxyCommand=x", "ssh://USER@HOST"),
        ("ssh://-l@host", "ssh://USER@HOST"),
        ("ftp://x", "tcp://HOST:PORT"),
        ("npipe:////./pipe/docker", "Windows"),
        ("tcp://a b", "tcp://HOST:PORT"),
        ("unix:///a\u{1b}[2J", "unix:///PATH"),
        ("", "unix:///PATH"),
    ] {
        let error = home.find(Some(host), "", &[]).unwrap_err();
        assert_eq!(error.code, Code::Usage);
        assert!(error.to_string().contains(way_out) && !error.to_string().contains('\u{1b}'), "{error}");
    }
    assert_eq!(home.find(None, "nonsense", &[]).unwrap_err().code, Code::InvalidConfig);
    assert!(home.find(Some("ssh://me@host:22/path.sock"), "", &[]).is_ok() && home.find(Some("tcp://[::1]:2375"), "", &[]).is_ok());
}
