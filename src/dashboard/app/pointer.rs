//! What the mouse did, and where.

/// What the mouse did at a cell of the terminal, from the top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "keys that are held, each or not")]
pub struct Pointer {
    /// What.
    pub gesture: Gesture,
    /// From 0.
    pub column: u16,
    /// From 0.
    pub line: u16,
    /// The second press of the left button on this cell, soon after the first.
    pub double: bool,
    /// With Shift.
    pub shift: bool,
    /// With Alt.
    pub alt: bool,
    /// With Control.
    pub ctrl: bool,
}

/// What a mouse does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say what happened")]
pub enum Gesture {
    Press(Button),
    Release(Button),
    /// Moved with a button held.
    Drag(Button),
    Move,
    WheelUp,
    WheelDown,
}

/// Which button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are where they say")]
pub enum Button {
    Left,
    Middle,
    Right,
}

/// What it comes to for everything that is not a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say what happened")]
pub enum Click {
    Left,
    Double,
    Right,
    WheelUp,
    WheelDown,
}

impl Pointer {
    /// With no key held.
    pub const fn at(gesture: Gesture, column: u16, line: u16) -> Self {
        Self { gesture, column, line, double: false, shift: false, alt: false, ctrl: false }
    }

    /// The click that it is, if it is one.
    pub const fn click(&self) -> Option<Click> {
        match self.gesture {
            Gesture::Press(Button::Left) if self.double => Some(Click::Double),
            Gesture::Press(Button::Left) => Some(Click::Left),
            Gesture::Press(Button::Right) => Some(Click::Right),
            Gesture::WheelUp => Some(Click::WheelUp),
            Gesture::WheelDown => Some(Click::WheelDown),
            Gesture::Press(Button::Middle) | Gesture::Release(_) | Gesture::Drag(_) | Gesture::Move => None,
        }
    }
}
