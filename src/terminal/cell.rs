use alacritty_terminal::term::cell::{Cell as Raw, Flags};
use alacritty_terminal::vte::ansi::Color;

use crate::units::plain_width;

/// One cell as it may be drawn: a character that no terminal acts on, and how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The character; a blank where there is none, a question mark of its width where it is one that is not shown.
    pub c: char,
    /// A combining mark over it, if it has one; a second and further ones are left out.
    pub mark: Option<char>,
    /// Columns: 2 for a wide character, 0 for the cell that it covers.
    pub width: u8,
    /// How it looks.
    pub look: Look,
}

/// How a cell looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "attributes of a terminal, each on or off")]
pub struct Look {
    /// Of the character.
    pub foreground: Colour,
    /// Behind it.
    pub background: Colour,
    #[expect(missing_docs, reason = "ECMA-48 says what they are")]
    pub bold: bool,
    #[expect(missing_docs, reason = "ECMA-48 says what they are")]
    pub dim: bool,
    #[expect(missing_docs, reason = "ECMA-48 says what they are")]
    pub italic: bool,
    #[expect(missing_docs, reason = "ECMA-48 says what they are")]
    pub underline: bool,
    #[expect(missing_docs, reason = "ECMA-48 says what they are")]
    pub inverse: bool,
    #[expect(missing_docs, reason = "ECMA-48 says what they are")]
    pub strikeout: bool,
}

/// A colour as a program names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colour {
    /// The terminal's own.
    #[default]
    Default,
    /// Of the terminal's palette: 0 to 7 and their bright ones, the cube, the greys.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

impl Cell {
    pub(super) fn of(raw: &Raw) -> Self {
        let look = Look::of(raw);
        if raw.flags.contains(Flags::HIDDEN) {
            // Hidden text is not shown to anyone, so that it cannot be copied unseen.
            return Self { c: ' ', mark: None, width: 1, look };
        }
        if raw.flags.intersects(Flags::WIDE_CHAR_SPACER) {
            return Self { c: ' ', mark: None, width: 0, look };
        }
        let width = if raw.flags.contains(Flags::WIDE_CHAR) { 2 } else { 1 };
        let c = match raw.c {
            // A tab is kept where it began.
            '\t' => ' ',
            c if plain_width(c) == Some(usize::from(width)) => c,
            // As wide as what it stands for, or all that follows on its line would move.
            _ if width == 2 => '\u{ff1f}',
            _ => '?',
        };
        let mark = raw.zerowidth().and_then(|marks| marks.iter().copied().find(|mark| is_mark(*mark)));
        Self { c, mark: mark.filter(|_| c != ' '), width, look }
    }

    /// Whether nothing is drawn.
    pub fn is_blank(&self) -> bool {
        self.c == ' ' && self.look.background == Colour::Default && !self.look.inverse && !self.look.underline && !self.look.strikeout
    }
}

/// Accents and their like, which every terminal draws into the character before them.
const fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{34e}' | '\u{350}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20dc}' | '\u{3099}' | '\u{309a}')
}

impl Look {
    fn of(raw: &Raw) -> Self {
        let has = |flag| raw.flags.intersects(flag);
        Self {
            foreground: Colour::of(raw.fg),
            background: Colour::of(raw.bg),
            bold: has(Flags::BOLD),
            dim: has(Flags::DIM),
            italic: has(Flags::ITALIC),
            underline: has(Flags::ALL_UNDERLINES),
            inverse: has(Flags::INVERSE),
            strikeout: has(Flags::STRIKEOUT),
        }
    }

    /// The control sequence that makes a terminal write so, from whatever it wrote before (ECMA-48, SGR).
    pub fn sgr(&self) -> String {
        let mut codes = vec!["0".to_owned()];
        for (is_on, code) in
            [(self.bold, "1"), (self.dim, "2"), (self.italic, "3"), (self.underline, "4"), (self.inverse, "7"), (self.strikeout, "9")]
        {
            if is_on {
                codes.push(code.to_owned());
            }
        }
        codes.extend(self.foreground.code(30));
        codes.extend(self.background.code(40));
        format!("\u{1b}[{}m", codes.join(";"))
    }
}

impl Colour {
    fn of(colour: Color) -> Self {
        match colour {
            Color::Spec(rgb) => Self::Rgb(rgb.r, rgb.g, rgb.b),
            Color::Indexed(index) => Self::Indexed(index),
            // What is named and none of the palette's is the terminal's own.
            Color::Named(name) => u8::try_from(name as usize).map_or(Self::Default, Self::Indexed),
        }
    }

    /// As a parameter of SGR, for the foreground from 30 or the background from 40.
    fn code(self, from: u8) -> Option<String> {
        match self {
            Self::Default => None,
            Self::Indexed(index @ 0..=7) => Some((from + index).to_string()),
            Self::Indexed(index @ 8..=15) => Some((from + 60 + index - 8).to_string()),
            Self::Indexed(index) => Some(format!("{};5;{index}", from + 8)),
            Self::Rgb(red, green, blue) => Some(format!("{};2;{red};{green};{blue}", from + 8)),
        }
    }
}
