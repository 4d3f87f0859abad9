//! What the depot reads in a document, and what it refuses to read.

use std::io::{self, Read};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{FULL_LOCAL, document, read, read_from, write_to};
use crate::depot::promise::Algorithm;

fn refusal(document: &str) -> String {
    read("x", document).unwrap_err().to_string()
}

#[test]
fn a_document_promises_its_tarballs_in_whatever_order_it_is() {
    let mut versions = document("@a/x", &["1.0.0", "2.0.0-rc.1"], &json!({}))["versions"].to_string();
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
