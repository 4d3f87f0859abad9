//! The name of a package as an operator writes it, in its ecosystem's one spelling.
//!
//! Two spellings of one name must not be two names: a list that leaves `Foo.Bar` alone leaves `foo-bar` alone.

use std::collections::BTreeSet;

use crate::units::{ParseError, sanitise};

/// Bytes that all names of one list may take: they travel in the line that opens each connection to the depot.
pub const LONGEST_LIST: usize = 2048;
/// The longest name that registries allow.
const LONGEST: usize = 214;

/// What a text names: `NAME` in every ecosystem that has such names, `pypi:NAME` and `npm:NAME` in one. Each is
/// `ECOSYSTEM:NAME`.
pub fn parse(text: &str) -> Result<BTreeSet<String>, ParseError> {
    let pypi = |name: &str| pypi_name(name).map(|name| format!("pypi:{name}"));
    let npm = |name: &str| npm_name(name).map(|name| format!("npm:{name}"));
    let named: BTreeSet<String> = match text.split_once(':') {
        Some(("pypi", name)) => pypi(name).into_iter().collect(),
        Some(("npm", name)) => npm(name).into_iter().collect(),
        Some(_) => BTreeSet::new(),
        None => [pypi(text), npm(text)].into_iter().flatten().collect(),
    };
    if named.is_empty() {
        let shown: String = text.chars().take(80).collect();
        return Err(ParseError(format!(
            "'{}' is not a package's name: give one such as requests, pypi:requests or npm:@scope/name",
            sanitise(&shown)
        )));
    }
    Ok(named)
}

/// Everything that a list names; what is no name is left out.
pub(super) fn identities<'a>(names: impl IntoIterator<Item = &'a String>) -> BTreeSet<String> {
    names.into_iter().flat_map(|name| parse(name).unwrap_or_default()).collect()
}

/// A Python project's name with its letters small and each run of `-`, `_` and `.` as one `-`.
pub fn pypi_name(name: &str) -> Option<String> {
    let ends = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let is_name = is_short(name)
        && ends(name.bytes().next())
        && ends(name.bytes().last())
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c));
    is_name.then(|| one_spelling(name))
}

/// The letters of a Python name, or of its beginning, in their one spelling.
pub fn one_spelling(name: &str) -> String {
    let mut spelled = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if spelled.ends_with('-') => {}
            '-' | '_' | '.' => spelled.push('-'),
            c => spelled.push(c.to_ascii_lowercase()),
        }
    }
    spelled
}

/// A Node package's name, with its scope where it has one. Old ones have capitals, so letters stay as they are.
pub fn npm_name(name: &str) -> Option<&str> {
    let is_name = match name.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| is_npm_part(scope) && is_npm_part(name)),
        None => is_npm_part(name),
    };
    (is_short(name) && is_name).then_some(name)
}

/// A scope without its `@`, or a name without its scope.
pub fn is_npm_part(part: &str) -> bool {
    !part.is_empty() && !part.starts_with(['.', '_']) && part.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.~".contains(&c))
}

fn is_short(name: &str) -> bool {
    name.len() <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        parse(text).unwrap().into_iter().collect()
    }

    #[test]
    fn a_name_alone_is_a_package_of_either_ecosystem_in_its_one_spelling() {
        assert_eq!(named("left-pad"), ["npm:left-pad", "pypi:left-pad"]);
        assert_eq!(named("Foo.__Bar"), ["npm:Foo.__Bar", "pypi:foo-bar"]);
        assert_eq!(named("@scope/x.y"), ["npm:@scope/x.y"]);
        assert_eq!(
            (named("pypi:Zope.Interface"), named("npm:JSONStream")),
            (vec!["pypi:zope-interface".to_owned()], vec!["npm:JSONStream".to_owned()])
        );
    }

    #[test]
    fn what_is_no_name_in_its_ecosystem_is_refused() {
        let long = "x".repeat(215);
        for text in [
            "",
            ":",
            "pypi:",
            "npm:",
            "crates:serde",
            "a b",
            "pypi:-x",
            "pypi:x.",
            "pypi:@s/x",
            "npm:../x",
            "npm:@s",
            "npm:@/x",
            "npm:@s/",
            "npm:@s/x/y",
            "npm:_x",
            "é",
            "a\nb",
            "a*",
            long.as_str(),
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
