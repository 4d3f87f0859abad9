//! What clients get: the forms, the addresses, the versions that are old enough.

use std::io;

use serde_json::{Value, json};

use super::{ABBREVIATED, ABBREVIATED_LOCAL, FORMS, FULL, FULL_LOCAL, document, page, read, write_to};

#[test]
fn npm_keeps_the_registry_s_addresses_and_everybody_else_gets_the_depot_s() {
    let document = document("@a/x", &["1.0.0"], &json!({ "latest": "1.0.0" }));
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
    let mut document = document("x", &["1.0.0"], &json!({}));
    document["versions"]["1.0.0"]["dist"]["tarball"] = "https://cdn.example/files/x-1.0.0.tgz?token=1".into();
    let page = page(&document, ABBREVIATED, None);
    assert_eq!(page["versions"]["1.0.0"]["dist"]["tarball"], "http://127.0.0.1:7878/npm/x/-/x-1.0.0.tgz");
}

#[test]
fn the_abbreviated_form_is_made_of_the_full_document() {
    let mut document = document("x", &["1.0.0", "1.0.1"], &json!({ "latest": "1.0.1" }));
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
fn the_full_form_keeps_what_is_known_and_nothing_that_could_name_a_hidden_version() {
    let document = document("x", &["1.0.0"], &json!({ "latest": "1.0.0" }));
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
    let document = document("x", &versions, &json!({ "latest": "2.0.0", "beta": "2.0.0-beta.2", "v2": "2.0.0", "old": "1.0.0" }));
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
    let mut document = document("x", &["1.0.0", "1.1.0"], &json!({ "latest": "1.1.0" }));
    document["time"]["1.1.0"] = Value::Null;
    assert_eq!(page(&document, FULL, Some("2027-01-01T00:00:00Z"))["dist-tags"], json!({ "latest": "1.0.0" }));
    assert_eq!(page(&document, FULL, None)["dist-tags"], json!({ "latest": "1.1.0" }));
}

#[test]
fn every_form_reads_back_as_the_same_promises() {
    let document = document("@a/x", &["1.0.0", "1.0.1", "2.0.0-rc.1"], &json!({ "latest": "1.0.1" }));
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
    let document = document("x", &["1.0.0"], &json!({})).to_string();
    for form in FORMS {
        let error = write_to("x", &document, form, None, &mut Gone).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
    // Also in the middle.
    let mut room = [0; 100];
    assert_eq!(write_to("x", &document, FULL, None, &mut room.as_mut_slice()).unwrap_err().kind(), io::ErrorKind::WriteZero);
}
