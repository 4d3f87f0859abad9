//! npm's names of packages. What passes here is harmless in an address, a key and a document.
//!
//! Source: <https://docs.npmjs.com/cli/configuring-npm/package-json#name> and npm's `validate-npm-package-name`:
//! what is valid for packages of any age, without the five characters `!'()*` that only a handful of long-dead ones have.

use crate::depot::names::{LONGEST_PROJECT, Project};
use crate::depot::promise::Ecosystem;

/// The project of a name, its scope's slash plain: `@types/node`. Case matters: `JSONStream` and `jsonstream` are two.
pub fn project(name: &str) -> Option<Project> {
    let valid = name.len() <= LONGEST_PROJECT
        && match name.strip_prefix('@') {
            // A package called `-` would make `@scope/-/x` mean two things.
            Some(scoped) => scoped.split_once('/').is_some_and(|(scope, own)| is_word(scope) && is_word(own) && own != "-"),
            None => is_word(name) && !name.starts_with(['-', '_']),
        };
    valid.then(|| Project { ecosystem: Ecosystem::Npm, name: name.to_owned() })
}

/// The project that a path begins with, and what follows it after a slash. A scope's slash may be encoded or plain.
pub fn from_path(path: &str) -> Option<(Project, Option<&str>)> {
    let (first, rest) = split(path);
    let first = decode(first)?;
    if !first.starts_with('@') || first.contains('/') {
        return Some((project(&first)?, rest));
    }
    let (second, rest) = split(rest?);
    Some((project(&format!("{first}/{}", decode(second)?))?, rest))
}

fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)))
}

/// Percent-decoded, once; `None` if there is anything that no name has, encoded or not.
fn decode(segment: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(segment).decode_utf8().ok()?;
    decoded.bytes().all(|byte| is_of_a_name(byte) || matches!(byte, b'@' | b'/')).then(|| decoded.into_owned())
}

fn is_word(word: &str) -> bool {
    !word.is_empty()
        && !word.starts_with('.')
        && word.bytes().all(is_of_a_name)
        && !["node_modules", "favicon.ico"].iter().any(|reserved| word.eq_ignore_ascii_case(reserved))
}

const fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_age_are_taken_as_they_are() {
        for name in
            ["express", "a", "JSONStream", "lodash.merge", "left-pad", "is_js", "@types/node", "@a/_b", "@babel/core", "@~1/x~", "3d"]
        {
            assert_eq!(project(name).unwrap().name, name);
        }
        assert_ne!(project("JSONStream"), project("jsonstream"));
        assert!(project(&"x".repeat(214)).is_some());
    }

    #[test]
    fn what_is_no_name_is_none() {
        for name in [
            "",
            ".",
            "..",
            ".x",
            "_x",
            "-",
            "-x",
            "@",
            "@/",
            "@a",
            "@a/",
            "@/b",
            "@a/.b",
            "@a/..",
            "@../b",
            "@.a/b",
            "@a/-",
            "@a/b/c",
            "a/b",
            "@@a/b",
            "a@b",
            "@a/@b",
            "node_modules",
            "Node_Modules",
            "favicon.ico",
            "@a/node_modules",
            "a b",
            "a%2f",
            "a\\b",
            "a:b",
            "a?b",
            "a#b",
            "a\r\nb",
            "a\0",
            "ä",
            "x!",
            "(x)",
            "a*",
            "https://x",
            &"x".repeat(215),
            &format!("@{}/y", "x".repeat(213)),
        ] {
            assert_eq!(project(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_path_s_name_may_be_encoded_in_its_legal_characters_alone() {
        for (path, name, rest) in [
            ("express", "express", None),
            ("express/-/x.tgz", "express", Some("-/x.tgz")),
            ("%65xpress/4", "express", Some("4")),
            ("@types/node", "@types/node", None),
            ("@types%2fnode", "@types/node", None),
            ("@types%2Fnode/-/x", "@types/node", Some("-/x")),
            ("%40types%2fnode", "@types/node", None),
            ("%40types/node/", "@types/node", Some("")),
        ] {
            let (project, found) = from_path(path).unwrap();
            assert_eq!((project.name.as_str(), found), (name, rest), "{path}");
        }
        for path in [
            "",
            "/",
            "//x",
            "%2e%2e/x",
            "..%2fx",
            "express%2f..",
            "@a%252fb",
            "@a%2f%2fb",
            "@a%2fb%2fc",
            "@a/b%2fc",
            "@a/%2fb",
            "@a%2f..",
            "@a%5cb",
            "a%00",
            "a%0d%0ab",
            "a%20b",
            "a%c3%a4",
            "a%ff",
            "a%",
            "a%2",
            "a%zz",
            "@a",
            "@a%2f",
            "@%2fb",
            "@a//b",
        ] {
            assert_eq!(from_path(path), None, "{path}");
        }
    }
}
