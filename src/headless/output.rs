use std::borrow::Cow;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

use super::table::Page;
use crate::failure::Failure;
use crate::units::sanitise;

/// What standard output and error are, and what the operator wants on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about two streams and two flags")]
pub struct Surroundings {
    /// JSON instead of text.
    pub json: bool,
    /// Results and errors only.
    pub quiet: bool,
    /// Standard output is a terminal.
    pub stdout_terminal: bool,
    /// Standard error is a terminal.
    pub stderr_terminal: bool,
    /// Columns of the terminal at standard output; `None` where there is no terminal.
    pub columns: Option<u16>,
    /// Which streams are coloured.
    pub colours: Colours,
}

/// Which streams are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Colours {
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

/// Results on standard output, notes on standard error.
///
/// A reader that closed standard output is no failure: what follows is dropped, and [`Output::reader_gone`] says so.
#[derive(Debug, Default)]
pub struct Output {
    surroundings: Surroundings,
    reader_gone: AtomicBool,
    broken: std::sync::Mutex<Option<Failure>>,
}

impl Output {
    /// For these surroundings.
    pub fn new(surroundings: Surroundings) -> Self {
        if surroundings.colours.stdout {
            // Otherwise the table's styling asks the environment a second time, and decides against `--color always`.
            crossterm::style::force_color_output(true);
        }
        Self { surroundings, ..Self::default() }
    }

    /// Whether a program reads.
    pub fn is_json(&self) -> bool {
        self.surroundings.json
    }

    /// Whether notes are unwanted.
    pub fn is_quiet(&self) -> bool {
        self.surroundings.quiet
    }

    /// Which streams are coloured.
    pub fn colours(&self) -> Colours {
        self.surroundings.colours
    }

    /// What text on standard output is laid out for.
    pub fn page(&self) -> Page {
        Page { colour: self.surroundings.colours.stdout, columns: self.surroundings.columns }
    }

    /// What the streams are.
    pub fn surroundings(&self) -> Surroundings {
        self.surroundings
    }

    /// Whether the reader of standard output has closed it.
    pub fn reader_gone(&self) -> bool {
        self.reader_gone.load(Ordering::Relaxed)
    }

    /// Remembers that it has.
    pub fn note_reader_gone(&self) {
        self.reader_gone.store(true, Ordering::Relaxed);
    }

    /// Why standard output could not be written, where it was not its reader that left: a full disk.
    pub fn take_failure(&self) -> Option<Failure> {
        self.broken.lock().ok()?.take()
    }

    /// One JSON document, or one line of a stream of them.
    pub fn document<T: Serialize>(&self, document: &T) {
        self.write(&line(document));
    }

    /// Text for people, to standard output. Whoever made it has sanitised what came from outside; what they forgot is
    /// written out here, colours excepted.
    pub fn text(&self, text: &str) {
        self.write(inert(text).as_bytes());
    }

    /// One line for each.
    pub fn lines<T: std::fmt::Display>(&self, items: impl Iterator<Item = T>) {
        let mut text = String::new();
        for item in items {
            text.push_str(&sanitise(&item.to_string()));
            text.push('\n');
        }
        self.text(&text);
    }

    /// A note on standard error, unless it is unwanted.
    pub fn note(&self, text: &str) {
        if !self.is_quiet() {
            self.complain(&format!("{}\n", sanitise(text)));
        }
    }

    /// Standard error, whatever is wanted; written as [`Output::text`] is. Where it cannot be written there is nobody left to tell.
    pub fn complain(&self, text: &str) {
        let text = inert(text);
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }

    fn write(&self, bytes: &[u8]) {
        if self.reader_gone() {
            return;
        }
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.note_reader_gone(),
            Err(error) => {
                self.note_reader_gone();
                if let Ok(mut broken) = self.broken.lock() {
                    *broken = Some(Failure::io("write to standard output", &error));
                }
            }
        }
    }
}

/// The last before a terminal: lines, tabs and colours pass, whatever else a terminal would act on is written out.
fn inert(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b'\n' | b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = colour(rest).unwrap_or(c.len_utf8());
        let (piece, after) = rest.split_at(length);
        if length > c.len_utf8() || matches!(c, '\n' | '\t') {
            shown.push_str(piece);
        } else {
            shown.push_str(&sanitise(piece));
        }
        rest = after;
    }
    Cow::Owned(shown)
}

/// The length of the colour or attribute that a text begins with, of the few that we write ourselves: none that hides text.
fn colour(text: &str) -> Option<usize> {
    let body = text.strip_prefix("\u{1b}[")?;
    let end = body.find(|c: char| !c.is_ascii_digit() && c != ';').filter(|end| *end <= 20)?;
    (body[end..].starts_with('m') && body[..end].split(';').all(|code| code != "8")).then_some(2 + end + 1)
}

/// One line of JSON in ASCII: no character in it can act on a terminal, whoever wrote the text.
pub fn line<T: Serialize>(document: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    // Our documents have text keys and finite numbers: they always serialise.
    let _ = document.serialize(&mut Serializer::with_formatter(&mut bytes, Ascii(CompactFormatter)));
    bytes.push(b'\n');
    bytes
}

/// Compact JSON with everything but printable ASCII as `\u` escapes.
struct Ascii(CompactFormatter);

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return self.0.write_string_fragment(writer, fragment);
        }
        for c in fragment.chars() {
            if (' '..='~').contains(&c) {
                writer.write_all(&[c as u8])?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_forgotten_is_written_out_at_the_last_and_colours_pass() {
        let ours = "\u{1b}[1;38;5;14mNAME\u{1b}[0m\tnaïve 日本\n";
        assert_eq!(inert(ours), ours);
        assert_eq!(inert("plain\n"), "plain\n");
        for hostile in [
            "\u{1b}[2J",
            "\u{1b}[8mhidden",
            "\u{1b}[1;8m",
            "\u{1b}[",
            "\u{1b}]0;t\u{7}",
            "\u{9b}1m",
            "\u{202e}",
            "\r",
            "\u{1b}\u{1b}[2J",
            "\u{1b}[?1m",
        ] {
            let shown = inert(hostile);
            assert!(shown.chars().all(|c| crate::units::plain_width(c).is_some()), "{hostile:?}: {shown:?}");
        }
    }

    #[test]
    fn json_is_one_line_of_ascii_and_loses_nothing() {
        let hostile = "a\n\u{1b}[2J\u{9b}31m\u{202e}é🦀\u{7f}\"\\";
        let bytes = line(&serde_json::json!({ "name": hostile }));
        assert!(bytes.ends_with(b"\n") && bytes[..bytes.len() - 1].iter().all(|byte| (0x20..0x7f).contains(byte)));
        let back: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(back["name"], hostile);
    }
}
