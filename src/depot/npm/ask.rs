//! What a path asks for. A name and a file come out proved, or a reason does: nothing of a path is used otherwise.

use super::{ABBREVIATED, ABBREVIATED_LOCAL, FULL, FULL_LOCAL, INSTALL, JSON, name};
use crate::depot::adapter::{Ask, Asked, Form, Refusal};
use crate::depot::names::{Project, is_file_name};
use crate::depot::promise::Ecosystem;

/// Where npm sends what it has installed, to hear of advisories.
pub const BULK_AUDIT: &str = "-/npm/v1/security/advisories/bulk";
/// A tarball's type: registries say this, and a client unpacks it itself.
const TARBALL: &str = "application/octet-stream";

/// What a request asks for, or why it is refused.
pub fn ask(request: &Asked<'_>) -> Result<Ask, Refusal> {
    let (path, query) = request.path.split_once('?').map_or((request.path, ""), |(path, query)| (path, query));
    if path == BULK_AUDIT {
        return if request.is_post { Ok(Ask::Query { path: BULK_AUDIT }) } else { Err(not_allowed("Advisories are asked for with POST.")) };
    }
    if request.is_post {
        return Err(not_allowed("The depot only reads: nothing is published, tagged or logged in to through it."));
    }
    if let Some(own) = path.strip_prefix("-/") {
        return registry(own);
    }
    if !query.is_empty() {
        return Err(Refusal::not_found("The depot takes no query: npm sends one when it is about to change a package."));
    }
    let Some((project, rest)) = name::from_path(below_another_registry(path)) else {
        return Err(Refusal::not_found("That is not the name of an npm package."));
    };
    match rest {
        None => Ok(Ask::Index { project, form: form(request) }),
        Some(rest) => match rest.strip_prefix("-/").map(file) {
            Some(Some(file)) => Ok(Ask::Artifact { project, file, media_type: TARBALL }),
            Some(None) => Err(Refusal::not_found("That is not the name of a tarball.")),
            None => Err(Refusal::not_found(format!(
                "The depot serves a package's document and its tarballs, not single versions: ask for {}.",
                project.name
            ))),
        },
    }
}

/// Whether a tarball's path, below whichever registry, leads to that very file when it is asked for here.
pub fn leads_to(path: &str, project: &Project, file: &str) -> bool {
    let path = path.strip_prefix('/').unwrap_or(path);
    // The first segment is the ecosystem where it names one.
    let of_another = path.split_once('/').is_some_and(|(first, _)| first == Ecosystem::Pypi.name());
    let path = path.split_once('/').filter(|(first, _)| *first == Ecosystem::Npm.name()).map_or(path, |(_, rest)| rest);
    let asked = ask(&Asked { path, accept: "", user_agent: "", is_post: false });
    !of_another && matches!(asked, Ok(Ask::Artifact { project: found, file: named, .. }) if found == *project && named == file)
}

/// A tarball's path without the path of the registry that a lock file names: npm puts this registry's host into that address
/// and keeps the rest. What is left is a name like any other, whose promise is looked up here.
fn below_another_registry(path: &str) -> &str {
    let Some(end) = path.find("/-/") else { return path };
    let is_scope = |segment: &str| segment.starts_with('@') || segment.get(..3).is_some_and(|start| start == "%40");
    let mut start = path[..end].rfind('/').map_or(0, |at| at + 1);
    if start > 0 {
        let before = path[..start - 1].rfind('/').map_or(0, |at| at + 1);
        if is_scope(&path[before..start - 1]) {
            start = before;
        }
    }
    let is_plain = |segment: &str| {
        segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte)) && segment.bytes().any(|byte| byte != b'.')
    };
    let above = path[..start].strip_suffix('/');
    if above.is_some_and(|above| above.split('/').all(is_plain)) { &path[start..] } else { path }
}

/// What stands below `-/`, where no package is.
fn registry(own: &str) -> Result<Ask, Refusal> {
    if own == "ping" {
        return Ok(Ask::Local { body: "{}", media_type: JSON });
    }
    // To send a tarball of the package `npm` to a registry whose path is `/npm/`, npm keeps the tarball's own path,
    // `/npm/-/npm-11.0.0.tgz`: it takes the name of the package for the registry's path.
    if let (Some(project), Some(file)) = (name::project("npm"), file(own))
        && file.starts_with("npm-")
    {
        return Ok(Ask::Artifact { project, file, media_type: TARBALL });
    }
    Err(match own {
        // npm's own registry has retired them. What they take, a whole lock file, says more than an answer needs.
        "npm/v1/security/audits" | "npm/v1/security/audits/quick" => {
            Refusal { status: 410, reason: format!("This audit is retired, also by the public registry: newer clients use {BULK_AUDIT}.") }
        }
        "npm/v1/keys" => Refusal::not_found("The depot has no signing keys: signatures cannot be audited through it."),
        "v1/search" | "all" => Refusal::not_found("The depot does not search: it serves packages by name."),
        _ if own.starts_with("package/") => Refusal::not_found("The depot serves tags in a package's document alone."),
        _ if ["whoami", "user/", "v1/login", "npm/v1/user", "npm/v1/tokens", "org/", "team/"]
            .iter()
            .any(|place| own.starts_with(place)) =>
        {
            Refusal::forbidden("The depot has no accounts: it only reads, and its credentials stay outside the sandbox.")
        }
        _ => Refusal::not_found("The depot serves packages, tarballs and advisories; there is nothing else here."),
    })
}

/// npm keeps the registry's own addresses: it sends them to the registry that it is configured for, and writes them
/// into lock files, which so stay portable. Every other client takes an address as it is.
fn form(request: &Asked<'_>) -> Form {
    let abbreviated = request.accept.split(',').any(|range| {
        let media_type = range.split(';').next().unwrap_or_default();
        media_type.trim().eq_ignore_ascii_case(INSTALL)
    });
    match (abbreviated, request.user_agent.starts_with("npm/")) {
        (true, true) => ABBREVIATED,
        (true, false) => ABBREVIATED_LOCAL,
        (false, true) => FULL,
        (false, false) => FULL_LOCAL,
    }
}

/// A file's name, percent-decoded once.
fn file(encoded: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8().ok()?;
    is_file_name(&decoded).then(|| decoded.into_owned())
}

fn not_allowed(reason: &str) -> Refusal {
    Refusal { status: 405, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn get(path: &str) -> Result<Ask, Refusal> {
        ask(&Asked { path, accept: "", user_agent: "", is_post: false })
    }

    fn post(path: &str) -> Result<Ask, Refusal> {
        ask(&Asked { path, accept: "", user_agent: "", is_post: true })
    }

    fn artifact(path: &str) -> (String, String) {
        match get(path) {
            Ok(Ask::Artifact { project, file, media_type: TARBALL }) => (project.name, file),
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn each_client_gets_the_form_that_it_can_use() {
        let install = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";
        for (user_agent, accept, expected) in [
            ("npm/12.2.0 node/v24.21.0 linux x64 workspaces/false", install, "abbreviated"),
            ("npm/9.2.0 node/v20.0.0 linux x64", "application/json", "full"),
            ("pnpm/9.0.0 npm/? node/v24.1.0 linux x64", install, "abbreviated-local"),
            ("yarn/1.22.22 npm/? node/v24 linux x64", install, "abbreviated-local"),
            ("yarn/4.5.0 npm/? node/v24.1.0 linux x64", "*/*", "full-local"),
            ("Bun/1.2.0", "APPLICATION/VND.NPM.INSTALL-V1+JSON;q=1", "abbreviated-local"),
            ("curl/8.14.1", "*/*", "full-local"),
            ("", "application/vnd.npm.install-v1+jsonx", "full-local"),
        ] {
            let asked = ask(&Asked { path: "@types%2fnode", accept, user_agent, is_post: false }).unwrap();
            assert_eq!(asked, Ask::Index { project: name::project("@types/node").unwrap(), form: Form(expected) }, "{user_agent}");
        }
    }

    #[test]
    fn a_lock_file_may_name_a_registry_with_a_path_of_its_own() {
        assert_eq!(artifact("api/npm/mirror/express/-/express-4.18.2.tgz"), ("express".into(), "express-4.18.2.tgz".into()));
        for scoped in ["api/npm/@types/node/-/node-1.0.0.tgz", "api/npm/@types%2fnode/-/node-1.0.0.tgz"] {
            assert_eq!(artifact(scoped), ("@types/node".into(), "node-1.0.0.tgz".into()));
        }
        for odd in ["%2e%2e/express/-/express-4.18.2.tgz", "a//express/-/x-1.tgz", "a/@b/../c/-/x-1.tgz", "../express/-/express-4.18.2.tgz"]
        {
            assert!(get(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn tarballs_are_found_in_every_spelling_of_a_scope() {
        assert_eq!(artifact("express/-/express-4.18.2.tgz"), ("express".into(), "express-4.18.2.tgz".into()));
        for path in ["@types/node/-/node-1.0.0.tgz", "@types%2fnode/-/node-1.0.0.tgz", "%40types%2Fnode/-/node%2D1.0.0.tgz"] {
            assert_eq!(artifact(path), ("@types/node".into(), "node-1.0.0.tgz".into()));
        }
        assert_eq!(artifact("x/-/x-1.0.0%2Bb.tgz").1, "x-1.0.0+b.tgz");
        assert_eq!(artifact("npm/-/npm-11.0.0.tgz"), artifact("-/npm-11.0.0.tgz"));
    }

    #[test]
    fn hostile_files_are_refused() {
        for file in [
            "",
            ".",
            "..",
            "%2e%2e",
            "../x.tgz",
            "..%2fx.tgz",
            "a/b.tgz",
            "a%2fb.tgz",
            "a%5cb.tgz",
            "%00",
            "a%0d%0ab",
            "a%250d",
            "a%252fb",
            "a%ff",
            "a b",
            ".hidden",
            "a%20b",
            "-/x.tgz/",
        ] {
            let refusal = get(&format!("express/-/{file}")).unwrap_err();
            assert_eq!(refusal.status, 404, "{file}");
        }
    }

    #[test]
    fn what_is_not_served_says_so() {
        for (path, status, word) in [
            ("", 404, "name"),
            ("express/4.18.2", 404, "ask for express"),
            ("express/latest", 404, "ask for express"),
            ("express/", 404, "ask for express"),
            ("express?write=true", 404, "query"),
            ("-/package/express/dist-tags", 404, "tags"),
            ("-/npm/v1/keys", 404, "keys"),
            ("-/v1/search?text=x", 404, "search"),
            ("-/whoami", 403, "accounts"),
            ("-/user/org.couchdb.user:me", 403, "accounts"),
            ("-/npm/v1/security/audits/quick", 410, "bulk"),
            ("-/../express", 404, "nothing else"),
            ("-/npmx-1.0.0.tgz", 404, "nothing else"),
            (BULK_AUDIT, 405, "POST"),
        ] {
            let refusal = get(path).unwrap_err();
            assert_eq!(refusal.status, status, "{path}");
            assert!(refusal.reason.contains(word), "{path}: {}", refusal.reason);
        }
    }

    #[test]
    fn the_one_query_is_the_bulk_audit() {
        assert_eq!(post(BULK_AUDIT), Ok(Ask::Query { path: BULK_AUDIT }));
        for path in ["express", "-/ping", "-/npm/v1/security/audits", "-/npm/v1/security/advisories/bulk/", "-/v1/login"] {
            assert_eq!(post(path).unwrap_err().status, 405, "{path}");
        }
        assert_eq!(get("-/ping?write=true"), Ok(Ask::Local { body: "{}", media_type: JSON }));
    }

    proptest! {
        #[test]
        fn no_path_yields_a_harmful_name_or_file(path in "([a-z@/%.~?#\\\\-]|%2[fFeE5]|%40|%0[0adAD]|%5c|\\.\\./|/-/|[!-~]){0,40}") {
            if let Ok(Ask::Index { project, .. } | Ask::Artifact { project, .. }) = get(&path) {
                let again = name::project(&project.name);
                prop_assert_eq!(again.as_ref(), Some(&project));
                prop_assert!(!project.name.split('/').any(|word| word.starts_with('.')));
            }
            if let Ok(Ask::Artifact { file, .. }) = get(&path) {
                prop_assert!(is_file_name(&file));
            }
        }
    }
}
