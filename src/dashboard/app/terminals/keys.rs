//! What a terminal sends for keys, in xterm's way.

use super::super::key::{Code, Key};
use crate::terminal::Modes;

/// What is typed for a key. The keypad's own keys come as the keys that they stand for: the operator's terminal does not tell
/// them apart.
pub fn typed(key: Key, modes: Modes) -> Vec<u8> {
    // What was held, as xterm numbers it: 1 for nothing.
    let held = 1 + u8::from(key.shift) + 2 * u8::from(key.alt) + 4 * u8::from(key.ctrl);
    let alone = |text: &str| if key.alt { format!("\u{1b}{text}") } else { text.to_owned() };
    let cursor = |letter: char| match held {
        1 if modes.application_cursor => format!("\u{1b}O{letter}"),
        1 => format!("\u{1b}[{letter}"),
        held => format!("\u{1b}[1;{held}{letter}"),
    };
    let numbered = |number: u8| match held {
        1 => format!("\u{1b}[{number}~"),
        held => format!("\u{1b}[{number};{held}~"),
    };
    let text = match key.code {
        Code::Char(c) if key.ctrl => match control(c) {
            Some(byte) => alone(&char::from(byte).to_string()),
            None => alone(&c.to_string()),
        },
        Code::Char(c) => alone(&c.to_string()),
        Code::Enter => alone("\r"),
        Code::Esc => alone("\u{1b}"),
        Code::Tab => alone("\t"),
        Code::BackTab => alone("\u{1b}[Z"),
        Code::Backspace if key.ctrl => alone("\u{8}"),
        Code::Backspace => alone("\u{7f}"),
        Code::Delete => numbered(3),
        Code::Insert => numbered(2),
        Code::PageUp => numbered(5),
        Code::PageDown => numbered(6),
        Code::Up => cursor('A'),
        Code::Down => cursor('B'),
        Code::Right => cursor('C'),
        Code::Left => cursor('D'),
        Code::Home => cursor('H'),
        Code::End => cursor('F'),
        Code::F(number @ 1..=4) => {
            let letter = char::from(b'O' + number);
            if held == 1 { format!("\u{1b}O{letter}") } else { format!("\u{1b}[1;{held}{letter}") }
        }
        Code::F(number) => {
            let codes = [15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34];
            usize::from(number).checked_sub(5).and_then(|at| codes.get(at)).map_or_else(String::new, |code| numbered(*code))
        }
    };
    text.into_bytes()
}

/// A text as it is pasted: in brackets where the program asks for them, which it cannot end by itself.
pub fn pasted(text: &str, modes: Modes) -> Vec<u8> {
    let text = text.replace("\r\n", "\n").replace('\n', "\r");
    // What is pasted is text: nothing in it is a key that acts, but for tabs and line ends.
    let plain: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\r' | '\t')).collect();
    if modes.bracketed_paste { format!("\u{1b}[200~{plain}\u{1b}[201~").into_bytes() } else { plain.into_bytes() }
}

fn control(c: char) -> Option<u8> {
    match c.to_ascii_lowercase() {
        letter @ 'a'..='z' => Some(letter as u8 - b'a' + 1),
        ' ' | '@' | '2' => Some(0),
        '[' | '3' => Some(0x1b),
        '\\' | '4' => Some(0x1c),
        ']' | '5' => Some(0x1d),
        '^' | '6' => Some(0x1e),
        '_' | '7' | '/' => Some(0x1f),
        '?' | '8' => Some(0x7f),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(key: &str, modes: Modes) -> String {
        String::from_utf8(typed(key.parse().unwrap(), modes)).unwrap()
    }

    #[test]
    fn keys_go_out_as_xterm_sends_them() {
        for (key, bytes) in [
            ("a", "a"),
            ("é", "é"),
            ("ctrl-c", "\u{3}"),
            ("ctrl-space", "\0"),
            ("ctrl-\\", "\u{1c}"),
            ("ctrl-/", "\u{1f}"),
            ("alt-b", "\u{1b}b"),
            ("ctrl-alt-b", "\u{1b}\u{2}"),
            ("enter", "\r"),
            ("alt-enter", "\u{1b}\r"),
            ("shift-tab", "\u{1b}[Z"),
            ("backspace", "\u{7f}"),
            ("ctrl-backspace", "\u{8}"),
            ("alt-backspace", "\u{1b}\u{7f}"),
            ("up", "\u{1b}[A"),
            ("ctrl-right", "\u{1b}[1;5C"),
            ("shift-left", "\u{1b}[1;2D"),
            ("ctrl-alt-shift-end", "\u{1b}[1;8F"),
            ("delete", "\u{1b}[3~"),
            ("shift-delete", "\u{1b}[3;2~"),
            ("ctrl-pageup", "\u{1b}[5;5~"),
            ("f1", "\u{1b}OP"),
            ("shift-f1", "\u{1b}[1;2P"),
            ("f5", "\u{1b}[15~"),
            ("ctrl-f5", "\u{1b}[15;5~"),
            ("f12", "\u{1b}[24~"),
        ] {
            assert_eq!(sent(key, Modes::default()), bytes, "{key}");
        }
        let application = Modes { application_cursor: true, ..Modes::default() };
        assert_eq!((sent("up", application), sent("home", application)), ("\u{1b}OA".to_owned(), "\u{1b}OH".to_owned()));
        assert_eq!(sent("ctrl-up", application), "\u{1b}[1;5A");
    }

    #[test]
    fn what_is_pasted_is_text_and_stays_in_its_brackets() {
        let brackets = Modes { bracketed_paste: true, ..Modes::default() };
        assert_eq!(pasted("a\nb\u{1b}[201~rm\u{3}\n", brackets), b"\x1b[200~a\rb[201~rm\r\x1b[201~");
        assert_eq!(pasted("a\r\nb\tc", Modes::default()), b"a\rb\tc");
    }
}
