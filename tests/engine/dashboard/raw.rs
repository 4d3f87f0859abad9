//! What reaches a terminal, byte for byte: what of it acts, and whether the dashboard itself may have sent that.

/// A piece of a terminal's input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Piece {
    /// A control character of one byte.
    Control(u8),
    /// CSI with its parameters and its last letter.
    Csi(String, char),
    /// OSC with its text.
    Osc(String),
    /// DCS, APC, PM or SOS, by its introducer.
    Text(char),
    /// Another escape.
    Escape(String),
    /// A control character of two bytes, or one that changes direction or has no width.
    Hidden(char),
    /// A byte that is no UTF-8.
    Broken(u8),
}

/// Every piece that acts, in order; printed text is left out.
pub fn acting(raw: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for chunk in raw.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(c) = rest.chars().next() {
            let (piece, length) = match c {
                '\u{1b}' => escape(rest),
                c if c.is_ascii_control() => (Some(Piece::Control(c as u8)), 1),
                c if is_hidden(c) => (Some(Piece::Hidden(c)), c.len_utf8()),
                c => (None, c.len_utf8()),
            };
            pieces.extend(piece);
            rest = &rest[length..];
        }
        pieces.extend(chunk.invalid().iter().copied().map(Piece::Broken));
    }
    pieces
}

fn escape(text: &str) -> (Option<Piece>, usize) {
    let Some(introducer) = text.chars().nth(1) else { return (Some(Piece::Escape(text.to_owned())), 1) };
    let body = &text[1 + introducer.len_utf8()..];
    let (piece, length) = match introducer {
        '[' => {
            let end = body.find(|c: char| ('@'..='~').contains(&c)).unwrap_or(body.len());
            let letter = body[end..].chars().next().unwrap_or('?');
            (Piece::Csi(body[..end].to_owned(), letter), end + letter.len_utf8())
        }
        ']' | 'P' | 'X' | '^' | '_' => {
            let bell = body.find('\u{7}').map(|at| (at, at + 1));
            let ended = body.find("\u{1b}\\").map(|at| (at, at + 2));
            let (text, end) = [bell, ended].into_iter().flatten().min().unwrap_or((body.len(), body.len()));
            (if introducer == ']' { Piece::Osc(body[..text].to_owned()) } else { Piece::Text(introducer) }, end)
        }
        other => (Piece::Escape(other.to_string()), 0),
    };
    (Some(piece), (1 + introducer.len_utf8() + length).min(text.len()))
}

fn is_hidden(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a full-screen program that draws cells and reads mouse and pastes sends this.
pub fn is_the_dashboards_own(piece: &Piece) -> bool {
    match piece {
        Piece::Control(byte) => matches!(byte, b'\r' | b'\n' | 0x08),
        Piece::Csi(parameters, 'm') => parameters.chars().all(|c| c.is_ascii_digit() || c == ';' || c == ':'),
        // Moves, and clearing the screen or a line.
        Piece::Csi(parameters, 'A' | 'B' | 'C' | 'D' | 'G' | 'H' | 'd' | 'J' | 'K') => {
            parameters.chars().all(|c| c.is_ascii_digit() || c == ';')
        }
        // Alternate screen, cursor, mouse, focus, pastes, drawing at once: on and off.
        Piece::Csi(parameters, 'h' | 'l') => {
            ["?1049", "?25", "?1000", "?1002", "?1003", "?1004", "?1006", "?1015", "?2004", "?2026", "?7"].contains(&parameters.as_str())
        }
        // The cursor's shape.
        Piece::Csi(parameters, 'q') => parameters.ends_with(' '),
        Piece::Csi(..) | Piece::Osc(_) | Piece::Text(_) | Piece::Escape(_) | Piece::Hidden(_) | Piece::Broken(_) => false,
    }
}

/// Whether a program that has set the terminal up, and only draws cells from then on, sends this.
pub fn is_drawing(piece: &Piece) -> bool {
    match piece {
        Piece::Csi(parameters, 'm') => is_look(&parameters.split(';').collect::<Vec<_>>()),
        Piece::Csi(parameters, 'H') => parameters.split(';').all(|place| place.parse::<u16>().is_ok()),
        Piece::Csi(parameters, 'h' | 'l') => ["?25", "?2026"].contains(&parameters.as_str()),
        Piece::Csi(parameters, 'q') => parameters.ends_with(' '),
        Piece::Csi(..) | Piece::Control(_) | Piece::Osc(_) | Piece::Text(_) | Piece::Escape(_) | Piece::Hidden(_) | Piece::Broken(_) => {
            false
        }
    }
}

/// Colours and attributes, but nothing that hides text.
fn is_look(codes: &[&str]) -> bool {
    match codes {
        [] => true,
        ["38" | "48" | "58", "5", _, rest @ ..] | ["38" | "48" | "58", "2", _, _, _, rest @ ..] => is_look(rest),
        [code, rest @ ..] => *code != "8" && code.parse::<u8>().is_ok() && is_look(rest),
    }
}

#[test]
fn what_acts_is_found_whatever_its_spelling() {
    let planted = "\u{1b}[2J\u{1b}]0;t\u{7}\u{1b}]8;;x\u{1b}\\\u{1b}Pq\u{1b}\\\u{1b}_a\u{1b}\\\u{9b}2J\u{202e}\u{200b}\u{7}\u{1b}c";
    let mut raw = planted.as_bytes().to_vec();
    raw.extend([b'a', 0x9b, b'2', b'J']);
    let found = acting(&raw);
    let kinds: Vec<String> = found.iter().map(|piece| format!("{piece:?}")).collect();
    assert_eq!(found.len(), 11, "{kinds:?}");
    let own: Vec<&Piece> = found.iter().filter(|piece| is_the_dashboards_own(piece)).collect();
    assert_eq!(own, [&Piece::Csi("2".to_owned(), 'J')]);
}
