//! TOML as our own failures: the key, the file, the line, the value and the way out.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::failure::{Code, Failure, Result};

/// A key that a file may hold, dotted where it is in a table, and what it takes.
pub(crate) type Key = (&'static str, &'static str);

/// More keys than anyone mistypes; a file made to flood the terminal ends here.
const MOST_LINES: usize = 20;

/// Reads a document that may hold these keys and no other. `origin` is how the file is called in errors.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, origin: &str, keys: &[Key]) -> Result<T> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let file = File { text, origin };
    let document = DeTable::parse(text).map_err(|error| file.syntax(&error))?;
    let mut unknown = Unknown { keys, found: Vec::new() };
    unknown.search(document.get_ref(), "");
    if let Some(failure) = file.unknown_keys(&unknown.found, keys) {
        return Err(failure);
    }
    toml::from_str(text).map_err(|error| file.wrong_value(&error, document.get_ref(), keys))
}

/// Keys of a document that nobody asked for.
struct Unknown<'a> {
    keys: &'a [Key],
    found: Vec<(String, Range<usize>)>,
}

impl Unknown<'_> {
    fn search(&mut self, table: &DeTable<'_>, prefix: &str) {
        for (key, value) in table {
            let path = if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
            if self.keys.iter().any(|(known, _)| *known == path) {
                continue;
            }
            let inner = format!("{path}.");
            let holds_known = self.keys.iter().any(|(known, _)| known.starts_with(&inner));
            match value.get_ref() {
                DeValue::Table(table) if holds_known => self.search(table, &path),
                // A table's name with anything else behind it: the typed reading says what it takes.
                _ if holds_known => {}
                _ => self.found.push((path, key.span())),
            }
        }
    }
}

/// A file as its errors show it.
struct File<'a> {
    text: &'a str,
    origin: &'a str,
}

impl File<'_> {
    fn syntax(&self, error: &toml::de::Error) -> Failure {
        let at = error.span().unwrap_or(0..0);
        let failure = Failure::new(Code::InvalidConfig, format!("{} is not TOML", self.origin));
        self.shown(failure, &at, &format!("{}, {}: {}", self.origin, self.position(&at), error.message()))
            .hint("a setting is written KEY = VALUE, with texts in quotes")
    }

    fn unknown_keys(&self, found: &[(String, Range<usize>)], keys: &[Key]) -> Option<Failure> {
        let (first, _) = found.first()?;
        let mut failure = Failure::new(Code::InvalidConfig, format!("{} has a key that is not known", self.origin));
        for (key, at) in found.iter().take(MOST_LINES) {
            failure = failure.detail(format!("'{}' in {}, {}", shorten(key), self.origin, self.position(at)));
        }
        if found.len() > MOST_LINES {
            failure = failure.detail(format!("and {} more", found.len() - MOST_LINES));
        }
        Some(match nearest(first, keys.iter().map(|(key, _)| *key)) {
            Some(near) => failure.hint(format!("did you mean '{near}'?")),
            None => failure.hint(format!("the keys are {}", keys.iter().map(|(key, _)| *key).collect::<Vec<_>>().join(", "))),
        })
    }

    fn wrong_value(&self, error: &toml::de::Error, document: &DeTable<'_>, keys: &[Key]) -> Failure {
        let at = error.span().unwrap_or(0..0);
        let failure = Failure::new(Code::InvalidConfig, format!("{} has a value that its key does not take", self.origin));
        let key = key_at(document, &at, "");
        let known = key.as_ref().and_then(|key| keys.iter().find(|(known, _)| key == known || key.starts_with(&format!("{known}."))));
        let subject = key.as_ref().map_or_else(String::new, |key| format!("'{}' in ", shorten(key)));
        let failure = self.shown(failure, &at, &format!("{subject}{}, {}: {}", self.origin, self.position(&at), error.message()));
        match known {
            Some((known, takes)) => failure.hint(format!("'{known}' takes {takes}")),
            None => failure,
        }
    }

    /// Adds the line of the file with the place marked under it, as compilers do.
    fn shown(&self, failure: Failure, at: &Range<usize>, what: &str) -> Failure {
        let (line, column) = self.line_and_column(at.start);
        let source = self.text.lines().nth(line).unwrap_or_default();
        // A line that is longer than a terminal is wide shows nothing.
        if source.chars().count() > 100 || source.chars().any(|c| c.is_control() && c != '\t') {
            return failure.detail(what);
        }
        let source = source.replace('\t', " ");
        let number = (line + 1).to_string();
        let width = self.text.get(at.clone()).map_or(1, |text| text.lines().next().unwrap_or_default().chars().count()).max(1);
        let margin = " ".repeat(number.len());
        failure.detail(what).detail(format!("{number} | {source}")).detail(format!(
            "{margin} | {}{}",
            " ".repeat(column),
            "^".repeat(width)
        ))
    }

    fn position(&self, at: &Range<usize>) -> String {
        let (line, column) = self.line_and_column(at.start);
        format!("line {}, column {}", line + 1, column + 1)
    }

    fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        (line, column)
    }
}

/// The dotted key whose value holds this place.
fn key_at(table: &DeTable<'_>, at: &Range<usize>, prefix: &str) -> Option<String> {
    let holds = |span: Range<usize>| span.start <= at.start && at.end <= span.end;
    table.iter().find_map(|(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let path = if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
        let inner = value.get_ref().as_table().and_then(|table| key_at(table, at, &path));
        inner.or_else(|| (holds(value.span()) || holds(key.span())).then_some(path))
    })
}

/// The name that was probably meant: at most a third of its letters away.
pub(super) fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if typed.chars().count() > 64 {
        return None;
    }
    let typed = typed.to_lowercase().replace('-', "_");
    names
        .map(|name| (distance(&typed, &name.replace('-', "_")), name))
        .filter(|(distance, name)| *distance <= name.chars().count().div_ceil(3).min(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Levenshtein's: letters to add, drop or change.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::profile::{KEYS, Profile};

    fn error(text: &str) -> Failure {
        parse::<Profile>(text, "x.toml", &KEYS).unwrap_err()
    }

    #[test]
    fn a_mistyped_key_is_named_with_its_line_and_the_one_that_was_meant() {
        let error = error("memory = '1GiB'\npids-limt = 5\nwhatever = { a = 1 }\n");
        assert_eq!(error.code, Code::InvalidConfig);
        assert_eq!(error.details, ["'pids-limt' in x.toml, line 2, column 1", "'whatever' in x.toml, line 3, column 1"]);
        assert_eq!(error.hint.as_deref(), Some("did you mean 'pids_limit'?"));
    }

    #[test]
    fn a_key_that_resembles_none_lists_what_there_is() {
        assert!(error("privileged = true").hint.unwrap().contains("cap_add, cap_drop, seccomp"));
    }

    #[test]
    fn a_wrong_value_is_shown_where_it_stands_with_what_its_key_takes() {
        let error = error("seccomp = 'strict'\n  pids_limit = \"lots\"\n");
        let expected = ["'pids_limit' in x.toml, line 2, column 16", "2 |   pids_limit = \"lots\"", "  |                ^^^^^^"];
        assert!(error.details[0].starts_with(expected[0]) && error.details[1..] == expected[1..], "{error}");
        assert_eq!(error.hint.as_deref(), Some("'pids_limit' takes a whole number from 16 to 4096, never unlimited"));
    }

    #[test]
    fn every_kind_of_wrong_value_names_its_key() {
        for (text, key) in [
            ("pids_limit = -1", "pids_limit"),
            ("pids_limit = 1.5", "pids_limit"),
            ("memory = 'much'", "memory"),
            ("memory = [1]", "memory"),
            ("cpus = -1", "cpus"),
            ("cap_add = ['CHOWN', 'ROOT']", "cap_add"),
            ("cap_add = 'CHOWN'", "cap_add"),
            ("seccomp = 'unconfined'", "seccomp"),
            ("network = 'host'", "network"),
            ("read_only_rootfs = 'yes'", "read_only_rootfs"),
            ("timeout = 'soon'", "timeout"),
            ("env = { A = 1 }", "env.A"),
            ("[env]\nA = 1", "env.A"),
            ("env = 'A=1'", "env"),
            ("description = 1979-05-27", "description"),
        ] {
            let error = error(text);
            assert!(error.details[0].starts_with(&format!("'{key}' in x.toml, line ")), "{text}: {error}");
            assert!(error.hint.as_deref().unwrap_or_default().contains(&format!("'{}' takes", key.split('.').next().unwrap())), "{error}");
        }
    }

    #[test]
    fn what_is_not_toml_is_shown_with_its_line() {
        for text in ["pids_limit = ", "= 1", "a b", "[x", "memory = '1GiB\n", "pids_limit = 1\npids_limit = 2", "\u{1b}[2J = 1", "x\0 = 1"]
        {
            let shown = error(text).to_string();
            assert!(shown.contains("x.toml, line ") && !shown.contains('\u{1b}') && !shown.contains('\0'), "{shown:?}");
        }
        assert_eq!(parse::<Profile>("\u{feff}", "x.toml", &KEYS).unwrap(), Profile::default());
    }

    #[test]
    fn a_file_made_to_exhaust_the_reader_is_an_error_like_any_other() {
        let deep = |piece: &str| piece.repeat((64 << 10) / piece.len() - 8);
        for text in [
            format!("{}x = 1", deep("a.")),
            format!("[{}x]", deep("a.")),
            format!("env = {}", deep("[")),
            format!("env = {}", deep("{a=")),
            format!("env.{}x = 1", deep("a.")),
            deep("[[a]]\n"),
            deep("a=1\n"),
            format!("memory = '{}'", deep("9")),
        ] {
            assert_eq!(error(&text).code, Code::InvalidConfig);
        }
    }

    #[test]
    fn a_flood_of_unknown_keys_is_cut_short() {
        let text = (0..5000).map(|n| format!("k{n} = 1")).collect::<Vec<_>>().join("\n");
        let details = error(&text).details;
        assert_eq!((details.len(), details[20].as_str()), (21, "and 4980 more"));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 1024, failure_persistence: None, ..Default::default() })]

        #[test]
        fn no_text_at_all_breaks_the_reader(text in "([a-c=\\[\\]{}'\"#.,0-9\n\r\t é\u{1b}\u{202e}]|memory|env|cap_add|timeout){0,40}") {
            if let Err(error) = parse::<Profile>(&text, "x.toml", &KEYS) {
                proptest::prop_assert!(!error.details.is_empty());
                let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
                proptest::prop_assert!(!error.to_string().chars().any(acts));
            }
        }
    }

    #[test]
    fn the_list_of_keys_is_the_list_of_fields() {
        let whole = include_str!("../../config/profiles/default.toml").to_owned();
        let mut profile: Profile = toml::from_str(&whole).unwrap();
        (profile.base, profile.cap_drop) = (Some(String::new()), Some(Vec::new()));
        let mut table = toml::Table::try_from(&profile).unwrap();
        let mut fields = Vec::new();
        for name in ["terminal", "disk"] {
            let Some(toml::Value::Table(inner)) = table.remove(name) else { panic!("a table of its own") };
            fields.extend(inner.keys().map(|key| format!("{name}.{key}")));
        }
        fields.extend(table.keys().cloned());
        let mut keys: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
        fields.sort_unstable();
        keys.sort_unstable();
        assert_eq!(fields, keys);
    }
}
