//! What a path asks for. Everything in it is hostile: what comes out is a project's one spelling and a plain file
//! name, or a refusal.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::super::adapter::{Ask, Asked, Refusal};
use super::super::names::{Project, is_file_name};
use super::super::promise::Ecosystem;
use super::{METADATA, accept, names};

/// Reads a request.
pub(super) fn ask(request: &Asked<'_>) -> Result<Ask, Refusal> {
    if request.is_post {
        let reason = "the package depot is read-only: publish from outside the sandbox".to_owned();
        return Err(Refusal { status: 405, reason });
    }
    let mut segments = request.path.split('/');
    let segments: [Option<&str>; 4] = std::array::from_fn(|_| segments.next());
    match segments {
        [Some("simple"), None | Some(""), None, None] => {
            Err(Refusal::not_found("the list of all projects is not served here: install a package by its name"))
        }
        [Some("simple"), Some(name), None | Some(""), None] => {
            let project = project(name)?;
            let refusal = || Refusal {
                status: 406,
                reason: "an index is served as simple API JSON or as HTML, and the client accepts neither".to_owned(),
            };
            Ok(Ask::Index { project, form: accept::negotiate(request.accept).ok_or_else(refusal)? })
        }
        [Some("files"), Some(name), Some(file), None] => {
            let project = project(name)?;
            let file = decode(file)?;
            if !is_file_name(&file) {
                return Err(Refusal::not_found("that is not the name of a package's file"));
            }
            // Nothing here needs more than that: installers go by the name.
            let media_type = if file.ends_with(METADATA) { "text/plain; charset=utf-8" } else { "application/octet-stream" };
            Ok(Ask::Artifact { project, file: file.into_owned(), media_type })
        }
        _ => Err(Refusal::not_found("there is nothing here but simple/<project>/ and files/<project>/<file>")),
    }
}

fn project(name: &str) -> Result<Project, Refusal> {
    let name = names::normalise(&decode(name)?);
    name.map(|name| Project { ecosystem: Ecosystem::Pypi, name })
        .ok_or_else(|| Refusal::not_found("that is not the name of a Python project"))
}

/// Undoes percent-encoding, once: what a name may not hold is refused by its own rules, whichever way it was written.
fn decode(segment: &str) -> Result<Cow<'_, str>, Refusal> {
    let whole = segment.split('%').skip(1).all(|after| after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()));
    let decoded = percent_decode_str(segment).decode_utf8();
    match decoded {
        Ok(decoded) if whole => Ok(decoded),
        _ => Err(Refusal::bad("the address is not percent-encoded as addresses are")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{HTML, JSON};
    use super::*;

    fn get(path: &str) -> Result<Ask, Refusal> {
        ask(&Asked { path, accept: "", user_agent: "pip/26.0", is_post: false })
    }

    fn project(name: &str) -> Project {
        Project { ecosystem: Ecosystem::Pypi, name: name.to_owned() }
    }

    #[test]
    fn an_index_is_found_by_any_spelling_of_its_name() {
        for path in ["simple/foo-bar/", "simple/foo-bar", "simple/Foo.Bar/", "simple/foo__bar/", "simple/foo%2Dbar/", "simple/f%6fo%5Fbar"]
        {
            assert_eq!(get(path), Ok(Ask::Index { project: project("foo-bar"), form: HTML }), "{path}");
        }
        let asked = Asked { path: "simple/six/", accept: "application/vnd.pypi.simple.v1+json", user_agent: "", is_post: false };
        assert_eq!(ask(&asked), Ok(Ask::Index { project: project("six"), form: JSON }));
        let refusal = ask(&Asked { accept: "application/json", ..asked }).unwrap_err();
        assert_eq!(refusal.status, 406);
    }

    #[test]
    fn a_file_is_found_below_its_project() {
        for (path, file, media_type) in [
            ("files/six/six-1.0-py3-none-any.whl", "six-1.0-py3-none-any.whl", "application/octet-stream"),
            ("files/Six/six-1.0.tar.gz", "six-1.0.tar.gz", "application/octet-stream"),
            ("files/six/six-1.0%2Bcpu-py3-none-any.whl", "six-1.0+cpu-py3-none-any.whl", "application/octet-stream"),
            ("files/six/six-1.0+cpu-py3-none-any.whl", "six-1.0+cpu-py3-none-any.whl", "application/octet-stream"),
            ("files/six/six-1%212.zip", "six-1!2.zip", "application/octet-stream"),
            ("files/six/six-1.0-py3-none-any.whl.metadata", "six-1.0-py3-none-any.whl.metadata", "text/plain; charset=utf-8"),
        ] {
            assert_eq!(get(path), Ok(Ask::Artifact { project: project("six"), file: file.to_owned(), media_type }), "{path}");
        }
    }

    #[test]
    fn what_is_no_plain_name_is_refused() {
        for name in [
            "..",
            ".",
            "%2e%2e",
            "%2E",
            ".%2e",
            "a%2fb",
            "a%2Fb",
            "..%2f..%2fetc",
            "a%5cb",
            "a\\b",
            "a%00",
            "a%0d%0aX:%20y",
            "a%0a",
            "%252e%252e",
            "a%252fb",
            "a%25",
            "a%",
            "a%2",
            "a%zz",
            "a%+1",
            "a%c3%28",
            "%c3%a4",
            "%e2%80%ae",
            "%uff0e",
            "a%20b",
            "a?b",
            "a#b",
            "a;b",
            "a:b",
            "a@b",
            "a%3fb",
            "a&b",
            "%ff",
            "a*",
            "~a",
            "$a",
            "`a`",
            "a'b",
            "a\"b",
            "a|b",
            "a<b>",
        ] {
            for path in
                [format!("simple/{name}/"), format!("simple/{name}"), format!("files/{name}/six-1.0.zip"), format!("files/six/{name}")]
            {
                let refusal = get(&path);
                // Of these, a file's name may hold an at sign and a tilde.
                if ["files/six/a@b", "files/six/~a"].contains(&path.as_str()) {
                    continue;
                }
                assert!(matches!(refusal, Err(Refusal { status: 400 | 404, .. })), "{path}: {refusal:?}");
            }
        }
        let long = "x".repeat(256);
        for path in [format!("simple/{long}/"), format!("files/six/{long}"), format!("files/{long}/six-1.0.zip")] {
            assert!(get(&path).is_err());
        }
    }

    #[test]
    fn any_other_path_is_not_found_and_says_what_there_is() {
        for path in [
            "",
            "/",
            "//",
            "simple//",
            "simple//six/",
            "/simple/six/",
            "simple/six//",
            "simple/six/x",
            "simple/six/../six/",
            "simple/../files",
            "files",
            "files/",
            "files/six",
            "files/six/",
            "files//x.zip",
            "files/six/a.zip/",
            "files/six/a/b.zip",
            "pypi/six/json",
            "six/json",
            "Simple/six/",
            "%73imple/six/",
            "legacy/",
        ] {
            assert_eq!(get(path).unwrap_err().status, 404, "{path}");
        }
        assert!(get("simple/").unwrap_err().reason.contains("by its name"));
        assert!(get("simple").unwrap_err().reason.contains("by its name"));
    }

    #[test]
    fn nothing_is_written_here() {
        for path in ["simple/six/", "legacy/", ""] {
            let refusal = ask(&Asked { path, accept: "", user_agent: "twine", is_post: true }).unwrap_err();
            assert_eq!((refusal.status, refusal.reason.contains("read-only")), (405, true), "{path}");
        }
    }

    /// Paths that look like real ones, with what attackers put between.
    fn paths() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[!-~]{0,4}",
            "%[0-9a-fA-F]{2}",
            Just("..".to_owned()),
            Just("%2f".to_owned()),
            Just("%252e".to_owned()),
            Just("/".to_owned()),
            Just("six".to_owned()),
            Just(".whl".to_owned())
        ];
        let start = prop_oneof![Just("simple/"), Just("files/"), Just("files/six/"), Just("")];
        (start, prop::collection::vec(piece, 0..8)).prop_map(|(start, pieces)| format!("{start}{}", pieces.concat()))
    }

    proptest! {
        #[test]
        fn whatever_is_asked_only_harmless_names_come_out(path in paths()) {
            let harmless = |project: &Project| {
                !project.name.is_empty()
                    && names::normalise(&project.name).as_ref() == Some(&project.name)
                    && project.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            };
            match get(&path) {
                Ok(Ask::Index { project, .. }) => prop_assert!(harmless(&project), "{:?}", project),
                Ok(Ask::Artifact { project, file, .. }) => {
                    prop_assert!(harmless(&project) && is_file_name(&file), "{:?} {}", project, file);
                }
                Ok(other) => prop_assert!(false, "{:?}", other),
                Err(refusal) => prop_assert!((400..500).contains(&refusal.status)),
            }
        }
    }
}
