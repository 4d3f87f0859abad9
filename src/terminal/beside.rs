//! What is known of a terminal beside the emulator, which keeps it to itself or says it aloud.

use std::ops::Range;
use std::sync::mpsc;

use alacritty_terminal::event::{Event, EventListener};
use alacritty_terminal::vte::ansi::CharsetIndex;

/// What the emulator itself says: only its answers count.
pub(super) struct Ear(pub mpsc::Sender<String>);

impl EventListener for Ear {
    fn send_event(&self, event: Event) {
        if let Event::PtyWrite(text) = event {
            // Gone with its screen.
            let _ = self.0.send(text);
        }
    }
}

/// What of the terminal is kept here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Beside {
    /// Rows that scroll, where not all do.
    pub region: Option<Range<usize>>,
    /// Which character set is in use.
    pub charset: CharsetIndex,
    /// Bells rung.
    pub bells: u32,
    /// The title last set; an empty one takes it back.
    pub title: Option<String>,
    /// What was last to be put on the clipboard, in base64.
    pub clipboard: Option<Vec<u8>>,
}

impl Default for Beside {
    fn default() -> Self {
        Self { region: None, charset: CharsetIndex::G0, bells: 0, title: None, clipboard: None }
    }
}
