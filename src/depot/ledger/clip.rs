use super::types::Event;
use crate::depot::names::{LONGEST_FILE, LONGEST_PROJECT};

const LONGEST_VERSION: usize = 128;
const LONGEST_NOTE: usize = 320;

/// An event whose texts take no more room than they are worth: a sandbox chose some of them.
pub(super) fn clipped(mut event: Event) -> Event {
    clip(&mut event.project, LONGEST_PROJECT);
    clip(&mut event.file, LONGEST_FILE);
    clip(&mut event.version, LONGEST_VERSION);
    clip(&mut event.note, LONGEST_NOTE);
    event
}

fn clip(text: &mut String, most: usize) {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let mut text = "é".repeat(200);
        clip(&mut text, LONGEST_PROJECT + 1);
        assert_eq!(text.len(), LONGEST_PROJECT);
        clip(&mut text, 3);
        assert_eq!(text, "é");
    }
}
