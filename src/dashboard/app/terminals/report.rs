//! What a terminal sends for the mouse, in X11's way and in SGR's.

use super::super::pointer::{Button, Gesture, Pointer};
use crate::terminal::{Modes, Mouse};

/// The furthest that X11's way can tell.
const FURTHEST: u16 = 222;

/// What is sent for what the mouse did at a column and a row of the terminal, where its program wants to hear it.
pub fn reported(pointer: &Pointer, (column, row): (u16, u16), modes: Modes) -> Option<Vec<u8>> {
    let button = |button| match button {
        Button::Left => 0,
        Button::Middle => 1,
        Button::Right => 2,
    };
    let (code, wanted, released) = match pointer.gesture {
        Gesture::Press(which) => (button(which), Mouse::Buttons, false),
        // X11's way does not tell which.
        Gesture::Release(which) => (if modes.sgr_mouse { button(which) } else { 3 }, Mouse::Buttons, true),
        Gesture::Drag(which) => (button(which) + 32, Mouse::Drag, false),
        Gesture::Move => (3 + 32, Mouse::Motion, false),
        Gesture::WheelUp => (64, Mouse::Buttons, false),
        Gesture::WheelDown => (65, Mouse::Buttons, false),
    };
    if modes.mouse < wanted {
        return None;
    }
    let code = code + 8 * u8::from(pointer.alt) + 16 * u8::from(pointer.ctrl);
    if modes.sgr_mouse {
        let last = if released { 'm' } else { 'M' };
        return Some(format!("\u{1b}[<{code};{};{}{last}", column + 1, row + 1).into_bytes());
    }
    let place = |at: u16| u8::try_from(at + 33).ok().filter(|_| at <= FURTHEST);
    Some(vec![0x1b, b'[', b'M', code + 32, place(column)?, place(row)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(gesture: Gesture, at: (u16, u16), mouse: Mouse, sgr_mouse: bool) -> Option<String> {
        let modes = Modes { mouse, sgr_mouse, ..Modes::default() };
        reported(&Pointer::at(gesture, 90, 90), at, modes).map(|bytes| bytes.into_iter().map(char::from).collect())
    }

    #[test]
    fn a_program_hears_what_it_asked_for() {
        use Gesture::{Drag, Move, Press, Release, WheelDown};
        let left = Button::Left;
        for (gesture, mouse, told) in [
            (Press(left), Mouse::Off, None),
            (Press(left), Mouse::Buttons, Some("\u{1b}[<0;1;2M")),
            (Release(left), Mouse::Buttons, Some("\u{1b}[<0;1;2m")),
            (Drag(left), Mouse::Buttons, None),
            (Drag(Button::Right), Mouse::Drag, Some("\u{1b}[<34;1;2M")),
            (Move, Mouse::Drag, None),
            (Move, Mouse::Motion, Some("\u{1b}[<35;1;2M")),
            (WheelDown, Mouse::Buttons, Some("\u{1b}[<65;1;2M")),
        ] {
            assert_eq!(sent(gesture, (0, 1), mouse, true).as_deref(), told, "{gesture:?} with {mouse:?}");
        }
        assert_eq!(sent(Release(left), (0, 1), Mouse::Buttons, false).as_deref(), Some("\u{1b}[M#!\""));
        assert_eq!(sent(Press(left), (222, 0), Mouse::Buttons, false).as_deref(), Some("\u{1b}[M \u{ff}!"));
        assert_eq!(sent(Press(left), (223, 0), Mouse::Buttons, false), None, "further than a byte can tell");
    }
}
