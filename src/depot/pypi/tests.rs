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

#[test]
fn what_the_public_index_says_becomes_promises() {
    let catalogue = read("six", SIX);
    let wheel = "six-1.17.0-py2.py3-none-any.whl";
    let metadata = "six-1.17.0-py2.py3-none-any.whl.metadata";
    assert_eq!(names(&catalogue), ["six-0.9.0.tar.gz", wheel, metadata]);
    let published = Some("2024-12-04T17:35:26.475808Z".parse().unwrap());
    let url = format!("https://files.example/packages/b7/{wheel}");
    let promise = Promise { version: "1.17.0".to_owned(), url, digest: sha256(B), size: Some(11050), published };
    assert_eq!(catalogue.files[wheel], promise);
    let url = format!("https://files.example/packages/b7/{metadata}");
    assert_eq!(catalogue.files[metadata], Promise { url, size: None, ..promise });
    assert_eq!(catalogue.files["six-0.9.0.tar.gz"].digest, sha256(A));
}

#[test]
fn json_goes_out_with_the_depots_addresses_and_nothing_else_changed() {
    let page = write("six", SIX, JSON, None);
    let page: serde_json::Value = serde_json::from_str(&page).unwrap();
    let expected = serde_json::json!({
        "files": [
            {"filename": "six-0.9.0.tar.gz", "url": "http://127.0.0.1:7878/pypi/files/six/six-0.9.0.tar.gz", "hashes": {"sha256": A}, "size": 5975,
             "upload-time": "2010-07-01T16:45:22.000000Z"},
            {"filename": "six-1.17.0-py2.py3-none-any.whl", "url": "http://127.0.0.1:7878/pypi/files/six/six-1.17.0-py2.py3-none-any.whl",
             "hashes": {"sha256": B}, "size": 11050, "upload-time": "2024-12-04T17:35:26.475808Z", "requires-python": ">=2.7, !=3.0.*",
             "yanked": "broken <b>\"badly\"</b>", "core-metadata": {"sha256": B}, "dist-info-metadata": {"sha256": B}},
        ],
        "meta": {"api-version": "1.1"}, "name": "six", "versions": ["0.9.0", "1.17.0", "1.18"],
    });
    assert_eq!(page, expected);
    assert_eq!(write("six", SIX, JSON, None), write("six", SIX, JSON, None));
}

#[test]
fn html_goes_out_with_everything_escaped() {
    let page = write("six", SIX, HTML, None);
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    let sdist = format!(r#"<a href="{BASE}/files/six/six-0.9.0.tar.gz#sha256={A}">six-0.9.0.tar.gz</a>"#);
    let wheel = "six-1.17.0-py2.py3-none-any.whl";
    let wheel = format!(
        "<a href=\"{BASE}/files/six/{wheel}#sha256={B}\" data-requires-python=\"&gt;=2.7, !=3.0.*\" data-core-metadata=\"sha256={B}\" \
         data-dist-info-metadata=\"sha256={B}\" data-yanked=\"broken &lt;b&gt;&quot;badly&quot;&lt;/b&gt;\">{wheel}</a>"
    );
    assert!(page.contains(&sdist) && page.contains(&wheel), "{page}");
}

#[test]
fn what_was_written_reads_back_as_it_was() {
    let original = read("six", SIX);
    let json = read("six", &write("six", SIX, JSON, None));
    let html = read("six", &write("six", SIX, HTML, None));
    for (name, promise) in &original.files {
        let url = format!("{BASE}/files/six/{name}");
        assert_eq!(json.files[name], Promise { url: url.clone(), ..promise.clone() });
        assert_eq!(html.files[name], Promise { url, size: None, published: None, ..promise.clone() });
    }
    assert_eq!((json.files.len(), html.files.len()), (3, 3));
    // A page made of a page of the depot's is that page.
    let page = write("six", SIX, JSON, None);
    assert_eq!(write("six", &page, JSON, None), page);
}

#[test]
fn html_alone_is_read_as_browsers_read_it() {
    let page = format!(
        r#"<!doctype html><html><head><title>Links <a href="title-1.0.zip"></title>
        <META content=1.0 name='pypi:repository-version'><base href="https://cdn.example/a/"><base href="https://late.example/"></head><body>
        <!-- <a href="foo-0.1.tar.gz">no</a> --><script>var x = '<a href="foo-0.2.tar.gz">';</script>
        <A HREF='foo-1.0.tar.gz#sha256={A}' href="foo-9.9.tar.gz" data-requires-python="&gt;=3.8,&lt;4">any text</A>
        <a data-yanked href=../b/Foo-1.1-py3-none-any.whl?x=1&amp;y=2#egg=foo&sha256={B} data-dist-info-metadata="sha256={A}">x</a>
        <a href="https://files.example/foo-1.2%2Bcpu-py3-none-any.whl#md5=d41d8cd98f00b204e9800998ecf8427e" data-core-metadata="true"
           data-yanked="&quot;bad&quot; &#60;b&#62;&amp;amp;">x</a>
        <a href="foo-1.3.zip#sha256=zz">x</a><a name=top>no link</a><a href>nothing</a></body></html>"#
    );
    let catalogue = read("foo", &page);
    let files = [
        "Foo-1.1-py3-none-any.whl",
        "Foo-1.1-py3-none-any.whl.metadata",
        "foo-1.0.tar.gz",
        "foo-1.2+cpu-py3-none-any.whl",
        "foo-1.2+cpu-py3-none-any.whl.metadata",
        "foo-1.3.zip",
    ];
    assert_eq!(names(&catalogue), files);
    let promises: Vec<_> = catalogue.files.values().map(|promise| (promise.url.as_str(), promise.digest.clone())).collect();
    assert_eq!(promises[0], ("https://cdn.example/b/Foo-1.1-py3-none-any.whl?x=1&y=2", sha256(B)));
    assert_eq!(promises[1], ("https://cdn.example/b/Foo-1.1-py3-none-any.whl.metadata?x=1&y=2", sha256(A)));
    assert_eq!(promises[2], ("https://cdn.example/a/foo-1.0.tar.gz", sha256(A)));
    assert_eq!(promises[3], ("https://files.example/foo-1.2%2Bcpu-py3-none-any.whl", None));
    assert_eq!(promises[4], ("https://files.example/foo-1.2%2Bcpu-py3-none-any.whl.metadata", None));
    assert_eq!(promises[5].1, None);

    let json: serde_json::Value = serde_json::from_str(&write("foo", &page, JSON, None)).unwrap();
    assert_eq!(json["meta"]["api-version"], "1.0");
    assert_eq!(json.get("versions"), None);
    assert_eq!(json["files"][0]["requires-python"], ">=3.8,<4");
    assert_eq!(json["files"][1]["yanked"], true);
    assert_eq!(json["files"][2]["yanked"], "\"bad\" <b>&amp;");
    assert_eq!(json["files"][2]["url"], "http://127.0.0.1:7878/pypi/files/foo/foo-1.2%2Bcpu-py3-none-any.whl");
    // Without a digest to hold them to, metadata are not offered.
    assert_eq!(json["files"][2].get("core-metadata"), None);
    let again = read("foo", &write("foo", &page, HTML, None));
    assert_eq!(again.files["Foo-1.1-py3-none-any.whl.metadata"].digest, sha256(A));
}

#[test]
fn the_strongest_promise_that_installers_know_is_taken() {
    let (sha384, sha512) = ("c".repeat(96), "d".repeat(128));
    for (hashes, digest) in [
        (format!(r#"{{"sha512":"{sha512}","sha256":"{A}","md5":"x"}}"#), sha256(A)),
        (format!(r#"{{"sha384":"{sha384}","sha512":"{sha512}"}}"#), Some(format!("sha512:{sha512}").parse().unwrap())),
        (format!(r#"{{"sha384":"{sha384}"}}"#), Some(format!("sha384:{sha384}").parse().unwrap())),
        (format!(r#"{{"sha1":"{}"}}"#, "e".repeat(40)), None),
        (format!(r#"{{"md5":"{}"}}"#, "e".repeat(32)), None),
        (r#"{"sha256":"short"}"#.to_owned(), None),
        (format!(r#"{{"SHA256":"{A}"}}"#), None),
        ("{}".to_owned(), None),
    ] {
        let catalogue = read("foo", &index(&[entry("foo-1.0.zip", "foo-1.0.zip", &format!(r#","hashes":{hashes}"#))]));
        assert_eq!(catalogue.files["foo-1.0.zip"].digest, digest, "{hashes}");
    }
}

#[test]
fn metadata_are_promised_by_either_name() {
    for (more, promised) in [
        (format!(r#","core-metadata":{{"sha256":"{A}"}}"#), Some(sha256(A))),
        (format!(r#","dist-info-metadata":{{"sha256":"{A}"}}"#), Some(sha256(A))),
        (format!(r#","dist-info-metadata":{{"sha256":"{B}"}},"core-metadata":{{"sha256":"{A}"}}"#), Some(sha256(A))),
        (format!(r#","dist-info-metadata":{{"sha256":"{B}"}},"core-metadata":false"#), Some(sha256(B))),
        (r#","core-metadata":true"#.to_owned(), Some(None)),
        (r#","core-metadata":{}"#.to_owned(), Some(None)),
        (r#","core-metadata":false,"dist-info-metadata":null"#.to_owned(), None),
        (r#","core-metadata":"yes""#.to_owned(), None),
    ] {
        let catalogue = read("foo", &index(&[entry("foo-1.0.zip", "foo-1.0.zip", &more)]));
        let promise = catalogue.files.get("foo-1.0.zip.metadata").map(|promise| promise.digest.clone());
        assert_eq!(promise, promised, "{more}");
    }
}

#[test]
fn what_is_too_young_is_left_out_wherever_it_is_named() {
    let file = |name: &str, time: &str| entry(name, name, &format!(r#","size":1,"hashes":{{}},"upload-time":"{time}""#));
    let files = [
        file("foo-1.0.tar.gz", "2024-01-01T00:00:00Z"),
        file("foo-2.0.0.tar.gz", "2024-06-01T00:00:00.000000Z"),
        file("foo-2.0-py3-none-any.whl", "2024-09-01T00:00:00Z"),
        file("foo-3.0rc1.tar.gz", "2024-09-01T00:00:00Z"),
        file("foo-4.tar.gz", "yesterday"),
        entry("foo-5.tar.gz", "foo-5.tar.gz", r#","size":1"#),
    ];
    let body = index(&files).replace(r#""versions":[]"#, r#""versions":["1.0","2","3.0.0rc1","4","5","6","odd"]"#);
    let shown = |not_after| {
        let page: serde_json::Value = serde_json::from_str(&write("foo", &body, JSON, not_after)).unwrap();
        let files: Vec<_> = page["files"].as_array().unwrap().iter().map(|file| file["filename"].as_str().unwrap().to_owned()).collect();
        (files, page["versions"].to_string())
    };
    assert_eq!(shown(None).1, r#"["1.0","2","3.0.0rc1","4","5","6","odd"]"#);
    assert_eq!(shown(None).0.len(), 6);
    let (files, versions) = shown(Some("2024-07-01T00:00:00Z"));
    assert_eq!(files, ["foo-1.0.tar.gz", "foo-2.0.0.tar.gz"]);
    assert_eq!(versions, r#"["1.0","2"]"#);
    assert_eq!(shown(Some("2024-06-01T00:00:00Z")).0.len(), 2, "the moment itself is old enough");
    assert_eq!(shown(Some("2000-01-01T00:00:00Z")), (vec![], "[]".to_owned()));
    assert!(!write("foo", &body, HTML, Some("2024-07-01T00:00:00Z")).contains("foo-3"));
}

#[test]
fn only_an_index_with_all_sizes_and_versions_is_called_a_newer_one() {
    for (files, versions, expected) in [
        (vec![entry("foo-1.zip", "x", r#","size":0"#)], r#""versions":["1"]"#, "1.1"),
        (vec![entry("foo-1.zip", "x", r#","size":0"#), entry("foo-2.zip", "x", "")], r#""versions":["1"]"#, "1.0"),
        (vec![entry("foo-1.zip", "x", r#","size":0"#)], r#""versions":null"#, "1.0"),
        (vec![], r#""versions":[]"#, "1.1"),
    ] {
        let page = write("foo", &index(&files).replace(r#""versions":[]"#, versions), JSON, None);
        let page: serde_json::Value = serde_json::from_str(&page).unwrap();
        assert_eq!(page["meta"]["api-version"], expected);
        assert_eq!(page.get("versions").is_some(), expected == "1.1");
    }
}

#[test]
fn a_file_without_a_usable_name_or_address_is_left_out() {
    let long = format!("https://f.example/{}", "x".repeat(4096));
    let good = entry("foo-1.0.zip", "../../f/foo-1.0.zip#sha256=x", "");
    let mut files = vec![good];
    for name in [
        "",
        "..",
        "../foo-1.0.zip",
        "foo-1.0/../../x.zip",
        "foo-1.0.zip\0",
        "foo-1.0.zip\r\nX: y",
        "foo-1 0.zip",
        "foo-1.0%2f.zip",
        "foo-1.0\".zip",
        "foo-1.0<b>.zip",
        "foo-ä.zip",
        "bar-1.0.zip",
        "foobar-1.0.zip",
        "foo_bar-1.0-py3-none-any.whl",
        "foo-1.0.whl",
        "foo-1.0.zip.metadata",
        "foo-1.0.zip.METADATA",
        "foo-1.0.zip.asc",
        "foo",
    ] {
        files.push(entry(name, "https://f.example/foo-2.0.zip", ""));
    }
    for url in [
        "",
        "ftp://f.example/foo-2.0.zip",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:,x",
        "https://user@f.example/x",
        "https://u:p@f.example/x",
        "https://:p@f.example/x",
        "//u:p@f.example/x",
        "https://",
        "https://[::1",
        "https://f.example:99999/x",
        &long,
    ] {
        files.push(entry("foo-2.0.zip", url, ""));
    }
    files.push(r#"{"url":"foo-2.0.zip"}"#.to_owned());
    files.push(r#"{"filename":"foo-2.0.zip"}"#.to_owned());
    files.push(entry("foo-2.0.zip", "foo-2.0.zip", &format!(r#","requires-python":"{}""#, "x".repeat(513))));
    let catalogue = read("foo", &index(&files));
    assert_eq!(names(&catalogue), ["foo-1.0.zip"]);
    assert_eq!(catalogue.files["foo-1.0.zip"].url, "https://pypi.example/f/foo-1.0.zip");
}

#[test]
fn of_files_of_one_name_the_first_usable_one_holds() {
    let file = |url: &str, hex: &str| entry("foo-1.0.zip", url, &format!(r#","hashes":{{"sha256":"{hex}"}}"#));
    let body = index(&[file("ftp://x.example/", B), file("https://a.example/x", A), file("https://b.example/x", B)]);
    let promise = &read("foo", &body).files["foo-1.0.zip"];
    assert_eq!((promise.url.as_str(), &promise.digest), ("https://a.example/x", &sha256(A)));
    for form in [JSON, HTML] {
        let page = write("foo", &body, form, None);
        assert!(page.contains(A) && !page.contains(B), "{page}");
    }
}

#[test]
fn an_address_written_down_has_no_credentials_of_the_registrys_own() {
    let url = Url::parse("https://user:secret@pypi.example/simple/foo/").unwrap();
    let source = Source { project: &project("foo"), url: &url, media_type: "text/html", body: &mut &b"<a href=foo-1.zip>"[..] };
    assert_eq!(Pypi.read(source).unwrap().files["foo-1.zip"].url, "https://pypi.example/simple/foo/foo-1.zip");
}

#[test]
fn what_a_registry_says_in_words_cannot_break_out() {
    let hostile = "\"><script>alert('x')</script>&quot;\n\u{1b}[31m\u{202e}\u{0}";
    let more = format!(r#","requires-python":{0},"yanked":{0}"#, serde_json::json!(hostile));
    let body = index(&[entry("foo-1.0+'.zip", "x", &more), entry("foo-1.0+{[^]}.zip", "x", &more)]);
    let page = write("foo", &body, HTML, None);
    assert!(!page.contains("<script") && !page.contains(['\u{1b}', '\u{0}']), "{page}");
    assert!(page.contains("files/foo/foo-1.0%2B%7B%5B%5E%5D%7D.zip\""), "{page}");
    let page: serde_json::Value = serde_json::from_str(&write("foo", &body, JSON, None)).unwrap();
    assert_eq!(page["files"][0]["requires-python"], page["files"][0]["yanked"]);
    assert_eq!(page["files"][0]["yanked"], "\"><script>alert('x')</script>&quot;  [31m\\u{202e}");
    let endless = format!(r#","yanked":"{}""#, "ä".repeat(5000));
    assert!(write("foo", &index(&[entry("foo-1.zip", "x", &endless)]), JSON, None).len() < 2000);
}

#[test]
fn what_is_not_this_projects_index_is_an_error() {
    let other = SIX.replace(r#""name":"six""#, r#""name":"seven""#);
    let html_v2 = r#"<meta name="pypi:repository-version" content="2.0"><a href="foo-1.0.zip">"#;
    for (media_type, body, why) in [
        (JSON_TYPE, other.as_str(), "came for 'six'"),
        (JSON_TYPE, r#"{"meta":{"api-version":"2.0"},"files":[]}"#, "version '2.0'"),
        (JSON_TYPE, r#"{"meta":{"api-version":"10.0"},"files":[]}"#, "version '10.0'"),
        (JSON_TYPE, r#"{"files":[],"meta":{"api-version":""}}"#, "version ''"),
        (JSON_TYPE, r#"{"meta":{"api-version":"1.0"}}"#, "missing field"),
        (JSON_TYPE, r#"{"files":[],"files":[]}"#, "duplicate field"),
        (JSON_TYPE, r#"{"files":{}}"#, "a list of files"),
        (JSON_TYPE, r#"{"files":["x"]}"#, "expected"),
        (JSON_TYPE, r#"{"files":[{"filename":"six-1.zip","url":"x","size":-1}]}"#, "invalid value"),
        (JSON_TYPE, r#"{"files":[{"filename":"six-1.zip","filename":"six-2.zip","url":"x"}]}"#, "duplicate"),
        (JSON_TYPE, r#"{"files":[{"filename":"six-1.zip","url":"x"}"#, "EOF"),
        (JSON_TYPE, r#"{"files":[]} {"files":[]}"#, "trailing"),
        (JSON_TYPE, "[]", "the simple index"),
        (JSON_TYPE, "", "EOF"),
        (JSON_TYPE, "<html>", "expected value"),
        ("text/html", html_v2, "version '2.0'"),
        ("application/vnd.pypi.simple.v1+html", html_v2, "version '2.0'"),
        ("text/html", r#"<a href="/login">Sign in to continue</a>"#, "no link"),
        ("application/json", SIX, "'application/json' is not"),
        ("application/vnd.pypi.simple.v2+json", SIX, "is not a simple index"),
        ("text/plain", "x", "is not a simple index"),
        ("", SIX, "is not a simple index"),
    ] {
        let err = read_as("six", media_type, body).unwrap_err();
        assert!(err.to_string().contains(why), "{media_type} {body}: {err}");
        let mut out = Vec::new();
        let view = View { catalogue: &Catalogue::default(), not_after: None };
        assert!(with("six", media_type, body.as_bytes(), |source| Pypi.write(source, JSON, BASE, &view, &mut out)).is_err());
    }
    assert!(read_as("six", "text/html", "<html><body></body></html>").unwrap().files.is_empty());
    let spelt = SIX.replace(r#""name":"six""#, r#""name":"SIX""#);
    assert_eq!(read("six", &spelt), read("six", SIX));
}

#[test]
fn a_document_without_end_is_not_kept_in_memory() {
    let endless = |media_type, start: &'static str, byte| {
        with("foo", media_type, start.as_bytes().chain(repeat(byte)), |source| Pypi.read(source)).unwrap_err().to_string()
    };
    for (media_type, start, byte) in [
        (JSON_TYPE, r#"{"files":[{"filename":""#, b'x'),
        (JSON_TYPE, r#"{"files":[{"filename":""#, b'"'),
        (JSON_TYPE, r#"{"versions":[""#, b'1'),
        (JSON_TYPE, r#"{"other":[""#, b'['),
        (JSON_TYPE, r#"{""#, b'k'),
        (JSON_TYPE, "", b' '),
        (JSON_TYPE, "", b'['),
        ("text/html", "<a href=\"", b'x'),
        ("text/html", "<a href=\"", b'\0'),
        ("text/html", "<a ", b'x'),
        ("text/html", "<!--", b'-'),
        ("text/html", "<script>", b'x'),
        ("text/html", "", b'x'),
        ("text/html", "<", b'a'),
    ] {
        let err = endless(media_type, start, byte);
        assert!(err.contains("without end") || (media_type == JSON_TYPE && err.contains(" at line 1 ")), "{start}: {err}");
    }
    let deep = format!(r#"{{"files":[{{"yanked":{}"#, "{\"x\":".repeat(100_000));
    assert!(read_as("foo", JSON_TYPE, &deep).is_err());
}

#[test]
fn more_files_or_versions_than_any_project_has_are_an_error() {
    let file = r#"{"filename":"","url":""}"#;
    let many = |item: &str, count: usize| vec![item; count].join(",");
    let files = format!(r#"{{"files":[{}]}}"#, many(file, 50_001));
    assert!(read_as("foo", JSON_TYPE, &files).unwrap_err().to_string().contains("50000 files"));
    let versions = format!(r#"{{"files":[],"versions":[{}]}}"#, many("\"1\"", 200_001));
    assert!(read_as("foo", JSON_TYPE, &versions).unwrap_err().to_string().contains("200000 versions"));
    assert!(read_as("foo", "text/html", &"<a href=x>".repeat(50_001)).unwrap_err().to_string().contains("50000 files"));
}

#[test]
fn a_full_disk_is_told_as_what_it_is() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let files: Vec<String> = (0..500).map(|at| entry(&format!("foo-{at}.zip"), "x", "")).collect();
    let body = index(&files);
    let catalogue = read("foo", &body);
    let view = View { catalogue: &catalogue, not_after: None };
    for form in [JSON, HTML] {
        let err = with("foo", JSON_TYPE, body.as_bytes(), |source| Pypi.write(source, form, BASE, &view, &mut Full)).unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::StorageFull);
    }
    let err = with("foo", JSON_TYPE, body.as_bytes(), |source| Pypi.write(source, Form("x"), BASE, &view, &mut Vec::new())).unwrap_err();
    assert_eq!(err.kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn a_file_that_the_catalogue_lacks_is_not_offered() {
    let mut catalogue = read("six", SIX);
    catalogue.files.remove("six-0.9.0.tar.gz");
    catalogue.files.remove("six-1.17.0-py2.py3-none-any.whl.metadata");
    let view = View { catalogue: &catalogue, not_after: None };
    let mut page = Vec::new();
    with("six", JSON_TYPE, SIX.as_bytes(), |source| Pypi.write(source, JSON, BASE, &view, &mut page)).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("six-1.17.0") && !page.contains("tar.gz") && !page.contains("metadata"), "{page}");
}

#[test]
fn the_registry_is_asked_for_the_lightest_form_that_it_has() {
    let (path, accept) = Pypi.index_at(&project("foo-bar"), Pypi.document(Some(HTML), true));
    assert_eq!(path, "foo-bar/");
    assert_eq!(accept::negotiate(accept), Some(JSON));
    assert_eq!(Pypi.media_type(JSON), JSON_TYPE);
    assert!(Pypi.media_type(HTML).starts_with("text/html"));
    assert_eq!(Pypi.error_body("no\n\u{1b}").0, "no\\u{a}\\u{1b}\n");
    assert!(Pypi.rewrite("x", b"", &|_| true).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_a_registry_answers_only_harmless_promises_come_out(
        names in prop::collection::vec(prop_oneof!["foo-[!-~]{0,12}", "(?s).{0,12}", "foo-1[.]0[ -~]{0,3}[.](zip|whl)"], 0..6),
        urls in prop::collection::vec(prop_oneof!["https?://[!-~]{0,12}", "(?s).{0,16}", "[.]{0,2}/foo-[0-9][.]zip"], 6),
        words in "(?s).{0,16}",
        is_html: bool,
    ) {
        let more = format!(r#","requires-python":{0},"yanked":{0},"core-metadata":{{"sha256":"{A}"}},"hashes":{{"sha256":"{A}"}}"#, serde_json::json!(words));
        let body = if is_html {
            let links = names.iter().zip(&urls).map(|(name, url)| format!("<a href=\"{url}/{name}#sha256={A}\" data-yanked=\"{words}\">{name}</a>"));
            links.collect::<Vec<_>>().concat()
        } else {
            index(&names.iter().zip(&urls).map(|(name, url)| entry(name, url, &more)).collect::<Vec<_>>())
        };
        let media_type = if is_html { "text/html" } else { JSON_TYPE };
        let Ok(catalogue) = read_as("foo", media_type, &body) else { return Ok(()) };
        for (name, promise) in &catalogue.files {
            let url = Url::parse(&promise.url).unwrap();
            prop_assert!(is_file_name(name), "{}", name);
            prop_assert!(matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none(), "{}", url);
        }
        // Each form that clients see holds the same files, and nothing of a registry's words became markup.
        let view = View { catalogue: &catalogue, not_after: None };
        let files: BTreeSet<_> = catalogue.files.keys().collect();
        for form in [JSON, HTML] {
            let mut page = Vec::new();
            with("foo", media_type, body.as_bytes(), |source| Pypi.write(source, form, BASE, &view, &mut page)).unwrap();
            let page = String::from_utf8(page).unwrap();
            let again = read("foo", &page);
            prop_assert_eq!(again.files.keys().collect::<BTreeSet<_>>(), files.clone());
            prop_assert!(again.files.iter().all(|(name, promise)| catalogue.files[name].digest == promise.digest));
            prop_assert!(again.files.values().all(|promise| promise.url.starts_with(BASE)));
            if form == HTML {
                prop_assert_eq!(page.matches('<').count(), 13 + 3 * page.matches("<a ").count(), "{}", page);
            }
        }
    }

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), is_html: bool) {
        let media_type = if is_html { "text/html" } else { JSON_TYPE };
        let _ = with("foo", media_type, &bytes[..], |source| Pypi.read(source));
    }
}

#[test]
fn pip_alone_is_told_in_a_type_why_there_is_no_index() {
    let reason = "pypi.example cannot be reached: \"reset\"\\";
    let (status, media_type) = Pypi.index_error("pip/26.3 {\"ci\":null}", reason).unwrap();
    assert_eq!((status, media_type.as_str()), (300, "text/plain; reason=\"pypi.example cannot be reached: 'reset''\""));
    assert_eq!(Pypi.index_error("uv/0.9.0", reason), None);
}
