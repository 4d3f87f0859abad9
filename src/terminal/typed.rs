//! What the operator types, as a stream of bytes however it is cut: the keys that leave are found in it, and what is pasted is
//! told from what is typed. The operator's own terminal is never switched as a program asks; what it sends is translated.

use std::str::FromStr;

use super::Modes;

const ESC: u8 = 0x1b;
const PASTE_BEGINS: &[u8] = b"\x1b[200~";
const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// The keys that leave a terminal, as docker writes them: `ctrl-p,ctrl-q`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachKeys {
    bytes: Vec<u8>,
    written: String,
}

impl FromStr for DetachKeys {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let byte = |key: &str| match (key.as_bytes(), key.strip_prefix("ctrl-").map(str::as_bytes)) {
            ([letter @ 0x21..=0x7e], _) => Ok(*letter),
            (_, Some([letter @ (b'a'..=b'z' | b'A'..=b'Z' | b'@' | b'[' | b'\\' | b']' | b'^' | b'_')])) => Ok(letter & 0x1f),
            _ => Err("detach keys are written as 'ctrl-p,ctrl-q': each a letter, or ctrl- with one of a-z @ [ \\ ] ^ _".to_owned()),
        };
        let bytes = text.split(',').map(byte).collect::<Result<Vec<u8>, String>>()?;
        Ok(Self { bytes, written: text.to_owned() })
    }
}

impl std::fmt::Display for DetachKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.written)
    }
}

impl Default for DetachKeys {
    fn default() -> Self {
        Self { bytes: vec![0x10, 0x11], written: "ctrl-p,ctrl-q".to_owned() }
    }
}

/// A piece of what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// Keys, as they are.
    Keys(Vec<u8>),
    /// A cursor key, by its letter.
    Cursor(u8),
    /// What follows is pasted.
    PasteBegins,
    /// Pasted text.
    Pasted(Vec<u8>),
    /// What follows is typed again.
    PasteEnds,
    /// The keys that leave.
    Leave,
}

/// Reads the bytes of the operator's terminal.
#[derive(Debug)]
pub struct Typing {
    detach: Vec<u8>,
    /// The first of the detach keys, until it is known whether the others follow.
    half: Vec<u8>,
    /// The beginning of a sequence, until it is known which.
    sequence: Vec<u8>,
    /// How much of it was passed on already, because nothing followed for a while: a lone escape is a key.
    passed: usize,
    paste: Paste,
    is_plain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paste {
    No,
    Inside,
    /// Its end came. If more comes at once, it was the text that said so.
    Ending,
}

impl Typing {
    /// Where the operator's terminal brackets what is pasted.
    pub fn new(detach: &DetachKeys) -> Self {
        Self { detach: detach.bytes.clone(), half: Vec::new(), sequence: Vec::new(), passed: 0, paste: Paste::No, is_plain: false }
    }

    /// Looks for the detach keys and for nothing else.
    pub fn plain(detach: &DetachKeys) -> Self {
        Self { is_plain: true, ..Self::new(detach) }
    }

    /// Whether [`Typing::pause`] would say something that more bytes would not.
    pub fn waits(&self) -> bool {
        self.sequence.len() > self.passed || self.paste == Paste::Ending
    }

    /// Whether the next bytes are pasted, whatever they are.
    pub fn is_paste(&self) -> bool {
        self.paste == Paste::Inside
    }

    /// Takes bytes. After [`Typed::Leave`] nothing more is to be taken.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Typed>) {
        for &byte in bytes {
            if self.take(byte, out) {
                return;
            }
        }
    }

    /// Nothing more came for a moment: what was begun is all there is of it.
    pub fn pause(&mut self, out: &mut Vec<Typed>) {
        match self.paste {
            Paste::No => {
                if self.passed < self.sequence.len() {
                    keys(&self.sequence[self.passed..], out);
                    self.passed = self.sequence.len();
                }
            }
            Paste::Inside => {}
            Paste::Ending => {
                self.paste = Paste::No;
                self.sequence.clear();
                out.push(Typed::PasteEnds);
            }
        }
    }

    /// Whether the byte was the last of the detach keys.
    fn take(&mut self, byte: u8, out: &mut Vec<Typed>) -> bool {
        if self.paste != Paste::No {
            self.take_pasted(byte, out);
            return false;
        }
        if !self.sequence.is_empty() {
            return self.take_in_sequence(byte, out);
        }
        self.half.push(byte);
        while !self.half.is_empty() && !self.detach.starts_with(&self.half) {
            let first = self.half.remove(0);
            if first == ESC && !self.is_plain {
                self.sequence.push(ESC);
                let rest = std::mem::take(&mut self.half);
                return rest.into_iter().any(|byte| self.take(byte, out));
            }
            keys(&[first], out);
        }
        if self.half.is_empty() || self.half.len() < self.detach.len() {
            return false;
        }
        self.half.clear();
        out.push(Typed::Leave);
        true
    }

    fn take_in_sequence(&mut self, byte: u8, out: &mut Vec<Typed>) -> bool {
        self.sequence.push(byte);
        match self.sequence[..] {
            [ESC, b'[', letter @ (b'A'..=b'D' | b'F' | b'H')] if self.passed == 0 => {
                self.sequence.clear();
                out.push(Typed::Cursor(letter));
            }
            _ if self.sequence == PASTE_BEGINS => {
                // Half of it may be passed on; without the rest the program would wait for it.
                if self.passed > 0 {
                    keys(&self.sequence[self.passed..], out);
                }
                self.sequence.clear();
                self.passed = 0;
                self.paste = Paste::Inside;
                out.push(Typed::PasteBegins);
            }
            _ if PASTE_BEGINS.starts_with(&self.sequence) => {}
            _ => {
                // It was another, and this byte may be anything.
                self.sequence.pop();
                keys(&self.sequence[self.passed..], out);
                self.sequence.clear();
                self.passed = 0;
                return self.take(byte, out);
            }
        }
        false
    }

    fn take_pasted(&mut self, byte: u8, out: &mut Vec<Typed>) {
        // More at once after an end: that end was pasted.
        self.paste = Paste::Inside;
        if self.sequence.is_empty() && byte != ESC {
            return pasted(&[byte], out);
        }
        self.sequence.push(byte);
        if self.sequence == PASTE_ENDS {
            self.sequence.clear();
            self.paste = Paste::Ending;
        } else if !PASTE_ENDS.starts_with(&self.sequence) {
            let sequence = std::mem::take(&mut self.sequence);
            let (before, last) = sequence.split_at(sequence.len() - 1);
            pasted(before, out);
            if last == [ESC] { self.sequence.push(ESC) } else { pasted(last, out) }
        }
    }
}

fn keys(bytes: &[u8], out: &mut Vec<Typed>) {
    match out.last_mut() {
        _ if bytes.is_empty() => {}
        Some(Typed::Keys(keys)) => keys.extend_from_slice(bytes),
        _ => out.push(Typed::Keys(bytes.to_vec())),
    }
}

/// Without escapes: what is left of a paste's own ends must not make one anew.
fn pasted(bytes: &[u8], out: &mut Vec<Typed>) {
    let bytes = bytes.iter().copied().filter(|byte| *byte != ESC);
    match out.last_mut() {
        Some(Typed::Pasted(text)) => text.extend(bytes),
        _ => out.push(Typed::Pasted(bytes.collect())),
    }
}

/// Puts what was typed as the program at the other end wants it.
#[derive(Debug, Default)]
pub struct Translation {
    is_bracketed: bool,
}

impl Translation {
    /// The bytes for the program.
    pub fn of(&mut self, typed: &Typed, modes: Modes) -> Vec<u8> {
        match typed {
            Typed::Keys(bytes) | Typed::Pasted(bytes) => bytes.clone(),
            Typed::Cursor(letter) => vec![ESC, if modes.application_cursor { b'O' } else { b'[' }, *letter],
            Typed::PasteBegins => {
                self.is_bracketed = modes.bracketed_paste;
                if self.is_bracketed { PASTE_BEGINS.to_vec() } else { Vec::new() }
            }
            Typed::PasteEnds => {
                if std::mem::take(&mut self.is_bracketed) {
                    PASTE_ENDS.to_vec()
                } else {
                    Vec::new()
                }
            }
            Typed::Leave => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(detach: &str, bytes: &[u8], piece: usize) -> Vec<Typed> {
        let mut typing = Typing::new(&detach.parse().unwrap());
        let mut out = Vec::new();
        for part in bytes.chunks(piece) {
            typing.push(part, &mut out);
            if out.last() == Some(&Typed::Leave) {
                return out;
            }
        }
        typing.pause(&mut out);
        out
    }

    /// What a program gets that asked for these modes.
    fn sent(typed: &[Typed], modes: Modes) -> Vec<u8> {
        let mut translation = Translation::default();
        typed.iter().flat_map(|typed| translation.of(typed, modes)).collect()
    }

    fn keys(text: &str) -> Typed {
        Typed::Keys(text.as_bytes().to_vec())
    }

    #[test]
    fn detach_keys_are_written_as_docker_writes_them() {
        for (text, bytes) in [("ctrl-p,ctrl-q", &[16, 17][..]), ("ctrl-@,a,Z,ctrl-]", &[0, b'a', b'Z', 29]), ("ctrl-\\,ctrl-_", &[28, 31])]
        {
            let keys: DetachKeys = text.parse().unwrap();
            assert_eq!((&keys.bytes[..], keys.to_string()), (bytes, text.to_owned()));
        }
        for wrong in ["", "ctrl-", "ctrl-1", "ab", "a,,b", "ctrl-p ctrl-q", "é", " "] {
            assert!(wrong.parse::<DetachKeys>().is_err(), "{wrong:?}");
        }
        assert_eq!(DetachKeys::default(), "ctrl-p,ctrl-q".parse().unwrap());
    }

    #[test]
    fn the_detach_keys_leave_and_half_of_them_are_keys() {
        for piece in 1..4 {
            assert_eq!(read("ctrl-p,ctrl-q", b"ls\x10\x11more", piece).last(), Some(&Typed::Leave));
        }
        assert_eq!(read("ctrl-p,ctrl-q", b"\x10x\x10\x10\x11", 9), [keys("\u{10}x\u{10}"), Typed::Leave]);
        assert_eq!(read("a,a,b", b"aaab", 1), [keys("a"), Typed::Leave]);
        assert_eq!(read("a,a,b", b"aac", 1), [keys("aac")]);
        assert_eq!(read("ctrl-p,ctrl-q", b"\x1b\x10\x11", 1), [keys("\u{1b}"), Typed::Leave]);
        assert_eq!(read("ctrl-[,ctrl-[,x", b"\x1b[A\x1b\x1bx", 1), [Typed::Cursor(b'A'), Typed::Leave]);
    }

    #[test]
    fn a_lone_escape_is_a_key_and_cursor_keys_are_as_the_program_wants_them() {
        assert_eq!(read("ctrl-p,ctrl-q", b"\x1b", 1), [keys("\u{1b}")]);
        let typed = read("ctrl-p,ctrl-q", b"\x1b[A\x1b[Hx\x1b[1;5C\x1bOP\x1b\x1b[B", 2);
        let application = Modes { application_cursor: true, ..Modes::default() };
        assert_eq!(sent(&typed, Modes::default()), b"\x1b[A\x1b[Hx\x1b[1;5C\x1bOP\x1b\x1b[B");
        assert_eq!(sent(&typed, application), b"\x1bOA\x1bOHx\x1b[1;5C\x1bOP\x1b\x1bOB");
        // A slow line cuts it after the escape.
        let mut typing = Typing::new(&DetachKeys::default());
        let mut out = Vec::new();
        typing.push(b"\x1b", &mut out);
        assert!(typing.waits());
        typing.pause(&mut out);
        assert!(!typing.waits());
        typing.push(b"[A", &mut out);
        assert_eq!(sent(&out, application), b"\x1b[A");
    }

    #[test]
    fn a_paste_cannot_leave_and_cannot_end_itself() {
        let pasted = b"\x1b[200~rm -rf /\x10\x11\r\x1b[201~typed?\x1b[20\x1b[201~1~\r\x1b[201~";
        let bracketed = Modes { bracketed_paste: true, ..Modes::default() };
        for piece in [1, 2, 3, 5, 100] {
            let typed = read("ctrl-p,ctrl-q", pasted, piece);
            assert!(!typed.contains(&Typed::Leave));
            assert_eq!(sent(&typed, bracketed), b"\x1b[200~rm -rf /\x10\x11\rtyped?[201~\r\x1b[201~", "in pieces of {piece}");
            assert_eq!(sent(&typed, Modes::default()), b"rm -rf /\x10\x11\rtyped?[201~\r");
        }
        // After it, keys are keys.
        let mut typing = Typing::new(&DetachKeys::default());
        let mut out = Vec::new();
        typing.push(b"\x1b[200~a\x1b[201~", &mut out);
        typing.pause(&mut out);
        typing.push(b"b\x10\x11", &mut out);
        assert_eq!(out[out.len() - 3..], [Typed::PasteEnds, keys("b"), Typed::Leave]);
    }

    #[test]
    fn where_nothing_is_bracketed_only_the_detach_keys_are_found() {
        let mut typing = Typing::plain(&DetachKeys::default());
        let mut out = Vec::new();
        typing.push(b"\x1b[200~\x1b[A\x10\x11", &mut out);
        assert_eq!(out, [keys("\u{1b}[200~\u{1b}[A"), Typed::Leave]);
    }

    proptest! {
        #[test]
        fn bytes_pass_unchanged_however_they_are_cut(bytes in proptest::collection::vec(prop_oneof![
            any::<u8>(), Just(ESC), Just(b'['), Just(b'A'), Just(b'2'), Just(b'0'), Just(b'1'), Just(0x10)
        ], 0..60), pieces in proptest::collection::vec((1..5usize, any::<bool>()), 1..30)) {
            prop_assume!(!bytes.windows(2).any(|two| two == [0x10, 0x11]));
            prop_assume!(!bytes.windows(6).any(|six| six == PASTE_BEGINS));
            let mut typing = Typing::new(&DetachKeys::default());
            let mut out = Vec::new();
            let mut rest = &bytes[..];
            for (length, pause) in pieces.into_iter().cycle() {
                if rest.is_empty() { break; }
                let (part, after) = rest.split_at(length.min(rest.len()));
                typing.push(part, &mut out);
                if pause { typing.pause(&mut out); }
                rest = after;
            }
            typing.pause(&mut out);
            let mut got = sent(&out, Modes::default());
            got.extend_from_slice(&typing.half);
            prop_assert_eq!(got, bytes);
        }
    }
}
