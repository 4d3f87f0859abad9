//! What any text is before it reaches a cell: nothing in it acts on a terminal, and its columns are known. Pure.
//!
//! Everything that the view shows goes through here, whoever wrote it; the layout counts columns and lines with it.

use crate::units::plain_width;

/// A text's characters with the columns of each; what a terminal would act on is written out, as `units::sanitise` does.
pub fn plain(text: &str) -> impl Iterator<Item = (char, usize)> {
    text.chars().flat_map(|c| {
        let shown = plain_width(c);
        let written_out = shown.is_none().then(|| c.escape_unicode()).into_iter().flatten().map(|c| (c, 1));
        shown.map(|columns| (c, columns)).into_iter().chain(written_out)
    })
}

/// Columns of a text as it is shown.
pub fn width(text: &str) -> usize {
    plain(text).map(|(_, columns)| columns).sum()
}

/// Columns of a text as it is shown, counted no further than `most`.
pub fn width_up_to(text: &str, most: usize) -> usize {
    let mut columns = 0;
    for (_, wide) in plain(text) {
        columns += wide;
        if columns >= most {
            return most;
        }
    }
    columns
}

/// A text as it is shown, cut to so many columns; what was cut off is told by the ellipsis.
pub fn fit(text: &str, most: usize, ellipsis: &str) -> String {
    let mut shown = String::new();
    let (mut columns, mut kept) = (0, 0);
    let dots = ellipsis.chars().count().min(most);
    for (c, wide) in plain(text) {
        if columns + wide > most {
            shown.truncate(kept);
            shown.extend(ellipsis.chars().take(dots));
            return shown;
        }
        shown.push(c);
        columns += wide;
        if columns + dots <= most {
            kept = shown.len();
        }
    }
    shown
}

/// A text as it is shown, cut to so many columns without saying so.
pub fn cut(text: &str, most: usize) -> String {
    let mut columns = 0;
    let mut fits = |wide: usize| {
        columns += wide;
        columns <= most
    };
    plain(text).take_while(|(_, wide)| fits(*wide)).map(|(c, _)| c).collect()
}

/// Where a needle in small letters is found, by places of characters; letters' size does not matter.
pub fn found(text: impl Iterator<Item = char>, needle: &str) -> Vec<std::ops::Range<usize>> {
    let small: Vec<char> = text.map(|c| c.to_lowercase().next().unwrap_or(c)).collect();
    let needle: Vec<char> = needle.chars().collect();
    let mut ranges = Vec::new();
    let mut at = 0;
    while !needle.is_empty() && at + needle.len() <= small.len() {
        if small[at..at + needle.len()] == needle[..] {
            ranges.push(at..at + needle.len());
            at += needle.len();
        } else {
            at += 1;
        }
    }
    ranges
}

/// What of a text stands from this column on; half of a wide character is a space.
pub fn from_column(text: &str, column: usize) -> String {
    let mut shown = String::new();
    let mut columns = 0;
    for (c, wide) in plain(text) {
        if columns >= column {
            shown.push(c);
        } else if columns + wide > column {
            shown.push(' ');
        }
        columns += wide;
    }
    shown
}

/// A text broken wherever a line of so many columns is full: each character with its line, its column and its columns.
pub fn folded(text: &str, columns: usize) -> impl Iterator<Item = (usize, usize, char, usize)> {
    let (mut line, mut column) = (0, 0);
    plain(text).map(move |(c, wide)| {
        if column > 0 && column + wide > columns {
            (line, column) = (line + 1, 0);
        }
        let place = (line, column, c, wide);
        column += wide;
        place
    })
}

/// Lines that [`folded`] makes, counted no further than `most`.
pub fn folded_lines(text: &str, columns: usize, most: usize) -> usize {
    if text.len() <= columns && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return 1;
    }
    folded(text, columns).map(|(line, ..)| line + 1).take_while(|lines| *lines <= most).last().unwrap_or(1).min(most.max(1))
}

/// Breaks a text into lines of at most so many columns, at spaces where there are any.
pub fn wrap(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut columns = 0;
    // The last space of the line: the bytes before it and the columns up to and with it.
    let mut space: Option<(usize, usize)> = None;
    for (c, wide) in plain(text) {
        let Some(line) = lines.last_mut() else { break };
        if columns + wide > most && columns > 0 {
            if c == ' ' {
                lines.push(String::new());
                (columns, space) = (0, None);
                continue;
            }
            let rest = match space.take() {
                Some((bytes, before)) => {
                    let rest = line[bytes + 1..].to_owned();
                    line.truncate(bytes);
                    columns -= before;
                    rest
                }
                None => {
                    columns = 0;
                    String::new()
                }
            };
            lines.push(rest);
        }
        if let Some(line) = lines.last_mut() {
            if c == ' ' && !line.is_empty() {
                space = Some((line.len(), columns + 1));
            }
            line.push(c);
            columns += wide;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_to_its_columns_and_says_so() {
        for (text, most, shown) in [
            ("web", 3, "web"),
            ("website", 5, "webs…"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("日", 1, "…"),
            ("a\u{1b}[2J", 20, "a\\u{1b}[2J"),
            ("a\u{1b}[2J", 4, "a\\u…"),
            ("x", 0, ""),
        ] {
            assert_eq!(fit(text, most, "…"), shown, "{text:?} in {most}");
            assert!(width(&fit(text, most, "…")) <= most);
        }
        assert_eq!(fit("website", 5, "..."), "we...");
        assert_eq!(fit("website", 2, "..."), "..");
    }

    #[test]
    fn a_line_is_folded_where_it_is_full_and_wide_characters_stay_whole() {
        let places: Vec<_> = folded("ab日c", 3).map(|(line, column, c, _)| (line, column, c)).collect();
        assert_eq!(places, [(0, 0, 'a'), (0, 1, 'b'), (1, 0, '日'), (1, 2, 'c')]);
        for text in ["", "ab", "abc", "abcd", "ab日c", "\u{1b}[m", "日本語日本語"] {
            let lines = folded(text, 3).map(|(line, ..)| line + 1).last().unwrap_or(1);
            assert_eq!(folded_lines(text, 3, 100), lines, "{text:?}");
            assert_eq!(folded_lines(text, 3, 2), lines.min(2), "{text:?}");
        }
    }

    #[test]
    fn what_is_searched_is_found_whatever_its_case() {
        assert_eq!(found("An error, ERROR".chars(), "error"), [3..8, 10..15]);
        assert_eq!(found("aaa".chars(), "aa"), [0..2]);
        assert!(found("x".chars(), "").is_empty() && found("x".chars(), "xx").is_empty());
    }

    #[test]
    fn lines_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrap("the quick brown fox", 9), ["the quick", "brown fox"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("a 日本語", 5), ["a", "日本", "語"]);
        assert_eq!(wrap("", 5), [""]);
        assert!(wrap(&"ab cd\u{202e} ".repeat(30), 7).iter().all(|line| width(line) <= 7));
    }
}
