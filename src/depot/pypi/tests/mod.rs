//! Indexes as registries write them, what the depot reads in them and what clients get.

mod reading;
mod writing;

use std::collections::BTreeSet;
use std::io::{BufReader, Read, repeat};

use proptest::prelude::*;
use url::Url;

use super::super::names::is_file_name;
use super::super::promise::Digest;
use super::*;

const JSON_TYPE: &str = "application/vnd.pypi.simple.v1+json";
const BASE: &str = "http://127.0.0.1:7878/pypi";
const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// What the public index answers for `six`, shortened.
const SIX: &str = r#"{"alternate-locations":[],"files":[
 {"core-metadata":false,"data-dist-info-metadata":false,"filename":"six-0.9.0.tar.gz",
  "hashes":{"sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},"provenance":null,"requires-python":null,
  "size":5975,"upload-time":"2010-07-01T16:45:22.000000Z","url":"https://files.example/packages/bc/six-0.9.0.tar.gz","yanked":false},
 {"core-metadata":{"sha256":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"},
  "data-dist-info-metadata":{"sha256":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"},
  "filename":"six-1.17.0-py2.py3-none-any.whl",
  "hashes":{"blake2b_256":"cc","sha256":"BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"},"provenance":"https://pypi.example/x",
  "requires-python":">=2.7, !=3.0.*","size":11050,"upload-time":"2024-12-04T17:35:26.475808Z",
  "url":"https://files.example/packages/b7/six-1.17.0-py2.py3-none-any.whl","yanked":"broken <b>\"badly\"</b>"}],
 "meta":{"_last-serial":26,"api-version":"1.4"},"name":"six","project-status":{"status":"active"},"versions":["0.9.0","1.17.0","1.18"]}"#;

fn project(name: &str) -> Project {
    Project { ecosystem: Ecosystem::Pypi, name: name.to_owned() }
}

/// Hands a document to whoever asks, as the depot would.
fn with<T>(name: &str, media_type: &str, body: impl Read, then: impl FnOnce(Source<'_>) -> io::Result<T>) -> io::Result<T> {
    let url = Url::parse(&format!("https://pypi.example/simple/{name}/")).unwrap();
    then(Source { project: &project(name), url: &url, media_type, body: &mut BufReader::new(body) })
}

fn read_as(name: &str, media_type: &str, body: &str) -> io::Result<Catalogue> {
    with(name, media_type, body.as_bytes(), |source| Pypi.read(source))
}

fn read(name: &str, body: &str) -> Catalogue {
    read_as(name, if body.starts_with('{') { JSON_TYPE } else { "text/html" }, body).unwrap()
}

fn write(name: &str, body: &str, form: Form, not_after: Option<&str>) -> String {
    let catalogue = read(name, body);
    let view = View { catalogue: &catalogue, not_after: not_after.map(|time| time.parse().unwrap()) };
    let media_type = if body.starts_with('{') { JSON_TYPE } else { "text/html" };
    let mut page = Vec::new();
    with(name, media_type, body.as_bytes(), |source| Pypi.write(source, form, BASE, &view, &mut page)).unwrap();
    String::from_utf8(page).unwrap()
}

/// A JSON index of `foo` with these files' entries.
fn index(files: &[String]) -> String {
    format!(r#"{{"meta":{{"api-version":"1.1"}},"name":"foo","versions":[],"files":[{}]}}"#, files.join(","))
}

/// An entry of a JSON index, with more fields.
fn entry(name: &str, url: &str, more: &str) -> String {
    format!(r#"{{"filename":{},"url":{}{more}}}"#, serde_json::json!(name), serde_json::json!(url))
}

fn names(catalogue: &Catalogue) -> Vec<&str> {
    catalogue.files.keys().map(String::as_str).collect()
}

fn sha256(hex: &str) -> Option<Digest> {
    format!("sha256:{hex}").parse().ok()
}
