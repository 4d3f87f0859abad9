//! Text in lines of so many columns.

use unicode_width::UnicodeWidthChar;

use crate::units::sanitise;

/// A text in lines of at most so many columns, parted between words where it can be. Nothing in them acts on a
/// terminal. No text is no line.
pub fn wrap(text: &str, columns: u16) -> Vec<String> {
    let columns = usize::from(columns.max(1));
    let mut lines = Vec::new();
    let (mut line, mut wide, mut blank) = (String::new(), 0, None);
    for c in sanitise(text).chars() {
        let width = c.width().unwrap_or(0);
        if wide + width > columns && !line.is_empty() {
            // A word that is longer than a line is parted anywhere.
            let rest = blank.take().filter(|_| c != ' ').map(|at: usize| line.split_off(at)).unwrap_or_default();
            lines.push(std::mem::replace(&mut line, rest.trim_start_matches(' ').to_owned()).trim_end_matches(' ').to_owned());
            wide = line.chars().filter_map(UnicodeWidthChar::width).sum();
            if c == ' ' {
                continue;
            }
        }
        if c == ' ' {
            blank = Some(line.len());
        }
        line.push(c);
        wide += width;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_part_between_words_and_long_words_anywhere() {
        assert_eq!(wrap("palisade launch web --memory 4GiB", 15), ["palisade launch", "web --memory", "4GiB"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 9), [""; 0]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
        assert!(wrap("\u{1b}[2J\n", 40)[0].starts_with("\\u{1b}[2J"));
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_it_may_be_and_nothing_but_blanks_is_lost(text in any::<String>(), columns in 2_u16..40) {
            let lines = wrap(&text, columns);
            for line in &lines {
                let wide: usize = line.chars().filter_map(UnicodeWidthChar::width).sum();
                prop_assert!(wide <= usize::from(columns), "{line:?}");
            }
            let bare = |text: &str| text.replace(' ', "");
            prop_assert_eq!(bare(&lines.concat()), bare(&sanitise(&text)));
        }
    }
}
