//! A look as it is written: `fg=red bg=#101418 bold`.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};

const NAMES: [(&str, Color); 17] = [
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

const MODIFIERS: [(&str, Modifier); 6] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underline", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
    ("strike", Modifier::CROSSED_OUT),
];

/// Reads a look; colours may be named by the theme itself.
pub(super) fn look(text: &str, own: &BTreeMap<&str, Color>) -> Result<Style, String> {
    let mut style = Style::new();
    for word in text.split_whitespace() {
        if let Some(value) = word.strip_prefix("fg=") {
            style = style.fg(colour(value, own)?);
        } else if let Some(value) = word.strip_prefix("bg=") {
            style = style.bg(colour(value, own)?);
        } else if let Some((_, modifier)) = MODIFIERS.iter().find(|(name, _)| *name == word) {
            style = style.add_modifier(*modifier);
        } else {
            return Err(format!(
                "a look is fg=COLOUR, bg=COLOUR and any of {}, with blanks between",
                MODIFIERS.map(|(name, _)| name).join(", ")
            ));
        }
    }
    Ok(style)
}

/// Reads a colour.
pub(super) fn colour(text: &str, own: &BTreeMap<&str, Color>) -> Result<Color, String> {
    let named = || NAMES.iter().find(|(name, _)| *name == text).map(|(_, colour)| *colour);
    let indexed = || text.parse().ok().map(Color::Indexed);
    let hexadecimal = || {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let channel = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some(Color::Rgb(channel(0)?, channel(2)?, channel(4)?))
    };
    own.get(text).copied().or_else(named).or_else(indexed).or_else(hexadecimal).ok_or_else(|| {
        let own = if own.is_empty() {
            String::new()
        } else {
            format!(", one of the theme's own ({})", own.keys().copied().collect::<Vec<_>>().join(", "))
        };
        format!("a colour is #RRGGBB, a number up to 255, {}{own}", NAMES.map(|(name, _)| name).join(", "))
    })
}
