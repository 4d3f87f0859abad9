//! The log of one session, line by line, in bounded pieces.

use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Link;
use crate::backend::engine::{LogOptions, Output, OutputKind, OutputStream};
use crate::dashboard::app::Message;
use crate::dashboard::app::log::{BYTES, LINES, LONGEST, Level, LogLine};
use crate::dashboard::app::row::ContainerId;
use crate::failure::Failure;
use crate::units::Untrusted;

/// Lines of the past that are asked for.
const PAST: u64 = 1000;
/// The same where reading begins again at the end: fewer than what makes it begin again, however long they are.
const PAST_AGAIN: u64 = 256;
/// Lines that are read in one frame at most: to follow a flood at its own speed keeps the engine busy, and whoever waits for it.
const AT_ONCE: usize = 512;
/// And bytes, whatever the lines.
const BYTES_AT_ONCE: usize = 512 << 10;
/// What is printed meanwhile is one message.
const FRAME: Duration = super::FRAME;

/// Follows the log until it ends or nobody wants it any more.
pub async fn follow(link: Link, id: ContainerId) {
    link.tell(Message::LogBegan(id.clone())).await;
    let mut reading = Reading::default();
    let mut past = PAST;
    loop {
        let options = LogOptions { follow: true, tail: Some(past), timestamps: true, ..LogOptions::default() };
        let mut pieces = link.backend.engine().logs(&id, &options);
        let ended = loop {
            let (done, state) = reading.frame(&mut pieces).await;
            if !done.is_empty() {
                link.tell(Message::LogRead(id.clone(), done)).await;
            }
            match state {
                State::Quiet => {}
                State::Flood(until) => sleep_until(until).await,
                // As much is waiting as the view keeps, and more: from its end, it is up to date again.
                State::Behind => break None,
                State::Ended(failure) => break Some(failure),
            }
        };
        if let Some(failure) = ended {
            link.tell(Message::LogEnded(id, failure)).await;
            return;
        }
        reading.again();
        past = PAST_AGAIN;
    }
}

/// How reading stands after a frame.
enum State {
    /// All was read that was there.
    Quiet,
    /// There is more, for the next frame, which begins then.
    Flood(Instant),
    /// There has been more for so long that what is read is old.
    Behind,
    /// Nothing more will come.
    Ended(Option<Failure>),
}

/// What is read, over as many streams as it takes.
#[derive(Default)]
struct Reading {
    lines: Lines,
    /// Lines and bytes since all was read that was there.
    unpaused: (usize, usize),
    /// When the newest line was written that was told.
    last: Option<Timestamp>,
    /// The stream was begun again, and what stands at its beginning may have been told already.
    again: Option<Gap>,
}

/// Whether there is one between two streams.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    Open,
    Closed,
}

impl Reading {
    /// Waits for something, then takes what comes within a frame, but not more than is good.
    async fn frame(&mut self, pieces: &mut OutputStream) -> (Vec<LogLine>, State) {
        let (mut done, mut bytes) = (Vec::new(), 0);
        let mut next = pieces.next().await;
        let until = Instant::now() + FRAME;
        let state = loop {
            match next {
                Some(Ok(piece)) => {
                    bytes += piece.bytes.len();
                    self.lines.take(&piece, &mut done);
                }
                Some(Err(failure)) => break State::Ended(Some(failure)),
                None => {
                    self.lines.rest(&mut done);
                    break State::Ended(None);
                }
            }
            if done.len() >= AT_ONCE || bytes >= BYTES_AT_ONCE {
                self.unpaused.0 += done.len();
                self.unpaused.1 += bytes;
                let is_behind = self.unpaused.0 >= LINES || self.unpaused.1 >= BYTES;
                break if is_behind { State::Behind } else { State::Flood(until) };
            }
            let Ok(more) = timeout_at(until, pieces.next()).await else {
                self.unpaused = (0, 0);
                break State::Quiet;
            };
            next = more;
        };
        (self.untold(done), state)
    }

    /// The stream is begun again at its end.
    fn again(&mut self) {
        let last = self.last;
        *self = Self { last, again: Some(Gap::Open), ..Self::default() };
    }

    /// What was not told before, with a word where something is missing.
    fn untold(&mut self, mut done: Vec<LogLine>) -> Vec<LogLine> {
        if let (Some(gap), Some(last)) = (self.again, self.last) {
            let told = done.iter().take_while(|line| line.at.is_some_and(|at| at <= last)).count();
            let gap = if told > 0 { Gap::Closed } else { gap };
            done.drain(..told);
            if done.is_empty() {
                self.again = Some(gap);
            } else {
                self.again = None;
                if gap == Gap::Open {
                    done.insert(0, LogLine::left_out());
                }
            }
        }
        self.last = done.iter().filter_map(|line| line.at).max().max(self.last);
        done
    }
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
    use futures_util::stream;

    use super::*;

    fn at(second: i64, text: &str) -> LogLine {
        let at = Some(Timestamp::from_second(second).unwrap());
        LogLine { at, is_error_stream: false, text: Untrusted::from(text), level: Level::Plain }
    }

    fn told(reading: &mut Reading, lines: &[LogLine]) -> Vec<String> {
        reading.untold(lines.to_vec()).iter().map(|line| line.text.raw().to_owned()).collect()
    }

    #[test]
    fn a_stream_that_is_begun_again_tells_nothing_twice_and_says_what_is_missing() {
        let mut reading = Reading::default();
        assert_eq!(told(&mut reading, &[at(1, "a"), at(2, "b")]), ["a", "b"]);
        reading.again();
        assert_eq!(told(&mut reading, &[at(1, "a")]), [""; 0]);
        assert_eq!(told(&mut reading, &[at(2, "b"), at(3, "c")]), ["c"], "nothing is missing");
        assert_eq!(told(&mut reading, &[at(3, "also")]), ["also"]);
        reading.again();
        let shown = told(&mut reading, &[at(9, "z")]);
        assert_eq!((shown.len(), shown[1].as_str()), (2, "z"));
        assert_eq!(shown[0], LogLine::left_out().text.raw());
    }

    #[tokio::test]
    async fn a_flood_is_taken_in_bounded_pieces_and_after_as_much_as_is_kept_from_its_end() {
        let piece = |_| Ok(Output { kind: OutputKind::Stdout, bytes: "2026-01-31T08:00:00Z x\n".into() });
        let mut pieces: OutputStream = stream::iter((0..2 * LINES).map(piece)).boxed();
        let mut reading = Reading::default();
        let mut read = 0;
        loop {
            let (done, state) = reading.frame(&mut pieces).await;
            read += done.len();
            assert_eq!(done.len(), AT_ONCE);
            match state {
                State::Flood(_) => assert!(read < LINES),
                State::Behind => break,
                State::Quiet | State::Ended(_) => panic!("there is more"),
            }
        }
        assert!(read >= LINES);
        let wide = |_| Ok(Output { kind: OutputKind::Stdout, bytes: vec![b'x'; 64 << 10].into() });
        let mut pieces: OutputStream = stream::iter((0..1000).map(wide)).boxed();
        let (done, state) = Reading::default().frame(&mut pieces).await;
        assert!(matches!(state, State::Flood(_)) && done.len() <= BYTES_AT_ONCE / LONGEST);
    }

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
