use super::*;

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
