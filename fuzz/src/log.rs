//! Whatever is printed, however the engine cuts it: a terminal gets plain text, the same wherever it was cut; JSON
//! gets all of it.

use base64::Engine as _;
use bytes::Bytes;
use palisade::backend::engine::{Output, OutputKind};
use palisade::headless::foreground::Encoding;
use palisade::units::plain_width;

/// The first byte says how long the pieces are; the rest was printed.
pub fn check(data: &[u8]) {
    let Some((&piece, printed)) = data.split_first() else { return };
    let piece = usize::from(piece) + 1;
    let shown = encoded(Encoding::shown(), printed, piece);
    let text = std::str::from_utf8(&shown).expect("text");
    assert!(text.chars().all(|c| matches!(c, '\n' | '\t') || plain_width(c).is_some()), "{text:?}");
    assert_eq!(shown, encoded(Encoding::shown(), printed, printed.len().max(1)), "where it was cut shows");
    let mut whole = Vec::new();
    for line in encoded(Encoding::json(false), printed, piece).split_inclusive(|byte| *byte == b'\n') {
        assert!(line.iter().all(|byte| matches!(byte, b'\n' | b' '..=b'~')));
        let event: serde_json::Value = serde_json::from_slice(line).expect("JSON");
        match (&event["text"], &event["base64"]) {
            (serde_json::Value::String(text), _) => whole.extend(text.bytes()),
            (_, serde_json::Value::String(text)) => {
                whole.extend(base64::engine::general_purpose::STANDARD.decode(text).expect("base64"));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(whole, printed);
    // Times of the engine's, or what looks like them.
    encoded(Encoding::json(true), printed, piece);
}

fn encoded(mut encoding: Encoding, printed: &[u8], piece: usize) -> Vec<u8> {
    let mut all = Vec::new();
    for piece in printed.chunks(piece) {
        let output = Output { kind: OutputKind::Stdout, bytes: Bytes::copy_from_slice(piece) };
        all.extend(encoding.encode(output).into_iter().flat_map(|(_, bytes)| bytes));
    }
    all.extend(encoding.rest().into_iter().flat_map(|(_, bytes)| bytes));
    all
}
