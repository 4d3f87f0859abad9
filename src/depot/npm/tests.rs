//! Documents as registries write them, what the depot reads in them and what clients get.

use std::io::{self, BufRead, Read};

use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use super::{ABBREVIATED, ABBREVIATED_DOCUMENT, ABBREVIATED_LOCAL, FULL, FULL_DOCUMENT, FULL_LOCAL, INSTALL, JSON, Npm, name};
use crate::depot::adapter::{Adapter, Form, Source, View};
use crate::depot::promise::{Algorithm, Catalogue};

const BASE: &str = "http://127.0.0.1:7878/npm/";
const FORMS: [Form; 4] = [ABBREVIATED, ABBREVIATED_LOCAL, FULL, FULL_LOCAL];

fn read_from(project: &str, body: &mut dyn BufRead) -> io::Result<Catalogue> {
    let url = Url::parse("https://registry.example/x").unwrap();
    Npm.read(Source { project: &name::project(project).unwrap(), url: &url, media_type: "application/json", body })
}

fn read(project: &str, document: &str) -> io::Result<Catalogue> {
    read_from(project, &mut document.as_bytes())
}

fn refusal(document: &str) -> String {
    read("x", document).unwrap_err().to_string()
}

fn write_to(project: &str, document: &str, form: Form, not_after: Option<&str>, out: &mut dyn io::Write) -> io::Result<()> {
    let url = Url::parse("https://registry.example/x").unwrap();
    let project = name::project(project).unwrap();
    let catalogue = read(&project.name, document).unwrap();
    let view = View { catalogue: &catalogue, not_after: not_after.map(|limit| limit.parse().unwrap()) };
    let source = Source { project: &project, url: &url, media_type: "application/json", body: &mut document.as_bytes() };
    Npm.write(source, form, BASE, &view, out)
}

fn page(document: &Value, form: Form, not_after: Option<&str>) -> Value {
    let mut out = Vec::new();
    write_to(document["name"].as_str().unwrap(), &document.to_string(), form, not_after, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

fn manifest(project: &str, version: &str) -> Value {
    let own = project.rsplit('/').next().unwrap();
    json!({
        "name": project, "version": version, "description": "long", "readme": "longer", "_npmUser": { "name": "somebody" },
        "dependencies": { "y": "^1.0.0" }, "bin": { "x": "cli.js" }, "engines": { "node": ">=18" }, "scripts": { "test": "true" },
        "dist": {
            "tarball": format!("https://registry.example/{project}/-/{own}-{version}.tgz"), "shasum": "a".repeat(40),
            "integrity": format!("sha512-{}==", "A".repeat(86)), "unpackedSize": 12345, "signatures": [{ "keyid": "k", "sig": "s" }],
        },
    })
}

/// Versions that appear on the first, second, third … of January.
fn document(project: &str, versions: &[&str], tags: Value) -> Value {
    let mut document = json!({
        "_id": project, "name": project, "dist-tags": tags, "versions": {}, "readme": "# x", "users": { "a": true },
        "stagedVersions": { "versions": { "9.9.9": manifest(project, "9.9.9") } },
        "time": { "created": "2026-01-01T00:00:00.000Z", "modified": "2026-02-01T00:00:00.000Z", "0.0.1": "2025-01-01T00:00:00.000Z" },
    });
    for (day, version) in versions.iter().enumerate() {
        document["versions"][version] = manifest(project, version);
        document["time"][version] = format!("2026-01-{:02}T00:00:00.000Z", day + 1).into();
    }
    document
}

#[test]
fn a_document_promises_its_tarballs_in_whatever_order_it_is() {
    let mut versions = document("@a/x", &["1.0.0", "2.0.0-rc.1"], json!({}))["versions"].to_string();
    let time =
        r#"{"created":"2026-01-01T00:00:00Z","1.0.0":"2026-01-02T03:04:05.678Z","unpublished":{"time":"2026-01-01"},"2.0.0-rc.1":"soon"}"#;
    for document in [
        format!(r#"{{"time":{time},"users":{{}},"versions":{versions},"name":"@a/x"}}"#),
        format!(r#" {{ "name" : "@a/x" , "versions" : {versions} , "time" : {time} , "z" : [[[[{{}}]]]] }} "#),
    ] {
        let catalogue = read("@a/x", &document).unwrap();
        assert_eq!(catalogue.files.keys().collect::<Vec<_>>(), ["x-1.0.0.tgz", "x-2.0.0-rc.1.tgz"]);
        let promise = &catalogue.files["x-1.0.0.tgz"];
        assert_eq!((promise.version.as_str(), promise.url.as_str()), ("1.0.0", "https://registry.example/@a/x/-/x-1.0.0.tgz"));
        assert_eq!(promise.digest.as_ref().unwrap().algorithm(), Algorithm::Sha512);
        assert_eq!(promise.published, Some("2026-01-02T03:04:05.678Z".parse::<Timestamp>().unwrap()));
        assert_eq!(promise.size, None, "the unpacked size says nothing of the tarball's");
        assert_eq!(catalogue.files["x-2.0.0-rc.1.tgz"].published, None);
    }
    // The abbreviated document has no times.
    versions = format!(r#"{{"name":"@a/x","modified":"2026-01-01T00:00:00Z","versions":{versions}}}"#);
    assert!(read("@a/x", &versions).unwrap().files.values().all(|promise| promise.published.is_none()));
}

#[test]
fn a_version_without_a_usable_tarball_is_left_out_and_the_first_of_two_has_one_tarball() {
    let tarball = |file: &str| format!(r#"{{"dist":{{"tarball":"https://registry.example/x/-/{file}"}}}}"#);
    let versions = [
        format!(r#""1.0.0":{}"#, tarball("x.tgz")),
        format!(r#""2.0.0":{}"#, tarball("x.tgz")),
        format!(r#""3.0.0":{}"#, tarball("..%2fx.tgz")),
        format!(r#""../4":{}"#, tarball("y.tgz")),
        r#""5.0.0":null,"6.0.0":[{"dist":1}],"7.0.0":{},"8.0.0":{"dist":{"tarball":null}}"#.to_owned(),
    ];
    let document = format!(r#"{{"name":"x","versions":{{{}}}}}"#, versions.join(","));
    let catalogue = read("x", &document).unwrap();
    let found: Vec<_> = catalogue.files.iter().map(|(file, promise)| (file.as_str(), promise.version.as_str())).collect();
    assert_eq!(found, [("x.tgz", "1.0.0")]);

    // What the depot would not serve is not offered either.
    let mut out = Vec::new();
    write_to("x", &document, FULL_LOCAL, None, &mut out).unwrap();
    let page: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(page["versions"].as_object().unwrap().keys().collect::<Vec<_>>(), ["1.0.0"]);
}

#[test]
fn what_is_no_package_document_is_an_error_that_quotes_nothing_raw() {
    for document in [
        "",
        "null",
        "[]",
        "\"x\"",
        "{}",
        r#"{"name":"x"}"#,
        r#"{"versions":{}}"#,
        r#"{"name":"x","versions":null}"#,
        r#"{"name":"x","versions":[]}"#,
        r#"{"name":"X","versions":{}}"#,
        r#"{"name":["x"],"versions":{}}"#,
        r#"{"name":"x","versions":{}"#,
        r#"{"name":"x","versions":{}} {}"#,
        r#"{"name":"x","versions":{},"time":[]}"#,
        "{\"name\":\"\u{1b}]0;x\u{7}\",\"versions\":{}}",
        "<html>\u{1b}[2J</html>",
        r#"{"error":"not_found"}"#,
    ] {
        let refused = refusal(document);
        assert!(refused.starts_with("not a package document: ") && !refused.contains('\u{1b}'), "{document}: {refused}");
    }
    assert!(read_from("x", &mut &b"{\"name\":\"x\",\"versions\":{\"1.0.0\":{\"a\":\"\xff\"}}}"[..]).is_err());
}

#[test]
fn what_a_document_says_twice_it_does_not_say() {
    let dist = r#"{"tarball":"https://registry.example/x.tgz"}"#;
    for document in [
        r#"{"name":"x","name":"x","versions":{}}"#.to_owned(),
        r#"{"name":"x","versions":{},"versions":{}}"#.to_owned(),
        r#"{"name":"x","versions":{},"version\u0073":{}}"#.to_owned(),
        r#"{"name":"x","versions":{},"time":{"1":"a","1":"b"}}"#.to_owned(),
        format!(r#"{{"name":"x","versions":{{"1.0.0":{{"dist":{dist}}},"1.0.0":{{"dist":{dist}}}}}}}"#),
        format!(r#"{{"name":"x","versions":{{"1.0.0":{{"dist":{dist},"d\u0069st":{dist}}}}}}}"#),
        format!(r#"{{"name":"x","versions":{{"1.0.0":{{"version":"1","version":"2","dist":{dist}}}}}}}"#),
        r#"{"name":"x","versions":{"1.0.0":{"dist":{"tarball":"https://a.example/x.tgz","tarball":"https://b.example/x.tgz"}}}}"#
            .to_owned(),
        r#"{"name":"x","versions":{"1.0.0":{"dist":{"tarball":"https://a.example/x.tgz","shasum":"a","shasum":"b"}}}}"#.to_owned(),
    ] {
        assert!(refusal(&document).contains("twice"), "{document}");
    }
}

/// A document that goes on for ever in one place.
struct Endless {
    begin: &'static [u8],
    again: &'static [u8],
}

impl Endless {
    fn refused(begin: &'static str, again: &'static str) -> String {
        let endless = Self { begin: begin.as_bytes(), again: again.as_bytes() };
        // 100 MiB are as good as no end, should the limit be missing.
        read_from("x", &mut io::BufReader::new(endless.take(100 << 20))).unwrap_err().to_string()
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let from = if self.begin.is_empty() { self.again } else { self.begin };
        let length = from.len().min(buffer.len());
        buffer[..length].copy_from_slice(&from[..length]);
        if !self.begin.is_empty() {
            self.begin = &self.begin[length..];
        }
        Ok(length)
    }
}

#[test]
fn a_part_without_an_end_is_refused_before_it_is_in_memory() {
    for (begin, again) in [
        (r#"{"name":""#, "x"),
        (r#"{""#, "x"),
        (r#"{"versions":{""#, "1"),
        (r#"{"versions":{"1.0.0":{"a":""#, "x"),
        (r#"{"versions":{"1.0.0":"#, "["),
        (r#"{"versions":{"1.0.0":{"dist":{"tarball":""#, "x"),
        (r#"{"time":{"1.0.0":""#, "x"),
    ] {
        assert!(Endless::refused(begin, again).contains("longer than"), "{begin}");
    }
}

#[test]
fn npm_keeps_the_registry_s_addresses_and_everybody_else_gets_the_depot_s() {
    let document = document("@a/x", &["1.0.0"], json!({ "latest": "1.0.0" }));
    for (form, address) in [
        (ABBREVIATED, "https://registry.example/@a/x/-/x-1.0.0.tgz"),
        (FULL, "https://registry.example/@a/x/-/x-1.0.0.tgz"),
        (ABBREVIATED_LOCAL, "http://127.0.0.1:7878/npm/@a/x/-/x-1.0.0.tgz"),
        (FULL_LOCAL, "http://127.0.0.1:7878/npm/@a/x/-/x-1.0.0.tgz"),
    ] {
        let dist = page(&document, form, None)["versions"]["1.0.0"]["dist"].take();
        assert_eq!(dist["tarball"], address, "{form:?}");
        for same in ["integrity", "shasum", "unpackedSize", "signatures"] {
            assert_eq!(dist[same], document["versions"]["1.0.0"]["dist"][same], "{same}");
        }
    }
}

#[test]
fn an_address_that_npm_could_not_lead_to_the_depot_is_the_depot_s_for_npm_too() {
    let mut document = document("x", &["1.0.0"], json!({}));
    document["versions"]["1.0.0"]["dist"]["tarball"] = "https://cdn.example/files/x-1.0.0.tgz?token=1".into();
    let page = page(&document, ABBREVIATED, None);
    assert_eq!(page["versions"]["1.0.0"]["dist"]["tarball"], "http://127.0.0.1:7878/npm/x/-/x-1.0.0.tgz");
}

#[test]
fn the_abbreviated_form_is_made_of_the_full_document() {
    let mut document = document("x", &["1.0.0", "1.0.1"], json!({ "latest": "1.0.1" }));
    document["versions"]["1.0.1"]["scripts"] = json!({ "postinstall": "node x.js" });
    document["versions"]["1.0.1"]["deprecated"] = "use y".into();
    let page = page(&document, ABBREVIATED, None);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&page), ["dist-tags", "modified", "name", "versions"]);
    assert_eq!(page["modified"], "2026-02-01T00:00:00.000Z");
    assert_eq!(keys(&page["versions"]["1.0.0"]), ["bin", "dependencies", "dist", "engines", "name", "version"]);
    assert_eq!(page["versions"]["1.0.1"]["hasInstallScript"], true);
    assert_eq!(page["versions"]["1.0.1"]["deprecated"], "use y");
}

#[test]
fn the_full_form_keeps_what_is_known_and_nothing_that_could_hide_a_version() {
    let document = document("x", &["1.0.0"], json!({ "latest": "1.0.0" }));
    let page = page(&document, FULL, None);
    assert_eq!(page["versions"], document["versions"]);
    assert_eq!((&page["readme"], &page["_id"]), (&document["readme"], &document["_id"]));
    assert!(page.get("users").is_none() && page.get("stagedVersions").is_none());
    assert_eq!(
        page["time"],
        json!({ "created": "2026-01-01T00:00:00.000Z", "modified": "2026-02-01T00:00:00.000Z", "1.0.0": "2026-01-01T00:00:00.000Z" })
    );
}

#[test]
fn a_young_version_is_nowhere_and_tags_lead_to_an_older_one() {
    let versions = ["1.0.0", "1.1.0-beta.1", "1.1.0", "2.0.0-beta.1", "2.0.0-beta.2", "2.0.0"];
    let document = document("x", &versions, json!({ "latest": "2.0.0", "beta": "2.0.0-beta.2", "v2": "2.0.0", "old": "1.0.0" }));
    for form in FORMS {
        let page = page(&document, form, Some("2026-01-04T12:00:00Z"));
        assert_eq!(page["versions"].as_object().unwrap().len(), 4);
        assert_eq!(page["dist-tags"], json!({ "latest": "1.1.0", "beta": "2.0.0-beta.1", "old": "1.0.0" }));
        let text = page.to_string();
        assert!(!text.contains("2.0.0-beta.2") && !text.contains("\"2.0.0\"") && !text.contains("x-2.0.0.tgz"), "{form:?}");
    }
    let none = page(&document, ABBREVIATED, Some("2025-12-31T00:00:00Z"));
    assert_eq!((&none["versions"], &none["dist-tags"]), (&json!({}), &json!({})));
}

#[test]
fn a_version_whose_age_nobody_tells_is_hidden_while_ages_count() {
    let mut document = document("x", &["1.0.0", "1.1.0"], json!({ "latest": "1.1.0" }));
    document["time"]["1.1.0"] = Value::Null;
    assert_eq!(page(&document, FULL, Some("2027-01-01T00:00:00Z"))["dist-tags"], json!({ "latest": "1.0.0" }));
    assert_eq!(page(&document, FULL, None)["dist-tags"], json!({ "latest": "1.1.0" }));
}

#[test]
fn every_form_reads_back_as_the_same_promises() {
    let document = document("@a/x", &["1.0.0", "1.0.1", "2.0.0-rc.1"], json!({ "latest": "1.0.1" }));
    let promised = read("@a/x", &document.to_string()).unwrap();
    for form in FORMS {
        let again = read("@a/x", &page(&document, form, None).to_string()).unwrap();
        for (file, promise) in &promised.files {
            assert_eq!((&again.files[file].version, &again.files[file].digest), (&promise.version, &promise.digest), "{form:?}");
        }
        assert_eq!(again.files.len(), 3);
        if form == FULL {
            assert_eq!(again, promised);
        }
    }
}

#[test]
fn texts_that_no_rust_string_can_hold_pass_through() {
    // Registries cut descriptions by UTF-16 units.
    let document = r#"{"name":"x","readme":"\ud83d","versions":{"1.0.0":{"description":"\ud83d","dist":{"tarball":"https://registry.example/x/-/x-1.0.0.tgz"}}}}"#;
    let mut out = Vec::new();
    write_to("x", document, FULL, None, &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap().matches(r#""\ud83d""#).count(), 2);
}

#[test]
fn a_client_that_goes_away_is_told_apart_from_a_bad_document() {
    struct Gone;
    impl io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let document = document("x", &["1.0.0"], json!({})).to_string();
    for form in FORMS {
        let error = write_to("x", &document, form, None, &mut Gone).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
    // Also in the middle.
    let mut room = [0; 100];
    assert_eq!(write_to("x", &document, FULL, None, &mut room.as_mut_slice()).unwrap_err().kind(), io::ErrorKind::WriteZero);
}

#[test]
fn the_lighter_document_is_asked_for_where_it_will_do() {
    for (form, ages, document) in [
        (None, false, "abbreviated"),
        (None, true, "full"),
        (Some(ABBREVIATED), false, "abbreviated"),
        (Some(ABBREVIATED_LOCAL), false, "abbreviated"),
        (Some(ABBREVIATED_LOCAL), true, "full"),
        (Some(FULL), false, "full"),
        (Some(FULL_LOCAL), true, "full"),
    ] {
        assert_eq!(Npm.document(form, ages).0, document, "{form:?} {ages}");
    }
}

#[test]
fn a_scope_s_slash_is_encoded_for_the_registry() {
    let project = name::project("@types/node").unwrap();
    let (path, accept) = Npm.index_at(&project, ABBREVIATED_DOCUMENT);
    assert_eq!(path, "@types%2fnode");
    assert!(accept.starts_with(INSTALL));
    assert_eq!(Npm.index_at(&project, FULL_DOCUMENT).1, JSON);
}

#[test]
fn an_error_is_what_npm_shows() {
    let (body, media_type) = Npm.error_body("no \"such\"\u{1b}[2J\npackage");
    let value: serde_json::Value = serde_json::from_str(&body).unwrap();
    let shown = value["error"].as_str().unwrap();
    assert!(shown.starts_with("no \"such\"") && !shown.contains(['\u{1b}', '\n']), "{shown}");
    assert_eq!(media_type, "application/json");
}
