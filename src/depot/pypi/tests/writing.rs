use super::*;

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

#[test]
fn pip_alone_is_told_in_a_type_why_there_is_no_index() {
    let reason = "pypi.example cannot be reached: \"reset\"\\";
    let (status, media_type) = Pypi.index_error("pip/26.3 {\"ci\":null}", reason).unwrap();
    assert_eq!((status, media_type.as_str()), (300, "text/plain; reason=\"pypi.example cannot be reached: 'reset''\""));
    assert_eq!(Pypi.index_error("uv/0.9.0", reason), None);
}
