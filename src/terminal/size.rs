use alacritty_terminal::grid::Dimensions;
use serde::{Deserialize, Serialize};

/// How large a terminal is, in characters, within what a screen affords: whoever asks for more or less gets the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u16, u16)", into = "(u16, u16)")]
pub struct Size {
    columns: u16,
    rows: u16,
}

impl Size {
    /// The widest and highest; a hostile peer may ask for 65,535 each.
    pub const MOST: Self = Self { columns: 1000, rows: 500 };
    /// No program does anything useful in less.
    pub const LEAST: Self = Self { columns: 2, rows: 2 };
    /// What a terminal has that nobody has asked for a size: a VT100's.
    pub const USUAL: Self = Self { columns: 80, rows: 24 };

    /// The nearest that is possible.
    pub fn new(columns: u16, rows: u16) -> Self {
        Self { columns: columns.clamp(Self::LEAST.columns, Self::MOST.columns), rows: rows.clamp(Self::LEAST.rows, Self::MOST.rows) }
    }

    /// Columns.
    pub const fn columns(self) -> u16 {
        self.columns
    }

    /// Rows.
    pub const fn rows(self) -> u16 {
        self.rows
    }
}

impl From<(u16, u16)> for Size {
    fn from((columns, rows): (u16, u16)) -> Self {
        Self::new(columns, rows)
    }
}

impl From<Size> for (u16, u16) {
    fn from(size: Size) -> Self {
        (size.columns, size.rows)
    }
}

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        usize::from(self.rows)
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.rows)
    }

    fn columns(&self) -> usize {
        usize::from(self.columns)
    }
}
