//! Documents as registries write them, what the depot reads in them and what clients get.

mod reading;
mod writing;

use std::io::{self, BufRead};

use serde_json::{Value, json};
use url::Url;

use super::{ABBREVIATED, ABBREVIATED_DOCUMENT, ABBREVIATED_LOCAL, FULL, FULL_DOCUMENT, FULL_LOCAL, INSTALL, JSON, Npm, name};
use crate::depot::adapter::{Adapter, Form, Source, View};
use crate::depot::promise::Catalogue;

const BASE: &str = "http://127.0.0.1:7878/npm/";
const FORMS: [Form; 4] = [ABBREVIATED, ABBREVIATED_LOCAL, FULL, FULL_LOCAL];

fn read_from(project: &str, body: &mut dyn BufRead) -> io::Result<Catalogue> {
    let url = Url::parse("https://registry.example/x").unwrap();
    Npm.read(Source { project: &name::project(project).unwrap(), url: &url, media_type: "application/json", body })
}

fn read(project: &str, document: &str) -> io::Result<Catalogue> {
    read_from(project, &mut document.as_bytes())
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
fn document(project: &str, versions: &[&str], tags: &Value) -> Value {
    let mut document = json!({
        "_id": project, "name": project, "dist-tags": tags.clone(), "versions": {}, "readme": "# x", "users": { "a": true },
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
