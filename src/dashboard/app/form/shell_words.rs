//! Words as a shell would read them, and how a word is written so that a shell reads it back.
//!
//! There is no shell: quotes and backslashes are taken as `sh` takes them, and what a shell would act on
//! (`|`, `$NAME`, `>`) must be quoted, so that nobody believes that it does something.

use std::iter::Peekable;
use std::str::Chars;

use crate::units::ParseError;

/// What ends a command or sends its output elsewhere in a shell.
const OPERATORS: &str = "|&;<>()`";
/// What a shell passes on as it is, wherever it stands in a word.
const PLAIN: &str = "_-./:=@%+,";

/// The words of a line. Blanks part them; `'…'`, `"…"` and `\` quote as they do in `sh`.
pub fn split(line: &str) -> Result<Vec<String>, ParseError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => single(&mut rest, word.get_or_insert_default())?,
            '"' => double(&mut rest, word.get_or_insert_default())?,
            '\\' => match rest.next() {
                Some(escaped) => word.get_or_insert_default().push(escaped),
                None => return Err(ParseError("a '\\' at the end has nothing to quote".to_owned())),
            },
            c if OPERATORS.contains(c) || is_expansion(c, rest.peek().copied()) => return Err(no_shell(c)),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn single(rest: &mut Peekable<Chars<'_>>, word: &mut String) -> Result<(), ParseError> {
    for c in rest.by_ref() {
        if c == '\'' {
            return Ok(());
        }
        word.push(c);
    }
    Err(unclosed('\''))
}

fn double(rest: &mut Peekable<Chars<'_>>, word: &mut String) -> Result<(), ParseError> {
    while let Some(c) = rest.next() {
        match c {
            '"' => return Ok(()),
            // Before any other character a backslash stays what it is.
            '\\' => match rest.peek() {
                Some('"' | '\\' | '$' | '`') => word.extend(rest.next()),
                _ => word.push('\\'),
            },
            c if c == '`' || is_expansion(c, rest.peek().copied()) => return Err(no_shell(c)),
            c => word.push(c),
        }
    }
    Err(unclosed('"'))
}

/// Whether a shell would put something else in its place.
fn is_expansion(c: char, next: Option<char>) -> bool {
    c == '$' && next.is_some_and(|next| next.is_ascii_alphanumeric() || "_{(?#@*!$-".contains(next))
}

fn unclosed(quote: char) -> ParseError {
    ParseError(format!("a {quote} is not closed"))
}

fn no_shell(c: char) -> ParseError {
    ParseError(format!("no shell reads this: quote the {c}, or run sh -c '…'"))
}

/// A word, quoted where a shell would not pass it on as it is.
pub fn quote(word: &str) -> String {
    if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || PLAIN.contains(c)) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A line that [`split`], and any shell, reads back as these words.
pub fn join<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> String {
    words.into_iter().map(|word| quote(word.as_ref())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_and_backslashes_are_taken_as_a_shell_takes_them() {
        for (line, words) in [
            ("", &[][..]),
            ("  a  b\tc ", &["a", "b", "c"]),
            ("python3 -c 'print(6*7)'", &["python3", "-c", "print(6*7)"]),
            (r#"sh -c "echo \"a b\" \\ \x \$HOME""#, &["sh", "-c", r#"echo "a b" \ \x $HOME"#]),
            (r"a\ b \'c \\", &["a b", "'c", "\\"]),
            ("'' \"\" a''b", &["", "", "ab"]),
            ("pip install 'a>=1' b[x] c~=2 5$ #d \"6$\"", &["pip", "install", "a>=1", "b[x]", "c~=2", "5$", "#d", "6$"]),
            ("'$HOME | x'", &["$HOME | x"]),
        ] {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
    }

    #[test]
    fn what_only_a_shell_could_do_is_refused_rather_than_passed_on() {
        for line in ["a | b", "a && b", "a > b", "a; b", "$HOME", "\"$HOME\"", "${A}", "\"`id`\"", "$(id)", "(a)", "a &"] {
            assert!(split(line).unwrap_err().to_string().contains("no shell reads this"), "{line}");
        }
        for line in ["'a", "\"a", "a\\", "\"a\\\""] {
            assert!(split(line).is_err(), "{line}");
        }
    }

    #[test]
    fn only_what_needs_quotes_gets_them() {
        assert_eq!(join(["palisade", "A=1", "a b", "it's", "", "~/x"]), r"palisade A=1 'a b' 'it'\''s' '' '~/x'");
    }

    proptest! {
        #[test]
        fn what_is_joined_splits_into_the_same_words(words in prop::collection::vec(any::<String>(), 0..6)) {
            prop_assert_eq!(split(&join(&words)).unwrap(), words);
        }

        #[test]
        fn no_line_is_too_odd_to_be_read(line in any::<String>()) {
            let _ = split(&line);
        }
    }
}
