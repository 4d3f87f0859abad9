//! Versions as Python's packaging compares them: two spellings are one version when their keys are equal.
//!
//! Source: <https://packaging.python.org/en/latest/specifications/version-specifiers/>.

/// The longest version taken.
pub(super) const LONGEST: usize = 128;

/// The normal form of a version: `v1.0-Alpha_2` as `1.0a2`. `None` for what is no version.
pub(super) fn normalise(text: &str) -> Option<String> {
    read(text, false)
}

/// What a version is compared by: its normal form, where `1.0` and `1` are one.
pub(super) fn key(text: &str) -> Option<String> {
    read(text, true)
}

/// Spellings of the phases before a release, and their normal ones. Longer spellings first.
const PRE: [(&str, &str); 8] =
    [("preview", "rc"), ("alpha", "a"), ("beta", "b"), ("pre", "rc"), ("rc", "rc"), ("a", "a"), ("b", "b"), ("c", "rc")];
const POST: [(&str, &str); 3] = [("post", ".post"), ("rev", ".post"), ("r", ".post")];
const DEV: [(&str, &str); 1] = [("dev", ".dev")];

fn read(text: &str, short: bool) -> Option<String> {
    if text.len() > LONGEST || !text.is_ascii() {
        return None;
    }
    let text = text.trim().to_ascii_lowercase();
    let (public, local) = text.split_once('+').map_or((&text[..], None), |(public, local)| (public, Some(local)));
    let mut rest = Rest(public.strip_prefix('v').unwrap_or(public));
    let mut normal = String::with_capacity(text.len());

    let mut first = rest.number()?;
    if rest.take("!") {
        if first != "0" {
            normal = format!("{first}!");
        }
        first = rest.number()?;
    }
    let mut release = vec![first];
    while let Some(part) = rest.part() {
        release.push(part);
    }
    while short && release.len() > 1 && release.last() == Some(&"0") {
        release.pop();
    }
    normal += &release.join(".");
    rest.phase(&PRE, &mut normal);
    if let Some(number) = rest.implicit_post() {
        normal.push_str(".post");
        normal.push_str(number);
    } else {
        rest.phase(&POST, &mut normal);
    }
    rest.phase(&DEV, &mut normal);
    if !rest.0.is_empty() {
        return None;
    }
    if let Some(local) = local {
        let mut separator = '+';
        for part in local.split(['-', '_', '.']) {
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return None;
            }
            normal.push(separator);
            normal += if part.bytes().all(|byte| byte.is_ascii_digit()) { short_number(part) } else { part };
            separator = '.';
        }
    }
    Some(normal)
}

/// What is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn take(&mut self, what: &str) -> bool {
        self.0.strip_prefix(what).map(|rest| self.0 = rest).is_some()
    }

    fn number(&mut self) -> Option<&'a str> {
        let end = self.0.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        (!digits.is_empty()).then(|| {
            self.0 = rest;
            short_number(digits)
        })
    }

    /// A further part of the release: a dot and digits.
    fn part(&mut self) -> Option<&'a str> {
        let mut after = Rest(self.0.strip_prefix('.')?);
        let number = after.number()?;
        self.0 = after.0;
        Some(number)
    }

    /// `-1`, which is `.post1`.
    fn implicit_post(&mut self) -> Option<&'a str> {
        let mut after = Rest(self.0.strip_prefix('-')?);
        let number = after.number()?;
        self.0 = after.0;
        Some(number)
    }

    /// A phase, its number and their separators; nothing is taken where there is none.
    fn phase(&mut self, words: &[(&str, &str)], normal: &mut String) {
        let start = self.0.strip_prefix(['-', '_', '.']).unwrap_or(self.0);
        let Some((rest, word)) = words.iter().find_map(|(word, as_word)| Some((start.strip_prefix(word)?, as_word))) else { return };
        *normal += word;
        let mut numbered = Rest(rest.strip_prefix(['-', '_', '.']).unwrap_or(rest));
        if let Some(number) = numbered.number() {
            *normal += number;
            self.0 = numbered.0;
        } else {
            normal.push('0');
            self.0 = rest;
        }
    }
}

/// Without leading zeros.
fn short_number(digits: &str) -> &str {
    match digits.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_version_have_one_form() {
        for (spelling, normal) in [
            ("1.17.0", "1.17.0"),
            ("V1.0", "1.0"),
            ("01.002", "1.2"),
            ("0!1.0", "1.0"),
            ("2!1.0", "2!1.0"),
            ("1.0-Alpha_2", "1.0a2"),
            ("1.0.beta", "1.0b0"),
            ("1.0c1", "1.0rc1"),
            ("1.0preview3", "1.0rc3"),
            ("1.0-1", "1.0.post1"),
            ("1.0r4", "1.0.post4"),
            ("1.0_rev.4", "1.0.post4"),
            ("1.0rc1.post2.dev3", "1.0rc1.post2.dev3"),
            ("1.0dev", "1.0.dev0"),
            ("1.0-1.dev2+Ubuntu_1-01", "1.0.post1.dev2+ubuntu.1.1"),
            ("2024.1.1", "2024.1.1"),
        ] {
            assert_eq!(normalise(spelling).as_deref(), Some(normal), "{spelling}");
            assert_eq!(normalise(normal).as_deref(), Some(normal), "{normal}");
        }
    }

    #[test]
    fn trailing_zeros_make_no_other_version() {
        assert_eq!(key("1.0.0"), key("1"));
        assert_eq!(key("1.0a1"), key("1.a1"));
        assert_eq!(key("0.0"), key("0"));
        assert_ne!(key("1.0.1"), key("1.1"));
        assert_ne!(key("10"), key("1"));
    }

    #[test]
    fn what_is_no_version_is_none() {
        let long = "1".repeat(LONGEST + 1);
        for text in
            ["", "v", "2004d", "x1", "1.0.linux-x86_64", "1.0+", "1.0+a..b", "1.0+ä", "1..0", "1.0-", "1.0 1", "!1", "1!", "-1", &long]
        {
            assert_eq!(normalise(text), None, "{text}");
        }
    }
}
