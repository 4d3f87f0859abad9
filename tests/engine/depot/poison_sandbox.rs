//! A sandbox with everything that a sandbox has, and the token that it should not have: what it can do to another.

use palisade::depot::token::{Claims, Key};
use palisade::depot::wire;

use super::lab::{Inside, Lab};
use super::registry::{OCTETS, Registry, content, npm_page, pypi_page, reply, sha256};

fn honest() -> Registry {
    Registry::new(|asked| match asked.path.as_str() {
        "/pypi/simple/foo-bar/" => pypi_page(&asked.url(), "foo-bar", &[("1.0", &content(1, 300_000))]),
        "/files/foo-bar-1.0.tar.gz" => reply(200, OCTETS, &content(1, 300_000)),
        "/npm/@scope%2fname" => npm_page(&asked.url(), "@scope/name", &[("1.0.0", &content(2, 9_000))]),
        "/npm/@scope/name/-/name-1.0.0.tgz" => reply(200, OCTETS, &content(2, 9_000)),
        "/npm/name" => npm_page(&asked.url(), "name", &[("1.0.0", &content(3, 9_000))]),
        "/npm/name/-/name-1.0.0.tgz" => reply(200, OCTETS, &content(3, 9_000)),
        _ => reply(404, "text/plain", b"no"),
    })
}

/// What a victim must get, before and after.
fn as_ever(victim: &Inside<'_>) {
    for name in ["foo-bar", "Foo.Bar", "FOO__bar"] {
        assert_eq!(victim.get(&format!("/pypi/files/{name}/foo-bar-1.0.tar.gz")), (200, sha256(&content(1, 300_000))), "{name}");
    }
    for path in ["/npm/@scope/name/-/name-1.0.0.tgz", "/npm/@scope%2fname/-/name-1.0.0.tgz"] {
        assert_eq!(victim.get(path), (200, sha256(&content(2, 9_000))), "{path}");
    }
    assert_eq!(victim.get("/npm/name/-/name-1.0.0.tgz"), (200, sha256(&content(3, 9_000))), "not the scoped one of the same name");
    let page = victim.ok("curl -s -H 'Accept: application/vnd.pypi.simple.v1+json' http://127.0.0.1:7878/pypi/simple/foo-bar/");
    assert!(
        page.contains("http://127.0.0.1:7878/pypi/files/foo-bar/foo-bar-1.0.tar.gz") && page.contains(&sha256(&content(1, 300_000))),
        "{page}"
    );
}

/// A token as only the depot's manager can mint it.
fn token(lab: &Lab) -> String {
    let config = lab.stored_json("/depot/config.json");
    let key: Key = serde_json::from_value(config["key"].clone()).unwrap();
    let session = palisade::units::SessionId::from_parts(1, 1);
    key.sign(&Claims { session, min_age: palisade::units::Seconds::new(0), min_age_allow: Vec::new() })
}

#[test]
fn nothing_that_a_sandbox_sends_changes_what_another_gets() {
    let registry = honest();
    let lab = Lab::new(&registry);
    let (attacker, victim) = (lab.session(&[]), lab.session(&[]));
    as_ever(&victim);
    let before: Vec<_> = sorted(&lab);

    // Storing, overwriting, removing.
    for (method, path) in [
        ("PUT", "/pypi/files/foo-bar/foo-bar-1.0.tar.gz"),
        ("POST", "/pypi/simple/foo-bar/"),
        ("PUT", "/npm/@scope%2fname"),
        ("DELETE", "/npm/name/-/name-1.0.0.tgz"),
        ("PATCH", "/pypi/simple/foo-bar/"),
        ("POST", "/npm/name"),
        ("PUT", "/npm/-/user/org.couchdb.user:x"),
    ] {
        let line = format!("curl -s -o /dev/null -w '%{{http_code}}' -X {method} -d evil http://127.0.0.1:7878{path}");
        let status = attacker.ok(&line);
        assert!(["400", "403", "404", "405"].contains(&status.as_str()), "{method} {path}: {status}");
    }

    // Paths that climb, plain and encoded, once and twice.
    for path in [
        "/pypi/files/../../config.json",
        "/pypi/files/foo-bar/../../../depot/config.json",
        "/pypi/files/foo-bar/%2e%2e%2f%2e%2e%2fconfig.json",
        "/pypi/files/foo-bar/..%2f..%2fconfig.json",
        "/pypi/files/foo-bar/%252e%252e%252fconfig.json",
        "/pypi/files/foo-bar/foo-bar-1.0.tar.gz%00.html",
        "/pypi/simple/..%2f..%2fetc%2fpasswd/",
        "/pypi/simple/foo-bar%0d%0aX-Evil:%201/",
        "/npm/..%2fname",
        "/npm/@scope%2f..%2fname",
        "/npm/@scope%2f%2e%2e",
        "/npm/name/-/..%2f..%2fsecret.tgz",
        "/npm/%40scope%252fname",
        "/npm/name/-/@scope%2fname-1.0.0.tgz",
        "/config.json",
        "//config.json",
        "/control.sock",
        "/pypi",
        "/",
    ] {
        let (status, _) = attacker.get(path);
        assert!((400..500).contains(&status), "{path}: {status}");
    }

    // Heads that two readers would read in two ways.
    let hello = String::from_utf8(wire::greeting(&token(&lab))).unwrap();
    let get = "GET /npm/name HTTP/1.1\r\nHost: x\r\n";
    for head in [
        format!("{get}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
        format!("{get}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /npm/evil HTTP/1.1\r\n\r\n"),
        format!("{get}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        format!("{get}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        format!("{get}X: a\nContent-Length: 9\r\n\r\nGET /evil"),
        format!("{get}X: a\r Content-Length: 3\r\n\r\nabc"),
        format!("{get} folded: yes\r\n\r\n"),
        "GET /npm/name\r\nX: y HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET http://registry.example/npm/name HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET /npm/name HTTP/9.9\r\nHost: x\r\n\r\n".to_owned(),
        format!("{get}{}\r\n", "X: y\r\n".repeat(500)),
        format!("{get}X: {}\r\n\r\n", "y".repeat(100_000)),
        "POST /npm/-/npm/v1/security/advisories/bulk HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n{}".to_owned(),
    ] {
        let answer = attacker.raw(format!("{hello}{head}").as_bytes());
        let shown: String = head.chars().take(80).collect();
        assert!(!answer.contains("200 OK"), "{shown}: {answer}");
    }
    // One request's headers are nobody else's: nothing of them is kept, sent on or given back.
    attacker.ok(
        "curl -s -H 'X-Forwarded-Host: evil.example' -H 'Host: evil.example' -H 'X-Forwarded-Proto: gopher' -H 'Forwarded: host=evil.example' \
         -H 'Accept: application/vnd.pypi.simple.v1+json' http://127.0.0.1:7878/pypi/simple/foo-bar/ | grep -vq evil",
    );
    assert!(!registry.requests().iter().any(|line| line.contains("evil")), "{:?}", registry.requests());

    as_ever(&victim);
    assert_eq!(sorted(&lab), before, "the store holds what it held");
    assert_eq!(registry.artifacts().len(), 3, "{:?}", registry.artifacts());
}

fn sorted(lab: &Lab) -> Vec<std::path::PathBuf> {
    let mut files = lab.files("blobs");
    files.sort();
    files
}

#[test]
fn without_a_token_of_the_depots_own_key_there_is_no_answer() {
    let registry = honest();
    let lab = Lab::new(&registry);
    let session = lab.session(&[]);
    let request = "GET /npm/name HTTP/1.1\r\nHost: x\r\n\r\n";
    let right = token(&lab);
    let claims = right.split('.').next().unwrap();
    let forged = Key::new([0; 32]).sign(&Claims {
        session: palisade::units::SessionId::from_parts(1, 1),
        min_age: palisade::units::Seconds::new(0),
        min_age_allow: Vec::new(),
    });
    for greeting in [String::new(), wire_line(""), wire_line(&"x".repeat(9_000)), "\n".to_owned()] {
        assert_eq!(session.raw(format!("{greeting}{request}").as_bytes()).trim(), "b''");
    }
    // What greets with another key's token is told the way out, once, and nothing of any package.
    for greeting in [wire_line(&forged), wire_line(&format!("{claims}."))] {
        let answer = session.raw(format!("{greeting}{request}{request}").as_bytes());
        assert!(answer.contains("HTTP/1.1 403 ") && answer.contains("palisade restart"), "{answer}");
        assert!(!answer.contains("200 OK") && answer.matches("HTTP/1.1").count() == 1, "{answer}");
    }
    assert!(session.raw(format!("{}{request}", wire_line(&right)).as_bytes()).contains("200 OK"));
    lab.summary("strangers are counted", |summary| summary["strangers"].as_u64() >= Some(5));
    // The token is nowhere that the sandbox can look.
    let holds = session.sh(&format!(
        "cat /proc/*/environ /proc/*/cmdline /run/palisade/* /depot/* 2>/dev/null | tr '\\0' '\\n' | grep -c '{}[{}]'",
        // Not as it is, or the line would find itself.
        &claims[..20],
        &claims[20..21],
    ));
    assert_eq!(holds.1.trim(), "0");
    let inspected = crate::support::docker(&["inspect", &format!("palisade-{}", session.name)]);
    assert!(!inspected.contains(&claims[..12]), "the token is in the container's own facts");
}

fn wire_line(token: &str) -> String {
    format!("{}{token}\n", wire::MAGIC)
}

#[test]
fn the_socket_and_the_store_are_out_of_reach() {
    let registry = honest();
    let lab = Lab::new(&registry);
    let session = lab.session(&[]);
    for line in [
        "rm /run/palisade/depot.sock",
        "mv /run/palisade/depot.sock /run/palisade/x",
        "touch /run/palisade/x",
        "chmod 777 /run/palisade",
        "mkdir /run/palisade/x",
        "mv /run/palisade /run/elsewhere",
        "rmdir /run/palisade",
        "ls /depot",
    ] {
        assert_ne!(session.sh(line).0, 0, "{line}");
    }
    assert_eq!(session.get("/npm/name/-/name-1.0.0.tgz").0, 200);
}

#[test]
fn what_a_session_asked_is_counted_as_its_own_alone() {
    let registry = honest();
    let lab = Lab::new(&registry);
    let (one, two) = (lab.session(&[]), lab.session(&[]));
    let (first, second) = (one.id(), two.id());
    for _ in 0..3 {
        one.get("/npm/name/-/name-1.0.0.tgz");
    }
    two.get("/npm/name/-/name-1.0.0.tgz");
    two.get("/npm/nothing");
    let summary = lab.summary("all six are counted", |summary| {
        summary["sessions"][&first]["npm"]["hits"] == 2 && summary["sessions"][&second]["npm"]["not_found"] == 1
    });
    assert_eq!((&summary["sessions"][&first]["npm"]["misses"], &summary["sessions"][&second]["npm"]["hits"]), (&1.into(), &1.into()));
    assert_eq!(summary["sessions"][&first]["npm"]["upstream_bytes"].as_u64(), summary["totals"]["npm"]["upstream_bytes"].as_u64());
}
