use std::sync::mpsc;
use std::time::Duration;

use alacritty_terminal::Term;
use alacritty_terminal::grid::{Dimensions, Scroll};
use alacritty_terminal::index::Line;
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::{Config, Osc52, TermDamage, TermMode};
use alacritty_terminal::vte::ansi::{CursorShape, Processor, Timeout};

use super::beside::{Beside, Ear};
use super::cell::Cell;
use super::guard::Guard;
use super::halves;
use super::sieve::Sieve;
use super::size::Size;

/// A terminal: what was written to it, as cells. It takes any bytes in time and room that are bounded by their number.
pub struct Screen {
    pub(super) term: Term<Ear>,
    pub(super) beside: Beside,
    processor: Processor<Never>,
    guard: Guard,
    answers: mpsc::Receiver<String>,
    size: Size,
    /// Lines of the past that it remembers at most.
    past: usize,
    /// Lines that have scrolled off since it began.
    gone: u64,
}

/// What was asked of whoever holds a screen. Nothing of it has been done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// What a terminal answers to whoever writes to it: its kind, where the cursor is. For the writer's input, never for the operator's.
    pub answers: Vec<u8>,
    /// A title; an empty one takes it back. From the sandbox: to be sanitised before it is shown.
    pub title: Option<String>,
    /// To be put on the clipboard, in base64 as it came.
    pub clipboard: Option<Vec<u8>>,
    /// So many bells.
    pub bells: u32,
}

/// How the program that writes wants to be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "modes of a terminal, each on or off")]
pub struct Modes {
    /// Cursor keys are sent as `ESC O A` (DECCKM).
    pub application_cursor: bool,
    /// The keypad's keys are sent as sequences (DECKPAM).
    pub application_keypad: bool,
    /// What is pasted stands in brackets (2004).
    pub bracketed_paste: bool,
    /// It draws on the alternate screen (1049).
    pub alternate: bool,
    /// There, the wheel is sent as cursor keys (1007), where the mouse is not reported.
    pub alternate_scroll: bool,
    /// What of the mouse is reported.
    pub mouse: Mouse,
    /// It is reported in SGR's way (1006), else in X11's.
    pub sgr_mouse: bool,
}

/// What of the mouse a program wants to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub enum Mouse {
    /// Nothing.
    #[default]
    Off,
    /// Buttons (1000).
    Buttons,
    /// Motion while a button is held too (1002).
    Drag,
    /// Every motion (1003).
    Motion,
}

impl Screen {
    /// An empty one that remembers so many lines that have scrolled off.
    pub fn new(size: Size, past: usize) -> Self {
        let (ear, answers) = mpsc::channel();
        Self {
            term: Term::new(config(past), &size, Ear(ear)),
            beside: Beside::default(),
            processor: Processor::new(),
            guard: Guard::default(),
            answers,
            size,
            past,
            gone: 0,
        }
    }

    /// Takes what was written.
    pub fn feed(&mut self, bytes: &[u8]) -> Asked {
        let before = self.mark_place();
        let mut sieve = Sieve { term: &mut self.term, beside: &mut self.beside };
        let processor = &mut self.processor;
        self.guard.pass(bytes, |part| processor.advance(&mut sieve, part));
        self.count_gone(before);
        Asked {
            answers: self.answers.try_iter().flat_map(String::into_bytes).collect(),
            title: self.beside.title.take(),
            clipboard: self.beside.clipboard.take(),
            bells: std::mem::take(&mut self.beside.bells),
        }
    }

    /// Takes another size; lines that no longer fit are wrapped anew.
    pub fn resize(&mut self, size: Size) {
        if size != self.size {
            self.size = size;
            self.beside.region = None;
            self.term.resize(size);
            let last = self.term.columns() - 1;
            let cursor = &mut self.term.grid_mut().cursor;
            // On the alternate screen the emulator would still begin a new line after what was the last column.
            if cursor.input_needs_wrap && cursor.point.column < last {
                cursor.input_needs_wrap = false;
                cursor.point.column += 1;
            }
            // There it cuts lines, also between a wide character's halves.
            for line in self.term.topmost_line().0..=self.term.bottommost_line().0 {
                halves::mend(&mut self.term, Line(line));
            }
        }
    }

    /// How large it is.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Lines of the past that are remembered now; none on the alternate screen.
    pub fn past(&self) -> usize {
        self.term.history_size()
    }

    /// Lines that have scrolled off since it began: whoever looks back goes on seeing the same ones by it.
    pub const fn gone(&self) -> u64 {
        self.gone
    }

    /// The emulator moves what is looked at with the lines: one line back is the mark.
    fn mark_place(&mut self) -> usize {
        self.term.grid_mut().scroll_display(Scroll::Bottom);
        self.term.grid_mut().scroll_display(Scroll::Delta(1));
        self.past()
    }

    /// Where the past is full, the mark says how many lines went; else its growth does.
    fn count_gone(&mut self, before: usize) {
        let moved = self.term.grid().display_offset().saturating_sub(1);
        self.term.grid_mut().scroll_display(Scroll::Bottom);
        let now = self.past();
        let more = if before > 0 && now == self.past { moved } else { now.saturating_sub(before) };
        self.gone += u64::try_from(more).unwrap_or(0);
    }

    /// Remembers so many lines of the past from now on; the oldest are forgotten.
    pub fn keep(&mut self, past: usize) {
        if past != self.past {
            self.past = past;
            self.term.set_options(config(past));
        }
    }

    /// The rows that may look otherwise than when this was asked last; `None` where any may.
    pub fn changed(&mut self) -> Option<Vec<u16>> {
        let rows = match self.term.damage() {
            TermDamage::Full => None,
            TermDamage::Partial(lines) => Some(lines.filter_map(|line| u16::try_from(line.line).ok()).collect()),
        };
        self.term.reset_damage();
        rows
    }

    /// Forgets the past.
    pub fn forget(&mut self) {
        self.term.grid_mut().clear_history();
    }

    /// The cells of a line: the screen's from 0 at the top, the past's before it, `-1` the last that scrolled off. Nothing for a line
    /// that is not there.
    pub fn line(&self, line: i32) -> impl Iterator<Item = Cell> + '_ {
        let is_there = (self.term.topmost_line()..=self.term.bottommost_line()).contains(&Line(line));
        let row = is_there.then(|| &self.term.grid()[Line(line)]);
        row.into_iter().flat_map(|row| row.into_iter().map(Cell::of))
    }

    /// Whether a line goes on in the next, because it was too long.
    pub fn is_wrapped(&self, line: i32) -> bool {
        let is_there = (self.term.topmost_line()..=self.term.bottommost_line()).contains(&Line(line));
        is_there && self.term.grid()[Line(line)].into_iter().next_back().is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE))
    }

    /// Where the cursor is, as column and row from 0.
    pub fn cursor(&self) -> (u16, u16) {
        let point = self.term.grid().cursor.point;
        (u16::try_from(point.column.0).unwrap_or(0), u16::try_from(point.line.0).unwrap_or(0))
    }

    /// Whether the cursor is to be seen.
    pub fn shows_cursor(&self) -> bool {
        self.term.mode().contains(TermMode::SHOW_CURSOR)
    }

    /// The cursor's shape, as DECSCUSR numbers it: 0 for the terminal's own.
    pub fn cursor_shape(&self) -> u8 {
        let style = self.term.cursor_style();
        let steady = u8::from(!style.blinking);
        match style.shape {
            CursorShape::Underline => 3 + steady,
            CursorShape::Beam => 5 + steady,
            CursorShape::Block if style.blinking => 1,
            CursorShape::Block | CursorShape::HollowBlock | CursorShape::Hidden => 0,
        }
    }

    /// How the program wants to be written to.
    pub fn modes(&self) -> Modes {
        let mode = *self.term.mode();
        let mouse = if mode.contains(TermMode::MOUSE_MOTION) {
            Mouse::Motion
        } else if mode.contains(TermMode::MOUSE_DRAG) {
            Mouse::Drag
        } else if mode.contains(TermMode::MOUSE_REPORT_CLICK) {
            Mouse::Buttons
        } else {
            Mouse::Off
        };
        Modes {
            application_cursor: mode.contains(TermMode::APP_CURSOR),
            application_keypad: mode.contains(TermMode::APP_KEYPAD),
            bracketed_paste: mode.contains(TermMode::BRACKETED_PASTE),
            alternate: mode.contains(TermMode::ALT_SCREEN),
            alternate_scroll: mode.contains(TermMode::ALTERNATE_SCROLL),
            mouse,
            sgr_mouse: mode.contains(TermMode::SGR_MOUSE),
        }
    }
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen").field("size", &self.size).field("past", &self.past()).finish_non_exhaustive()
    }
}

fn config(past: usize) -> Config {
    Config { scrolling_history: past, kitty_keyboard: false, osc52: Osc52::Disabled, ..Config::default() }
}

/// Synchronised updates (2026) are not waited for: one that never ends would hold the screen.
#[derive(Default)]
struct Never;

impl Timeout for Never {
    fn set_timeout(&mut self, _: Duration) {}

    fn clear_timeout(&mut self) {}

    fn pending_timeout(&self) -> bool {
        false
    }
}
