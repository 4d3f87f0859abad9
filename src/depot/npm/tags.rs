//! Where tags lead when versions are hidden.
//!
//! A tag whose version is shown stays. `latest` moves to the highest release that is shown and not above the one it
//! named; to a prerelease only if it named one. Any other tag moves within its own line, the same major version
//! for a release, the same word (`beta`, `dev`) for a prerelease, and never up. A version that is not deprecated goes
//! first. Where nothing is left the tag is gone: an error that says so is better than a version nobody meant.

use std::collections::BTreeMap;

use semver::{Prerelease, Version};

/// Where a tag leads, given the versions that are shown and whether each is deprecated.
pub fn lead(tag: &str, named: &str, shown: &BTreeMap<String, bool>) -> Option<String> {
    if shown.contains_key(named) {
        return Some(named.to_owned());
    }
    let named = Version::parse(named).ok()?;
    let below = shown.iter().filter_map(|(text, deprecated)| {
        let version = Version::parse(text).ok()?;
        version.cmp_precedence(&named).is_lt().then_some((version, text, !deprecated))
    });
    let best = if tag == "latest" {
        // Any prerelease is behind every release.
        below
            .filter(|(version, ..)| version.pre.is_empty() || !named.pre.is_empty())
            .max_by(|(a, _, a_kept), (b, _, b_kept)| (a.pre.is_empty(), a_kept).cmp(&(b.pre.is_empty(), b_kept)).then(a.cmp_precedence(b)))
    } else {
        below
            .filter(|(version, ..)| is_of_line(version, &named))
            .max_by(|(a, _, a_kept), (b, _, b_kept)| a_kept.cmp(b_kept).then(a.cmp_precedence(b)))
    };
    best.map(|(_, text, _)| text.clone())
}

fn is_of_line(version: &Version, named: &Version) -> bool {
    let same_kind = version.pre.is_empty() == named.pre.is_empty();
    same_kind && if named.pre.is_empty() { version.major == named.major } else { word(&version.pre) == word(&named.pre) }
}

/// `beta` of `beta.1`, `beta1` and `beta-x`; nothing of `0`.
fn word(prerelease: &Prerelease) -> &str {
    prerelease.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default()
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
        ] {
            assert_eq!(lead(tag, named, &shown(versions)).as_deref(), expected, "{tag} {named} {versions:?}");
        }
    }
}
