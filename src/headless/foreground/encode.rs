use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};

use crate::backend::engine::{Output, OutputKind};
use crate::headless::document::{Document, Event, Piece};
use crate::headless::output::line;
use crate::units::sanitise;

/// How a command's output becomes ours.
#[derive(Debug)]
pub enum Encoding {
    /// As it is.
    Raw,
    /// JSON lines on standard output; a character that was cut by the stream is put together first.
    Json {
        /// Ends of pieces that are the beginnings of characters, for output and errors.
        cut: [BytesMut; 2],
        /// Whether each piece begins with the engine's time.
        timed: bool,
    },
    /// Text for a terminal: whatever could act on it is written out, line ends and tabs excepted.
    Shown {
        /// As for JSON.
        cut: [BytesMut; 2],
        /// Which of output and errors goes to a terminal; the other is passed as it is.
        terminal: [bool; 2],
    },
}

impl Encoding {
    /// JSON lines.
    pub fn json(timed: bool) -> Self {
        Self::Json { cut: Default::default(), timed }
    }

    /// Text for a terminal.
    pub fn shown() -> Self {
        Self::shown_on([true; 2])
    }

    /// Text for those of output and errors that go to a terminal; what goes elsewhere is passed as it is.
    pub fn shown_on(terminal: [bool; 2]) -> Self {
        if terminal == [false; 2] { Self::Raw } else { Self::Shown { cut: Default::default(), terminal } }
    }

    /// What to write, and where; nothing where only the beginning of a character came.
    pub fn encode(&mut self, output: Output) -> Option<(OutputKind, Bytes)> {
        let Output { kind, bytes } = output;
        match self {
            Self::Raw => (!bytes.is_empty()).then_some((kind, bytes)),
            Self::Json { cut, timed } => {
                let whole = join(&mut cut[index(kind)], &bytes);
                event(kind, &whole, *timed)
            }
            Self::Shown { terminal, .. } if !terminal[index(kind)] => (!bytes.is_empty()).then_some((kind, bytes)),
            Self::Shown { cut, .. } => {
                let cut = &mut cut[index(kind)];
                let mut whole = join(cut, &bytes);
                if cut.is_empty() && whole.ends_with(b"\r") {
                    // Perhaps the first half of a line's end.
                    *cut = whole.split_off(whole.len() - 1);
                }
                (!whole.is_empty()).then(|| (kind, show(&whole)))
            }
        }
    }

    /// What was held back, once no more comes.
    pub fn rest(&mut self) -> Vec<(OutputKind, Bytes)> {
        let mut last = Vec::new();
        for kind in [OutputKind::Stdout, OutputKind::Stderr] {
            match self {
                Self::Raw => {}
                Self::Json { cut, .. } => last.extend(event(kind, &std::mem::take(&mut cut[index(kind)]), false)),
                Self::Shown { cut, .. } => {
                    let held = std::mem::take(&mut cut[index(kind)]);
                    last.extend((!held.is_empty()).then(|| (kind, show(&held))));
                }
            }
        }
        last
    }
}

const fn index(kind: OutputKind) -> usize {
    match kind {
        OutputKind::Stdout => 0,
        OutputKind::Stderr => 1,
    }
}

/// What was held back and the new bytes, less the beginning of a character at the end, which is held back in turn.
fn join(cut: &mut BytesMut, bytes: &[u8]) -> BytesMut {
    let mut whole = std::mem::take(cut);
    whole.extend_from_slice(bytes);
    // What is wrong before it does not make the end whole.
    let last = whole.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
    if std::str::from_utf8(last).is_err_and(|error| error.error_len().is_none()) {
        *cut = whole.split_off(whole.len() - last.len());
    }
    whole
}

fn event(kind: OutputKind, bytes: &[u8], timed: bool) -> Option<(OutputKind, Bytes)> {
    if bytes.is_empty() {
        return None;
    }
    let (time, bytes) = if timed { split_time(bytes) } else { (None, bytes) };
    let piece = match std::str::from_utf8(bytes) {
        Ok(text) => Piece { time, text: Some(text.to_owned()), base64: None },
        Err(_) => Piece { time, text: None, base64: Some(STANDARD.encode(bytes)) },
    };
    let event = match kind {
        OutputKind::Stdout => Event::Stdout(piece),
        OutputKind::Stderr => Event::Stderr(piece),
    };
    Some((OutputKind::Stdout, line(&Document::new(event)).into()))
}

/// `2026-01-31T08:00:00.123456789Z text` apart.
pub(in crate::headless) fn split_time(bytes: &[u8]) -> (Option<String>, &[u8]) {
    let split = bytes.iter().take(64).position(|byte| *byte == b' ').and_then(|space| {
        let time = std::str::from_utf8(&bytes[..space]).ok()?;
        time.parse::<jiff::Timestamp>().ok()?;
        Some((Some(time.to_owned()), &bytes[space + 1..]))
    });
    split.unwrap_or((None, bytes))
}

fn show(bytes: &[u8]) -> Bytes {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(['\n', '\t']) {
        let (body, end) = match piece.char_indices().last() {
            Some((at, c @ ('\n' | '\t'))) => (&piece[..at], Some(c)),
            _ => (piece, None),
        };
        shown.push_str(&sanitise(body));
        shown.extend(end);
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(bytes: &'static [u8]) -> Output {
        Output { kind: OutputKind::Stdout, bytes: Bytes::from_static(bytes) }
    }

    fn json(encoding: &mut Encoding, output: Output) -> serde_json::Value {
        serde_json::from_slice(&encoding.encode(output).unwrap().1).unwrap()
    }

    #[test]
    fn a_character_cut_by_the_stream_is_put_together() {
        let mut encoding = Encoding::json(false);
        let (first, second) = "aé".as_bytes().split_at(2);
        assert_eq!(json(&mut encoding, Output { kind: OutputKind::Stdout, bytes: Bytes::copy_from_slice(first) })["text"], "a");
        let line = json(&mut encoding, Output { kind: OutputKind::Stdout, bytes: Bytes::copy_from_slice(second) });
        assert_eq!(line, serde_json::json!({ "schema": 1, "type": "stdout", "text": "é" }));
        assert!(encoding.rest().is_empty());
    }

    #[test]
    fn what_is_no_text_comes_as_base64_and_nothing_is_lost_at_the_end() {
        let mut encoding = Encoding::json(false);
        assert_eq!(json(&mut encoding, out(&[0xff, 0xfe, 0x00]))["base64"], "//4A");
        assert!(encoding.encode(out(&[0xe2, 0x82])).is_none());
        let rest = encoding.rest();
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&rest[0].1).unwrap()["base64"], "4oI=");
    }

    #[test]
    fn the_engines_time_is_a_field_of_its_own() {
        let mut encoding = Encoding::json(true);
        let line = json(&mut encoding, out(b"2026-01-31T08:00:00.5Z hello world\n"));
        assert_eq!((&line["time"], &line["text"]), (&"2026-01-31T08:00:00.5Z".into(), &"hello world\n".into()));
        assert_eq!(json(&mut encoding, out(b"no time\n"))["text"], "no time\n");
    }

    #[test]
    fn where_the_stream_was_cut_is_not_to_be_seen() {
        let written = "\u{fffd}\r\né\r\n日\r".as_bytes();
        let written = [&b"\xff"[..], written, b"\xe2\x82"].concat();
        let shown = |piece: usize| {
            let mut encoding = Encoding::shown();
            let pieces: Vec<_> = written
                .chunks(piece)
                .filter_map(|piece| encoding.encode(Output { kind: OutputKind::Stdout, bytes: Bytes::copy_from_slice(piece) }))
                .collect();
            pieces.into_iter().chain(encoding.rest()).map(|(_, bytes)| String::from_utf8(bytes.to_vec()).unwrap()).collect::<String>()
        };
        for piece in 1..written.len() {
            assert_eq!(shown(piece), "\u{fffd}\u{fffd}\né\n日\\u{d}\u{fffd}", "in pieces of {piece}");
        }
    }

    #[test]
    fn what_goes_to_no_terminal_passes_as_it_is() {
        let mut encoding = Encoding::shown_on([false, true]);
        assert_eq!(encoding.encode(out(b"\x1b[2J\xff\xe2")).unwrap().1, &b"\x1b[2J\xff\xe2"[..]);
        let errors = Output { kind: OutputKind::Stderr, bytes: Bytes::from_static(b"\x1b[2J") };
        assert_eq!(encoding.encode(errors).unwrap().1, "\\u{1b}[2J");
        assert!(encoding.rest().is_empty());
        assert!(matches!(Encoding::shown_on([false; 2]), Encoding::Raw));
    }

    #[test]
    fn a_terminal_is_shown_what_was_printed_and_obeys_none_of_it() {
        let mut encoding = Encoding::shown();
        let (_, bytes) = encoding.encode(out(b"ok\tfine\r\n\x1b[2J\x1b]0;title\x07gone\n")).unwrap();
        assert_eq!(std::str::from_utf8(&bytes).unwrap(), "ok\tfine\n\\u{1b}[2J\\u{1b}]0;title\\u{7}gone\n");
    }
}
