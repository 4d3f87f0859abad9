//! What stands before the emulator's parser and bounds what a few bytes may cost it: repetitions ("65,535 times"), and
//! command strings that never end, which it would keep whole.

use memchr::memchr;

/// No count is larger than any screen is wide or high.
const MOST: u32 = 1000;
/// Longer than any control sequence that means something; what is longer is dropped.
const LONGEST: usize = 256;
/// Of an operating system command (OSC), what is kept: a clipboard's worth. The rest is dropped.
pub(super) const LONGEST_COMMAND: usize = 64 << 10;
/// Finals whose numbers are no counts: colours, modes, places, regions, reports.
const NO_COUNT: &[u8] = b"mhlHfrnctqp";

/// Follows the bytes from piece to piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    within: Within,
    /// Parameters and intermediates of the control sequence that has begun.
    held: Vec<u8>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Text,
    Escape,
    Sequence,
    /// An OSC of which so many bytes were passed.
    Command(usize),
}

impl Guard {
    /// Passes the piece on in parts, bounded; a sequence that is not whole yet waits for the next piece.
    pub fn pass(&mut self, mut piece: &[u8], mut on: impl FnMut(&[u8])) {
        while let Some(&byte) = piece.first() {
            match self.within {
                Within::Text => {
                    let text = memchr(0x1b, piece).unwrap_or(piece.len());
                    on(&piece[..text]);
                    piece = &piece[text..];
                    if !piece.is_empty() {
                        piece = &piece[1..];
                        self.within = Within::Escape;
                    }
                    continue;
                }
                Within::Command(passed) => {
                    // BEL, CAN, SUB and ESC end it.
                    let end = piece.iter().position(|byte| matches!(byte, 0x07 | 0x18 | 0x1a | 0x1b)).unwrap_or(piece.len());
                    on(&piece[..end.min(LONGEST_COMMAND.saturating_sub(passed))]);
                    self.within = Within::Command(passed.saturating_add(end));
                    piece = &piece[end..];
                    match piece.first() {
                        Some(0x1b) => {
                            // Ended here and now, whatever the escape turns out to begin.
                            on(b"\x1b\\");
                            self.within = Within::Escape;
                        }
                        Some(_) => {
                            on(&piece[..1]);
                            self.within = Within::Text;
                        }
                        None => break,
                    }
                    piece = &piece[1..];
                    continue;
                }
                Within::Escape => self.escaped(byte, &mut on),
                Within::Sequence => self.sequence(byte, &mut on),
            }
            piece = &piece[1..];
        }
    }

    fn escaped(&mut self, byte: u8, on: &mut impl FnMut(&[u8])) {
        match byte {
            0x1b | 0x7f => {}
            b'[' => {
                self.held.clear();
                self.within = Within::Sequence;
            }
            b']' => {
                on(b"\x1b]");
                self.within = Within::Command(0);
            }
            // Control characters act at once, also in its midst; DEL is nothing.
            0x18 | 0x1a => self.within = Within::Text,
            ..=0x1f => on(&[byte]),
            _ => {
                on(&[0x1b, byte]);
                self.within = Within::Text;
            }
        }
    }

    fn sequence(&mut self, byte: u8, on: &mut impl FnMut(&[u8])) {
        match byte {
            0x1b => self.within = Within::Escape,
            // CAN and SUB give it up; other control characters act at once.
            0x18 | 0x1a => self.within = Within::Text,
            ..=0x1f => on(&[byte]),
            0x20..=0x3f => {
                if self.held.len() <= LONGEST {
                    self.held.push(byte);
                }
            }
            0x40..=0x7e => {
                if self.held.len() <= LONGEST {
                    on(&self.bounded(byte));
                }
                self.within = Within::Text;
            }
            0x7f.. => {}
        }
    }

    fn bounded(&self, last: u8) -> Vec<u8> {
        let mut out = b"\x1b[".to_vec();
        let is_private = self.held.first().is_some_and(|first| matches!(first, b'<'..=b'?'));
        if is_private || NO_COUNT.contains(&last) {
            out.extend(&self.held);
        } else {
            for part in self.held.chunk_by(|one, next| one.is_ascii_digit() && next.is_ascii_digit()) {
                match std::str::from_utf8(part).ok().filter(|part| part.bytes().all(|byte| byte.is_ascii_digit())) {
                    Some(count) => out.extend(count.parse().unwrap_or(MOST).min(MOST).to_string().bytes()),
                    None => out.extend(part),
                }
            }
        }
        out.push(last);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounded(pieces: &[&str]) -> String {
        let mut guard = Guard::default();
        let mut out = Vec::new();
        for piece in pieces {
            guard.pass(piece.as_bytes(), |bytes| out.extend_from_slice(bytes));
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn counts_are_bounded_wherever_a_piece_ends() {
        assert_eq!(bounded(&["a\u{1b}[65535b"]), "a\u{1b}[1000b");
        assert_eq!(bounded(&["a\u{1b}", "[655", "35;", "99999999999999", "S"]), "a\u{1b}[1000;1000S");
        assert_eq!(bounded(&["\u{1b}[12A\u{1b}[;7@\u{1b}[b"]), "\u{1b}[12A\u{1b}[;7@\u{1b}[b");
        // A control character in its midst, and a second beginning.
        assert_eq!(bounded(&["\u{1b}[655\u{7}35b\u{1b}[9\u{1b}[99999b"]), "\u{7}\u{1b}[1000b\u{1b}[1000b");
    }

    #[test]
    fn what_is_no_count_passes_as_it_is() {
        let plain = "h\u{e9}llo \u{65e5}\r\n\u{1b}[38;2;255;600;0m\u{1b}[?1049h\u{1b}[999;999H\u{1b}]0;65535b\u{7}x\u{1b}]2;t\u{1b}\\y\u{1b}(B\u{1b}7\u{1b}[2 q";
        // An OSC that an escape ends is ended twice.
        let passed = plain.replace("\u{1b}\\", "\u{1b}\\\u{1b}\\");
        assert_eq!(bounded(&[plain]), passed);
        let by_char: Vec<String> = plain.chars().map(String::from).collect();
        let by_char: Vec<&str> = by_char.iter().map(String::as_str).collect();
        assert_eq!(bounded(&by_char), passed);
    }

    #[test]
    fn what_goes_on_without_end_is_dropped_and_takes_no_room() {
        let mut guard = Guard::default();
        let mut passed = 0;
        for _ in 0..1000 {
            guard.pass(&[b'1'; 1000], |_| {});
            guard.pass(b"\x1b[", |_| {});
            guard.pass(&[b'1'; 1000], |bytes| passed += bytes.len());
            assert!(guard.held.len() <= LONGEST + 1);
            guard.pass(b"b", |bytes| passed += bytes.len());
        }
        assert_eq!(passed, 0);
        guard.pass(b"\x1b]52;c;", |_| {});
        for _ in 0..1000 {
            guard.pass(&[b'A'; 1000], |bytes| passed += bytes.len());
        }
        assert!(passed <= LONGEST_COMMAND, "{passed}");
        let mut rest = Vec::new();
        guard.pass(b"\x07ok", |bytes| rest.extend_from_slice(bytes));
        assert_eq!(rest, b"\x07ok");
    }
}
