//! What may reach the operator's terminal while a session is shown there: a grammar with nothing in it that is not named here.
//! Used by the renderer's own tests and by those that catch the bytes at a real terminal.

/// What was allowed and found beside drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    pub bells: usize,
    pub titles: usize,
    pub clipboards: usize,
    pub lines: usize,
}

/// Reads the bytes by the grammar; the error says what does not belong there, and where.
pub fn check(bytes: &[u8]) -> Result<Found, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("no UTF-8: {error}"))?;
    let mut found = Found::default();
    let mut rest = text;
    let mut at_bottom = false;
    while let Some(c) = rest.chars().next() {
        let here = || format!("at {}: {:?}", text.len() - rest.len(), rest.chars().take(40).collect::<String>());
        let length = match c {
            '\u{1b}' => {
                let (length, bottom) = sequence(rest, &mut found).ok_or_else(here)?;
                at_bottom = bottom;
                length
            }
            '\n' if at_bottom => {
                found.lines += 1;
                1
            }
            '\u{7}' => {
                found.bells += 1;
                1
            }
            c if is_hidden(c) => return Err(here()),
            c => {
                at_bottom = false;
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    Ok(found)
}

/// The length of an allowed sequence, and whether the cursor is on the last row after it.
fn sequence(text: &str, found: &mut Found) -> Option<(usize, bool)> {
    if let Some(body) = text.strip_prefix("\u{1b}]") {
        let (command, _) = body.split_once("\u{1b}\\")?;
        if let Some(title) = command.strip_prefix("2;") {
            found.titles += 1;
            return (!title.chars().any(is_hidden)).then_some((command.len() + 4, false));
        }
        let clipboard = command.strip_prefix("52;c;")?;
        found.clipboards += 1;
        let is_base64 = clipboard.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        return is_base64.then_some((command.len() + 4, false));
    }
    let body = text.strip_prefix("\u{1b}[")?;
    let end = body.find(|c: char| ('@'..='~').contains(&c))?;
    let (parameters, last) = (&body[..end], body.as_bytes()[end]);
    let numbers = |most: usize| {
        let all: Option<Vec<u32>> = parameters.split(';').map(|number| number.parse().ok()).collect();
        all.filter(|all| all.len() <= most)
    };
    let length = 2 + end + 1;
    let mut bottom = false;
    let is_allowed = match last {
        b'H' => {
            bottom = parameters == "999;1";
            numbers(2).is_some_and(|at| at.len() == 2 && at.iter().all(|number| (1..=1000).contains(number)))
        }
        b'm' => numbers(20).is_some_and(|numbers| is_look(&numbers)),
        b'J' | b'K' => parameters.is_empty(),
        b'h' | b'l' => ["?25", "?1049", "?2004"].contains(&parameters),
        b'q' => matches!(parameters.as_bytes(), [b'0'..=b'6', b' ']),
        b't' => ["22;2", "23;2"].contains(&parameters),
        _ => false,
    };
    is_allowed.then_some((length, bottom))
}

/// Attributes and colours, each whole.
fn is_look(numbers: &[u32]) -> bool {
    match numbers {
        [] => true,
        [38 | 48, 5, index, rest @ ..] => *index < 256 && is_look(rest),
        [38 | 48, 2, red, green, blue, rest @ ..] => [red, green, blue].into_iter().all(|part| *part < 256) && is_look(rest),
        [0 | 1 | 2 | 3 | 4 | 7 | 9 | 30..=37 | 40..=47 | 90..=97 | 100..=107, rest @ ..] => is_look(rest),
        _ => false,
    }
}

/// Control characters, and what changes direction or cannot be seen; accents belong to the character before them.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[test]
fn the_grammar_knows_what_acts() {
    assert_eq!(check("\u{1b}[0mhi \u{1b}[1;38;5;9;48;2;1;2;3m\u{1b}[2;3H日\u{1b}[999;1H\n\n\u{1b}[?25l".as_bytes()).unwrap().lines, 2);
    for wrong in [
        "a\nb",
        "\r",
        "\u{1b}[6n",
        "\u{1b}[c",
        "\u{1b}]0;x\u{7}",
        "\u{1b}]8;;http://x\u{1b}\\",
        "\u{1b}P$q\u{1b}\\",
        "\u{1b}[?1000h",
        "\u{1b}[3J",
        "\u{1b}c",
        "\u{9b}2J",
        "\u{202e}",
        "\u{1b}[38;5m",
        "\u{1b}[>4;1m",
        "\u{1b}]52;c;?\u{1b}\\",
        "\u{1b}[2;3r",
        "\u{1b}[?7l",
    ] {
        assert!(check(wrong.as_bytes()).is_err(), "{wrong:?}");
    }
}
