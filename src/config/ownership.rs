//! Names that a private registry owns: looked up there and in no other, so that nobody can publish them elsewhere.

use crate::policy::package::{is_npm_part, npm_name, one_spelling, pypi_name};

/// Whose names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Python's: `corp-tool`, `corp-*`.
    Pypi,
    /// Node's: `corp-tool`, `corp-*`, `@corp/*`.
    Npm,
}

impl Names {
    /// A name or a beginning with `*` after it, in its one spelling; `None` for anything else. A `*` alone owns all.
    pub(super) fn pattern(self, text: &str) -> Option<String> {
        let Some(prefix) = text.strip_suffix('*') else {
            return match self {
                Self::Pypi => pypi_name(text),
                Self::Npm => npm_name(text).map(str::to_owned),
            };
        };
        let is_prefix = match self {
            _ if prefix.is_empty() => true,
            Self::Pypi => {
                prefix.starts_with(|c: char| c.is_ascii_alphanumeric())
                    && prefix.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c))
            }
            // A whole scope: the beginning of one is the beginning of a stranger's too.
            Self::Npm => match prefix.strip_prefix('@') {
                Some(scoped) => {
                    scoped.split_once('/').is_some_and(|(scope, name)| is_npm_part(scope) && (name.is_empty() || is_npm_part(name)))
                }
                None => is_npm_part(prefix),
            },
        };
        let spelled = match self {
            Self::Pypi => one_spelling(prefix),
            Self::Npm => prefix.to_owned(),
        };
        is_prefix.then(|| spelled + "*")
    }
}

/// Two patterns of different owners that have a name in common.
pub(super) fn overlapping<'a>(owners: impl Iterator<Item = &'a [String]>) -> Option<(&'a str, &'a str)> {
    let mut earlier: Vec<&str> = Vec::new();
    for owner in owners {
        for pattern in owner {
            if let Some(other) = earlier.iter().find(|other| overlap(pattern, other)) {
                return Some((other, pattern));
            }
        }
        earlier.extend(owner.iter().map(String::as_str));
    }
    None
}

fn overlap(one: &str, other: &str) -> bool {
    match (one.strip_suffix('*'), other.strip_suffix('*')) {
        (Some(one), Some(other)) => one.starts_with(other) || other.starts_with(one),
        (Some(prefix), None) => other.starts_with(prefix),
        (None, Some(prefix)) => one.starts_with(prefix),
        (None, None) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_name_or_a_beginning_in_its_one_spelling() {
        for (text, spelled) in [("Corp.Tool", "corp-tool"), ("corp_*", "corp-*"), ("corp-_*", "corp-*"), ("corp*", "corp*"), ("*", "*")] {
            assert_eq!(Names::Pypi.pattern(text).as_deref(), Some(spelled), "{text}");
        }
        for text in ["corp-tool", "corp-*", "@corp/*", "@corp/tool", "@corp/tool-*", "*"] {
            assert_eq!(Names::Npm.pattern(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_star_stands_at_the_end_alone_and_a_scope_is_whole() {
        for text in ["", "*corp", "co*rp", "corp**", "-*", "corp/*", "@corp/*", "a b*"] {
            assert_eq!(Names::Pypi.pattern(text), None, "{text}");
        }
        for text in ["", "*corp", "@corp*", "@*", "@/*", "@corp", "corp/*", "@corp/a/*", "_x*", "../*"] {
            assert_eq!(Names::Npm.pattern(text), None, "{text}");
        }
    }

    #[test]
    fn two_owners_of_one_name_are_found() {
        let owners = |lists: &[&[&str]]| {
            let lists: Vec<Vec<String>> = lists.iter().map(|list| list.iter().map(|text| (*text).to_owned()).collect()).collect();
            overlapping(lists.iter().map(Vec::as_slice)).map(|(one, other)| format!("{one} {other}"))
        };
        assert_eq!(owners(&[&["a-*"], &["b", "a-tool"]]).as_deref(), Some("a-* a-tool"));
        assert_eq!(owners(&[&["a-tool"], &["a-*"]]).as_deref(), Some("a-tool a-*"));
        assert_eq!(owners(&[&["a-*"], &["a-b-*"]]).as_deref(), Some("a-* a-b-*"));
        assert_eq!(owners(&[&["*"], &["x"]]).as_deref(), Some("* x"));
        assert_eq!(owners(&[&["a-*", "a-b"], &["b", "@a/*"], &[]]), None);
    }
}
