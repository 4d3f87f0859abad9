//! What a sandbox writes to its terminal, with the repetitions bounded that it asks of the emulator: a few bytes that say
//! "65,535 times" would otherwise keep the dashboard busy for a second, and a piece full of them for ever.

/// No count is larger than any screen is wide or high.
const MOST: u32 = 300;
/// Longer than any control sequence that means something; what is longer is dropped.
const LONGEST: usize = 64;
/// Finals whose numbers are no counts: colours, modes, places, regions, reports.
const NO_COUNT: &[u8] = b"mhlHfrnctqp";

/// Follows the bytes from piece to piece.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repeats {
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
}

impl Repeats {
    /// The piece with every count bounded; a sequence that is not whole yet waits for the next.
    pub fn bounded(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(piece.len() + LONGEST);
        for &byte in piece {
            match (self.within, byte) {
                (_, 0x1b) => self.within = Within::Escape,
                (Within::Text, _) => out.push(byte),
                (Within::Escape, b'[') => {
                    self.held.clear();
                    self.within = Within::Sequence;
                }
                (Within::Escape, _) => {
                    out.extend([0x1b, byte]);
                    self.within = Within::Text;
                }
                // CAN and SUB give it up; other control characters act at once, also in the midst of it.
                (Within::Sequence, 0x18 | 0x1a) => self.within = Within::Text,
                (Within::Sequence, ..=0x1f) => out.push(byte),
                (Within::Sequence, 0x20..=0x3f) => self.held.push(byte),
                (Within::Sequence, 0x40..=0x7e) => {
                    if self.held.len() <= LONGEST {
                        self.end(byte, &mut out);
                    }
                    self.within = Within::Text;
                }
                (Within::Sequence, 0x7f..) => {}
            }
            self.held.truncate(LONGEST + 1);
        }
        out
    }

    fn end(&self, last: u8, out: &mut Vec<u8>) {
        out.extend(b"\x1b[");
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounded(pieces: &[&str]) -> String {
        let mut repeats = Repeats::default();
        let out: Vec<u8> = pieces.iter().flat_map(|piece| repeats.bounded(piece.as_bytes())).collect();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn counts_are_bounded_wherever_a_piece_ends() {
        assert_eq!(bounded(&["a\u{1b}[65535b"]), "a\u{1b}[300b");
        assert_eq!(bounded(&["a\u{1b}", "[655", "35;", "99999999999999", "S"]), "a\u{1b}[300;300S");
        assert_eq!(bounded(&["\u{1b}[12A\u{1b}[;7@\u{1b}[b"]), "\u{1b}[12A\u{1b}[;7@\u{1b}[b");
        // A control character in its midst, and a second beginning.
        assert_eq!(bounded(&["\u{1b}[655\u{7}35b\u{1b}[9\u{1b}[99999b"]), "\u{7}\u{1b}[300b\u{1b}[300b");
    }

    #[test]
    fn what_is_no_count_passes_as_it_is() {
        let plain = "h\u{e9}llo \u{65e5}\r\n\u{1b}[38;2;255;600;0m\u{1b}[?1049h\u{1b}[999;999H\u{1b}]0;65535b\u{7}\u{1b}(B\u{1b}7\u{1b}[2 q";
        assert_eq!(bounded(&[plain]), plain);
    }

    #[test]
    fn what_goes_on_without_end_is_dropped_and_takes_no_room() {
        let mut repeats = Repeats::default();
        repeats.bounded(b"\x1b[");
        for _ in 0..1000 {
            assert!(repeats.bounded(&[b'1'; 1000]).is_empty() && repeats.held.len() <= LONGEST + 1);
        }
        assert_eq!(repeats.bounded(b"bok"), b"ok");
    }

    #[test]
    fn a_flood_of_repetitions_is_as_quick_as_text() {
        // Counted, not timed: no count that reaches the emulator is larger than a screen.
        let piece = "a\u{1b}[65535b".repeat(1000);
        assert!(!bounded(&[&piece]).contains("65535"));
    }
}
