use super::planted::Planted;
use super::*;
use crate::depot::config::UpstreamConfig;
use crate::depot::token::Key;
use crate::units::{Bytes, Seconds};

/// An egress to registries that are this very test.
async fn led_to(found: Planted, target: &str) -> Result<Found, Fault> {
    let egress = found.egress();
    let upstream = Arc::clone(&egress.upstreams[&Ecosystem::Pypi][0]);
    egress.artifact(&upstream, target, Timestamp::UNIX_EPOCH).await
}

#[tokio::test]
async fn neither_an_index_nor_a_redirect_leads_to_what_is_not_public() {
    let inside = Planted::new(|_| Some(planted::reply(200, "text/plain", b"a secret")));
    let port = inside.port();
    for target in [format!("http://127.0.0.1:{port}/x"), format!("http://[::ffff:7f00:1]:{port}/x"), format!("http://localhost:{port}/x")] {
        let there = target.clone();
        let registry = Planted::new(move |path| match path {
            "/away" => Some(format!("HTTP/1.1 302 Found\r\nLocation: {there}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into()),
            _ => None,
        });
        let redirecting = format!("{}away", registry.url);
        assert!(led_to(registry, &redirecting).await.is_err(), "redirected to {target}");
        let registry = Planted::new(|_| None);
        assert!(led_to(registry, &target).await.is_err(), "told by an index: {target}");
    }
    assert_eq!(inside.requests(), Vec::<String>::new());
    // The registry itself is where the settings say, wherever that is.
    let registry = Planted::new(|_| Some(planted::reply(200, "text/plain", b"a file")));
    let own = format!("{}x", registry.url);
    assert!(led_to(registry, &own).await.is_ok());
}

#[tokio::test]
async fn credentials_go_to_their_registry_alone() {
    let other = Planted::new(|_| Some(planted::reply(200, "text/plain", b"a file")));
    let there = format!("HTTP/1.1 302 Found\r\nLocation: {}x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", other.url);
    let registry = Planted::new(move |_| Some(there.clone().into()));
    let egress = registry.egress_with(&[&other.url]);
    let upstream = Arc::clone(&egress.upstreams[&Ecosystem::Pypi][0]);
    let now = Timestamp::UNIX_EPOCH;
    assert!(egress.artifact(&upstream, &format!("{}x", other.url), now).await.is_ok(), "told by its index");
    assert!(egress.artifact(&upstream, &format!("{}x", registry.url), now).await.is_ok(), "redirected by it");
    assert!(egress.document(&upstream, "x/", "text/html", &Validators::default(), now).await.is_ok());
    assert!(registry.was_sent("authorization: bearer word") && other.requests().len() == 3 && !other.was_sent("authorization"));
}

#[tokio::test]
async fn a_document_that_was_never_had_is_not_unchanged() {
    let registry = Planted::new(|_| Some(planted::reply(304, "text/html", b"")));
    let egress = registry.egress();
    let upstream = Arc::clone(&egress.upstreams[&Ecosystem::Pypi][0]);
    let (now, none) = (Timestamp::UNIX_EPOCH, Validators::default());
    assert!(egress.document(&upstream, "x/", "text/html", &none, now).await.is_err());
    let known = Validators { etag: Some("\"1\"".to_owned()), last_modified: None };
    assert!(matches!(egress.document(&upstream, "x/", "text/html", &known, now).await, Ok(Reply::Unchanged)));
}

#[tokio::test]
async fn one_bad_answer_and_another_host_s_absence_make_no_registry_away() {
    let registry =
        Planted::new(|path| (path != "/gone/").then(|| planted::reply(if path == "/bad/" { 503 } else { 200 }, "text/html", b"")));
    // In the settings, and not there.
    let absent = Planted::new(|_| None).url.clone();
    let egress = registry.egress_with(&[&absent]);
    let upstream = Arc::clone(&egress.upstreams[&Ecosystem::Pypi][0]);
    let (now, known) = (Timestamp::UNIX_EPOCH, Validators::default());
    let ask = async |path: &str| egress.document(&upstream, path, "text/html", &known, now).await.map(drop);
    assert!(ask("bad/").await.unwrap_err().away);
    assert!(egress.artifact(&upstream, &format!("{absent}x"), now).await.is_err_and(|fault| fault.away));
    assert!(ask("good/").await.is_ok(), "everyone else's packages are still to be had");
    assert!(ask("gone/").await.unwrap_err().away);
    assert!(ask("good/").await.is_err(), "now it is left alone for a moment");
}

fn egress() -> Egress {
    let upstream = |url: &str, owns: &[&str]| UpstreamConfig {
        url: url.to_owned(),
        owns: owns.iter().map(|&owned| owned.to_owned()).collect(),
        credentials: None,
    };
    let npm = vec![
        upstream("https://npm.corp.example/api", &["@corp/*", "widgets"]),
        upstream("https://mirror.corp.example", &[]),
        upstream("https://registry.example", &[]),
    ];
    let config = DepotConfig {
        schema: 1,
        key: Key::new([0; 32]),
        key_made: jiff::Timestamp::UNIX_EPOCH,
        upstreams: BTreeMap::from([(Ecosystem::Npm, npm)]),
        index_ttl: Seconds::new(600),
        store_size: Bytes::new(1),
        artifact_size: Bytes::new(1),
        proxy: String::new(),
    };
    Egress::new(&config, None).unwrap()
}

fn route(egress: &Egress, name: &str) -> Vec<String> {
    let project = Project { ecosystem: Ecosystem::Npm, name: name.to_owned() };
    egress.route(&project).iter().map(|upstream| upstream.base.to_string()).collect()
}

#[test]
fn an_owned_name_is_asked_of_its_owner_alone_and_the_rest_in_order() {
    let egress = egress();
    assert_eq!(route(&egress, "@corp/secret"), ["https://npm.corp.example/api/"]);
    assert_eq!(route(&egress, "widgets"), ["https://npm.corp.example/api/"]);
    assert_eq!(route(&egress, "widgets2"), ["https://mirror.corp.example/", "https://registry.example/"]);
    let project = |name: &str| Project { ecosystem: Ecosystem::Npm, name: name.to_owned() };
    assert!(egress.may_name(&project("express")) && !egress.may_name(&project("@corp/secret")));
    assert_eq!(egress.public(Ecosystem::Npm).unwrap().base.host_str(), Some("registry.example"));
    assert!(egress.route(&Project { ecosystem: Ecosystem::Pypi, name: "six".to_owned() }).is_empty());
}

#[test]
fn no_path_leads_away_from_its_registry() {
    let egress = egress();
    let upstream = &egress.upstreams[&Ecosystem::Npm][0];
    assert_eq!(upstream.below("@corp%2fa").unwrap().as_str(), "https://npm.corp.example/api/@corp%2fa");
    for path in ["../x", "../../x", "a/../../x", "%2e%2e/x"] {
        assert!(upstream.below(path).is_err(), "{path}");
    }
}
