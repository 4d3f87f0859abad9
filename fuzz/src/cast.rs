//! Whatever is in a file that is to be replayed: it is refused in words, or what is shown of it is plain text of a bounded size.

use palisade::headless::replay::last_screen;

/// Sizes that a recording may change to in one input: each is work for a whole screen.
const SIZES: usize = 32;

/// The whole of a file.
pub fn check(data: &[u8]) {
    if data.windows(3).filter(|part| part == b"\"r\"").count() > SIZES {
        return;
    }
    match last_screen(data) {
        Ok(text) => {
            assert!(text.lines().count() <= 500 && text.lines().all(|line| line.chars().count() <= 2000), "larger than any screen");
            assert!(!text.chars().any(acts), "{text:?}");
        }
        Err(failure) => assert!(!failure.message.chars().any(char::is_control), "{failure}"),
    }
}

/// Accents are drawn with the character before them; what turns the writing round or cannot be seen is not.
fn acts(c: char) -> bool {
    c.is_control() && c != '\n' || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
