//! Where tags lead when versions are hidden.
//!
//! A tag whose version is shown stays. `latest` moves to the highest release that is shown and not above the one it
//! named; to a prerelease only if it named one. Any other tag moves within its own line, the same major version
//! for a release, the same word (`beta`, `dev`) for a prerelease, and never up. A version that is not deprecated goes
//! first. Where nothing is left the tag is gone: an error that says so is better than a version nobody meant.

use std::collections::BTreeMap;

use semver::Version;

/// The versions that are shown, by the line that a tag may move in. A lookup is quick: packages have thousands of
/// tags and of versions.
pub struct Lines<'a> {
    shown: &'a BTreeMap<String, bool>,
    lines: BTreeMap<Line, Vec<(Version, &'a str)>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    deprecated: bool,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Releases of a major version.
    Release(u64),
    /// Prereleases of a word: `beta` of `beta.1`, `beta1` and `beta-x`; none of `0`.
    Prerelease(String),
}

impl Kind {
    fn of(version: &Version) -> Self {
        let word = || version.pre.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        if version.pre.is_empty() { Self::Release(version.major) } else { Self::Prerelease(word().to_owned()) }
    }

    const fn is_release(&self) -> bool {
        matches!(self, Self::Release(_))
    }
}

impl<'a> Lines<'a> {
    /// Of the versions that are shown, and whether each is deprecated. What is not semver is in no line.
    pub fn of(shown: &'a BTreeMap<String, bool>) -> Self {
        let mut lines = BTreeMap::<_, Vec<_>>::new();
        for (text, deprecated) in shown {
            if let Ok(version) = Version::parse(text) {
                lines.entry(Line { deprecated: *deprecated, kind: Kind::of(&version) }).or_default().push((version, text.as_str()));
            }
        }
        for line in lines.values_mut() {
            line.sort_by(|(a, _), (b, _)| a.cmp_precedence(b));
        }
        Self { shown, lines }
    }

    /// Where a tag leads that names a version; `None` where it is gone.
    pub fn lead(&self, tag: &str, named: &str) -> Option<String> {
        if self.shown.contains_key(named) {
            return Some(named.to_owned());
        }
        let named = Version::parse(named).ok()?;
        let kind = Kind::of(&named);
        let found = if tag == "latest" {
            self.highest_release_or_not(true, &named).or_else(|| self.highest_release_or_not(false, &named).filter(|_| !kind.is_release()))
        } else {
            [false, true].into_iter().find_map(|deprecated| self.below(&Line { deprecated, kind: kind.clone() }, &named))
        };
        found.map(|(_, text)| (*text).to_owned())
    }

    fn highest_release_or_not(&self, release: bool, named: &Version) -> Option<&(Version, &'a str)> {
        let of = |deprecated| move |line: &&Line| line.kind.is_release() == release && line.deprecated == deprecated;
        let highest = |deprecated| {
            let lines = self.lines.keys().filter(of(deprecated));
            lines.filter_map(|line| self.below(line, named)).max_by(|(a, _), (b, _)| a.cmp_precedence(b))
        };
        highest(false).or_else(|| highest(true))
    }

    /// The highest of a line that is below a version.
    fn below(&self, line: &Line, named: &Version) -> Option<&(Version, &'a str)> {
        let versions = self.lines.get(line)?;
        versions[..versions.partition_point(|(version, _)| version.cmp_precedence(named).is_lt())].last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(versions: &[&str]) -> BTreeMap<String, bool> {
        versions.iter().map(|version| (version.trim_end_matches('!').to_owned(), version.ends_with('!'))).collect()
    }

    #[test]
    fn a_tag_stays_or_moves_down_in_its_line_or_goes() {
        for (tag, named, versions, expected) in [
            ("latest", "2.0.0", &["1.0.0", "2.0.0", "3.0.0"][..], Some("2.0.0")),
            // By precedence, not by text; not above, not to a prerelease.
            ("latest", "2.0.0", &["1.9.0", "1.10.0", "2.0.0-rc.1", "3.0.0"], Some("1.10.0")),
            // Deprecated versions only if there is no other.
            ("latest", "2.0.0", &["1.0.0", "1.1.0!"], Some("1.0.0")),
            ("latest", "2.0.0", &["1.1.0!"], Some("1.1.0")),
            ("latest", "2.0.0", &["2.0.0-rc.1", "2.0.1"], None),
            // A project of prereleases alone.
            ("latest", "1.0.0-beta.10", &["1.0.0-beta.2", "1.0.0-beta.9", "1.0.0-alpha.11"], Some("1.0.0-beta.9")),
            ("latest", "1.0.0-beta.10", &["0.9.0!", "1.0.0-beta.9"], Some("0.9.0")),
            ("legacy", "2.7.0", &["1.0.0", "2.6.9", "2.6.10", "2.7.0-rc.1"], Some("2.6.10")),
            ("legacy", "2.7.0", &["1.0.0", "3.0.0"], None),
            ("next", "6.0.0-dev.20250102", &["6.0.0-dev.20250101", "5.9.0-beta", "6.0.0-insiders.1", "5.8.0"], Some("6.0.0-dev.20250101")),
            ("beta", "1.0.0-beta2", &["1.0.0-beta1", "1.0.0-alpha9"], Some("1.0.0-beta1")),
            ("nightly", "1.0.0-1", &["1.0.0-0", "1.0.0-a"], Some("1.0.0-0")),
            ("latest", "not a version", &["1.0.0"], None),
            ("latest", "2.0.0", &["1.0.0beta", "v1"], None),
            ("latest", "2.0.0", &[], None),
            ("v1", "1.9.0", &["1.1.0", "1.2.0!", "1.0.0!"], Some("1.1.0")),
            ("v1", "1.9.0", &["1.2.0!", "1.10.0"], Some("1.2.0")),
        ] {
            assert_eq!(Lines::of(&shown(versions)).lead(tag, named).as_deref(), expected, "{tag} {named} {versions:?}");
        }
    }
}
