//! The log of one session, line by line, in bounded pieces.

use futures_util::StreamExt;
use jiff::Timestamp;

use super::Link;
use crate::backend::engine::{LogOptions, Output, OutputKind};
use crate::dashboard::app::Message;
use crate::dashboard::app::log::{LONGEST, Level, LogLine};
use crate::dashboard::app::row::ContainerId;
use crate::units::Untrusted;

/// Lines of the past that are asked for.
const PAST: u64 = 1000;
/// Lines in one message at most.
const AT_ONCE: usize = 512;

/// Follows the log until it ends or nobody wants it any more.
pub async fn follow(link: Link, id: ContainerId) {
    link.tell(Message::LogBegan(id.clone())).await;
    let options = LogOptions { follow: true, tail: Some(PAST), timestamps: true, ..LogOptions::default() };
    let mut pieces = link.backend.engine().logs(&id, &options).ready_chunks(AT_ONCE);
    let mut lines = Lines::default();
    while let Some(ready) = pieces.next().await {
        let mut done = Vec::new();
        for piece in ready {
            match piece {
                Ok(piece) => lines.take(&piece, &mut done),
                Err(failure) => {
                    link.tell(Message::LogRead(id.clone(), done)).await;
                    link.tell(Message::LogEnded(id, Some(failure))).await;
                    return;
                }
            }
        }
        if !done.is_empty() {
            link.tell(Message::LogRead(id.clone(), done)).await;
        }
    }
    let mut done = Vec::new();
    lines.rest(&mut done);
    link.tell(Message::LogRead(id.clone(), done)).await;
    link.tell(Message::LogEnded(id, None)).await;
}

/// Lines that have begun, one for each stream.
#[derive(Default)]
struct Lines {
    out: Begun,
    err: Begun,
}

#[derive(Default)]
struct Begun {
    at: Option<Timestamp>,
    text: Vec<u8>,
}

impl Lines {
    fn take(&mut self, piece: &Output, done: &mut Vec<LogLine>) {
        let is_error = piece.kind == OutputKind::Stderr;
        let begun = if is_error { &mut self.err } else { &mut self.out };
        // The engine puts its time before each piece, also before one that goes on with a line.
        let (at, text) = timed(&piece.bytes);
        if begun.text.is_empty() {
            begun.at = at;
        }
        for part in text.split_inclusive(|byte| *byte == b'\n') {
            let (part, is_whole) = match part.strip_suffix(b"\n") {
                Some(part) => (part, true),
                None => (part, false),
            };
            let mut part = part;
            // A line without an end is cut: what a sandbox writes is as long as it likes.
            while begun.text.len() + part.len() > LONGEST {
                let (now, later) = part.split_at(LONGEST - begun.text.len());
                begun.text.extend_from_slice(now);
                begun.end(is_error, done);
                begun.at = at;
                part = later;
            }
            begun.text.extend_from_slice(part);
            if is_whole {
                begun.end(is_error, done);
                begun.at = at;
            }
        }
    }

    fn rest(&mut self, done: &mut Vec<LogLine>) {
        for (begun, is_error) in [(&mut self.out, false), (&mut self.err, true)] {
            if !begun.text.is_empty() {
                begun.end(is_error, done);
            }
        }
    }
}

impl Begun {
    fn end(&mut self, is_error_stream: bool, done: &mut Vec<LogLine>) {
        let bytes = std::mem::take(&mut self.text);
        let text = String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(&bytes)).into_owned();
        let level = Level::of(&text);
        done.push(LogLine { at: self.at.take(), is_error_stream, text: Untrusted::new(text), level });
    }
}

/// The engine's time, and what follows it.
fn timed(bytes: &[u8]) -> (Option<Timestamp>, &[u8]) {
    let Some(space) = bytes.iter().take(40).position(|byte| *byte == b' ') else { return (None, bytes) };
    match std::str::from_utf8(&bytes[..space]).ok().and_then(|text| text.parse().ok()) {
        Some(at) => (Some(at), &bytes[space + 1..]),
        None => (None, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&str]) -> Vec<LogLine> {
        let (mut lines, mut done) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.take(&Output { kind: OutputKind::Stdout, bytes: piece.as_bytes().to_vec().into() }, &mut done);
        }
        lines.rest(&mut done);
        done
    }

    #[test]
    fn lines_come_whole_with_their_times_whatever_the_pieces() {
        let lines = read(&["2026-01-31T08:00:00.5Z one\n", "2026-01-31T08:00:01Z tw", "2026-01-31T08:00:02Z o\r\n", "no time\n", "end"]);
        let texts: Vec<&str> = lines.iter().map(|line| line.text.raw()).collect();
        assert_eq!(texts, ["one", "two", "no time", "end"]);
        assert_eq!(lines[1].at, Some("2026-01-31T08:00:01Z".parse().unwrap()));
    }

    #[test]
    fn a_line_without_an_end_comes_in_pieces_and_takes_no_more_room() {
        let piece = "x".repeat(10_000);
        let lines = read(&vec![piece.as_str(); 100]);
        assert!(lines.iter().all(|line| line.text.raw().len() <= LONGEST));
        assert_eq!(lines.iter().map(|line| line.text.raw().len()).sum::<usize>(), 1_000_000);
    }
}
