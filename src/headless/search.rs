use bytes::{Bytes, BytesMut};
use memchr::memchr;
use regex::bytes::{Regex, RegexBuilder};

use super::foreground::split_time;
use crate::backend::engine::{Output, OutputKind};
use crate::failure::{Code, Failure, Result};

/// What is kept of a line whose end has not come: of a longer one each such part counts as a line.
const LONGEST: usize = 64 << 10;
/// Bytes of memory that a pattern may become: `(a{1000}){1000}` is refused.
const LARGEST_PATTERN: usize = 1 << 20;

/// Lets those lines of a log through that a pattern matches, in memory that no log decides on.
#[derive(Debug)]
pub struct Search {
    pattern: Regex,
    /// Whether each line begins with the engine's time, which is not searched.
    timed: bool,
    /// Lines that have begun, of output and of errors.
    begun: [BytesMut; 2],
}

impl Search {
    /// For a regular expression; `.` and `^` see one line at a time. The time that it takes grows with the log alone.
    pub fn new(pattern: &str, ignore_case: bool, timed: bool) -> Result<Self> {
        let built = RegexBuilder::new(pattern).case_insensitive(ignore_case).size_limit(LARGEST_PATTERN).build();
        let pattern = built.map_err(|error| {
            let mut failure = Failure::new(Code::Usage, format!("'{pattern}' is no regular expression"));
            failure.details = error.to_string().lines().map(str::to_owned).collect();
            failure.hint("characters such as ( [ . * + ? are taken as they are with a backslash before them")
        })?;
        Ok(Self { pattern, timed, begun: Default::default() })
    }

    /// The lines that end in this piece and match, each whole.
    pub fn take(&mut self, output: Output) -> Vec<Output> {
        let Output { kind, bytes } = output;
        let mut found = Vec::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let begun = &mut self.begun[usize::from(kind == OutputKind::Stderr)];
            let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1).min(LONGEST - begun.len());
            begun.extend_from_slice(&rest[..end]);
            rest = &rest[end..];
            if begun.ends_with(b"\n") || begun.len() == LONGEST {
                let line = begun.split().freeze();
                found.extend(self.judge(kind, line));
            }
        }
        found
    }

    /// What has begun and will not end.
    pub fn rest(&mut self) -> Vec<Output> {
        let begun = std::mem::take(&mut self.begun);
        let kinds = [OutputKind::Stdout, OutputKind::Stderr];
        kinds.into_iter().zip(begun).filter_map(|(kind, line)| self.judge(kind, line.freeze())).collect()
    }

    fn judge(&self, kind: OutputKind, bytes: Bytes) -> Option<Output> {
        let text = if self.timed { split_time(&bytes).1 } else { &bytes };
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        (!bytes.is_empty() && self.pattern.is_match(text)).then_some(Output { kind, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(search: &mut Search, pieces: &[&[u8]]) -> Vec<String> {
        let piece = |bytes: &&[u8]| Output { kind: OutputKind::Stdout, bytes: Bytes::copy_from_slice(bytes) };
        let mut found: Vec<_> = pieces.iter().flat_map(|bytes| search.take(piece(bytes))).collect();
        found.extend(search.rest());
        found.into_iter().map(|output| String::from_utf8_lossy(&output.bytes).into_owned()).collect()
    }

    fn search(pattern: &str) -> Search {
        Search::new(pattern, false, false).unwrap()
    }

    #[test]
    fn lines_that_match_come_whole_however_they_were_cut() {
        let log: &[u8] = b"one\nanother error here\r\ntwo\n\xff error\nlast error";
        for piece in 1..log.len() {
            let pieces: Vec<&[u8]> = log.chunks(piece).collect();
            assert_eq!(found(&mut search("error"), &pieces), ["another error here\r\n", "\u{fffd} error\n", "last error"]);
        }
        assert_eq!(found(&mut search("^one$|here$"), &[log]), ["one\n", "another error here\r\n"]);
        assert_eq!(found(&mut Search::new("ERROR HERE", true, false).unwrap(), &[log]), ["another error here\r\n"]);
    }

    #[test]
    fn the_engines_time_is_not_searched() {
        let log: &[u8] = b"2026-01-31T08:00:00.5Z it is 2027\n2027-01-31T08:00:00.5Z nothing\n";
        assert_eq!(found(&mut Search::new("^it|2027", false, true).unwrap(), &[log]), ["2026-01-31T08:00:00.5Z it is 2027\n"]);
    }

    #[test]
    fn output_and_errors_are_lines_of_their_own() {
        let mut search = search("ab");
        let piece = |kind, bytes: &'static [u8]| Output { kind, bytes: Bytes::from_static(bytes) };
        assert!(search.take(piece(OutputKind::Stdout, b"a")).is_empty());
        assert!(search.take(piece(OutputKind::Stderr, b"b\n")).is_empty());
        assert_eq!(search.take(piece(OutputKind::Stdout, b"b\n")), [piece(OutputKind::Stdout, b"ab\n")]);
    }

    #[test]
    fn a_line_without_end_is_searched_in_parts_and_takes_no_room() {
        let mut search = search("needle");
        let hay = Output { kind: OutputKind::Stdout, bytes: Bytes::from(vec![b'x'; 1 << 20]) };
        for _ in 0..64 {
            assert!(search.take(hay.clone()).is_empty());
            assert!(search.begun[0].len() < LONGEST);
        }
        let found = search.take(Output { kind: OutputKind::Stdout, bytes: Bytes::from_static(b" needle\n") });
        assert!(found.len() == 1 && found[0].bytes.ends_with(b" needle\n"));
    }

    #[test]
    fn what_is_no_pattern_is_said_to_be_none_and_a_huge_one_is_refused() {
        for pattern in ["(", "a{99999999}", "((a{1000}){1000}){1000}"] {
            let failure = Search::new(pattern, false, false).unwrap_err();
            assert!(failure.code == Code::Usage && failure.message.contains("no regular expression"), "{failure}");
        }
    }
}
