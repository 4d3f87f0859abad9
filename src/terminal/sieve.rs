//! What of a terminal's language reaches the screen: each line here is something that a sandbox may do. What is not
//! forwarded has no effect, whatever the emulator could do with it: colour palettes, hyperlinks, key and mouse protocols
//! beyond the usual, queries of the window.

use alacritty_terminal::Term;
use alacritty_terminal::event::{Event, EventListener};
use alacritty_terminal::grid::{Dimensions, GridCell};
use alacritty_terminal::index::{Column, Line, Point};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::vte::ansi::{
    Attr, CharsetIndex, ClearMode, CursorShape, CursorStyle, Handler, LineClearMode, Mode, NamedPrivateMode, PrivateMode, StandardCharset,
    TabulationClearMode,
};
use std::ops::Range;
use std::sync::mpsc;

use super::guard::LONGEST_COMMAND;
use super::halves;

/// Accents and the like on one character; more are left out, or a cell could grow without end.
const MOST_MARKS: usize = 4;
/// Characters of a title.
const LONGEST_TITLE: usize = 256;

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

/// What is known of the terminal beside the emulator, which keeps it to itself.
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

/// Stands between the parser and the emulator.
pub(super) struct Sieve<'a> {
    pub term: &'a mut Term<Ear>,
    pub beside: &'a mut Beside,
}

impl Sieve<'_> {
    /// Whether one more mark can be put on the character before the cursor.
    fn takes_mark(&self) -> bool {
        let grid = self.term.grid();
        let at = grid.cursor.point;
        let back = |column: usize| column.saturating_sub(1);
        let mut column = if grid.cursor.input_needs_wrap { at.column.0 } else { back(at.column.0) };
        if grid[at.line][Column(column)].flags.contains(Flags::WIDE_CHAR_SPACER) {
            column = back(column);
        }
        grid[at.line][Column(column)].zerowidth().is_none_or(|marks| marks.len() < MOST_MARKS)
    }

    /// Where the cursor is, half of a wide character may have gone.
    fn mend(&mut self) {
        let line = self.term.grid().cursor.point.line;
        halves::mend(self.term, line);
    }

    fn line(&self) -> usize {
        usize::try_from(self.term.grid().cursor.point.line.0).unwrap_or(0)
    }

    fn column(&self) -> usize {
        self.term.grid().cursor.point.column.0
    }

    /// Whether nothing is on the primary screen and nothing above it.
    fn is_untouched(&self) -> bool {
        let (grid, mut line) = (self.term.grid(), Line(0));
        let rows = std::iter::from_fn(|| {
            let row = (line <= self.term.bottommost_line()).then(|| &grid[line]);
            line += 1;
            row
        });
        grid.history_size() == 0 && rows.flatten().all(GridCell::is_empty)
    }

    /// So many lines up: a region's first line is not passed from within it or below.
    fn above(&self, count: usize) -> usize {
        let top = self.beside.region.as_ref().map_or(0, |region| region.start - 1);
        let least = if self.line() >= top { top } else { 0 };
        self.line().saturating_sub(count).max(least)
    }

    /// So many lines down: a region's last line is not passed from within it or above.
    fn below(&self, count: usize) -> usize {
        let last = self.term.screen_lines() - 1;
        let bottom = self.beside.region.as_ref().map_or(last, |region| region.end - 1);
        let most = if self.line() <= bottom { bottom } else { last };
        self.line().saturating_add(count).min(most)
    }

    /// Puts the cursor there. The emulator's own way takes a line for one of the region's where the origin is there (DECOM), also
    /// when it is told to move from where it is.
    fn place(&mut self, line: usize, column: usize) {
        // What was written where it leaves from has changed: the emulator notes that only at moves of its own, and this is one to nowhere.
        self.term.move_forward(0);
        let last = self.term.columns() - 1;
        let cursor = &mut self.term.grid_mut().cursor;
        cursor.point.line = Line(i32::try_from(line).unwrap_or(0));
        cursor.point.column = Column(column.min(last));
        cursor.input_needs_wrap = false;
    }

    /// No count moves further than the screen is large.
    fn most(&self, count: usize) -> usize {
        count.min(self.term.columns().max(self.term.screen_lines()))
    }
}

/// The private modes that a sandbox may set on its own screen; 47 and 1047 are the older ways to say 1049.
fn allowed(mode: PrivateMode) -> Option<PrivateMode> {
    match mode {
        PrivateMode::Unknown(47 | 1047) => Some(NamedPrivateMode::SwapScreenAndSetRestoreCursor.into()),
        PrivateMode::Named(
            NamedPrivateMode::CursorKeys
            | NamedPrivateMode::ColumnMode
            | NamedPrivateMode::Origin
            | NamedPrivateMode::LineWrap
            | NamedPrivateMode::ShowCursor
            | NamedPrivateMode::ReportMouseClicks
            | NamedPrivateMode::ReportCellMouseMotion
            | NamedPrivateMode::ReportAllMouseMotion
            | NamedPrivateMode::SgrMouse
            | NamedPrivateMode::AlternateScroll
            | NamedPrivateMode::SwapScreenAndSetRestoreCursor
            | NamedPrivateMode::BracketedPaste,
        ) => Some(mode),
        PrivateMode::Named(
            NamedPrivateMode::BlinkingCursor
            | NamedPrivateMode::ReportFocusInOut
            | NamedPrivateMode::Utf8Mouse
            | NamedPrivateMode::UrgencyHints
            | NamedPrivateMode::SyncUpdate,
        )
        | PrivateMode::Unknown(_) => None,
    }
}

impl Handler for Sieve<'_> {
    fn input(&mut self, c: char) {
        // Everything below U+0300 has a width.
        if c < '\u{300}' || unicode_width::UnicodeWidthChar::width(c) != Some(0) || self.takes_mark() {
            self.term.input(c);
            if self.term.mode().contains(TermMode::INSERT) {
                self.mend();
            }
        }
    }

    fn set_title(&mut self, title: Option<String>) {
        self.beside.title = Some(title.unwrap_or_default().chars().take(LONGEST_TITLE).collect());
    }

    fn clipboard_store(&mut self, _: u8, text: &[u8]) {
        // One that was cut would be another text.
        if text.len() + 16 < LONGEST_COMMAND {
            self.beside.clipboard = Some(text.to_vec());
        }
    }

    fn bell(&mut self) {
        self.beside.bells = self.beside.bells.saturating_add(1);
    }

    fn set_cursor_style(&mut self, style: Option<CursorStyle>) {
        self.term.set_cursor_style(style);
    }

    fn set_cursor_shape(&mut self, shape: CursorShape) {
        self.term.set_cursor_shape(shape);
    }

    fn goto(&mut self, line: i32, column: usize) {
        self.term.goto(line, column);
    }

    fn goto_line(&mut self, line: i32) {
        self.term.goto_line(line);
    }

    fn goto_col(&mut self, column: usize) {
        self.place(self.line(), column);
    }

    fn insert_blank(&mut self, count: usize) {
        self.term.insert_blank(self.most(count));
        self.mend();
    }

    fn move_up(&mut self, count: usize) {
        self.place(self.above(count), self.column());
    }

    fn move_down(&mut self, count: usize) {
        self.place(self.below(count), self.column());
    }

    fn move_forward(&mut self, count: usize) {
        self.term.move_forward(self.most(count));
    }

    fn move_backward(&mut self, count: usize) {
        self.term.move_backward(self.most(count));
    }

    fn move_down_and_cr(&mut self, count: usize) {
        self.place(self.below(count), 0);
    }

    fn move_up_and_cr(&mut self, count: usize) {
        self.place(self.above(count), 0);
    }

    fn identify_terminal(&mut self, intermediate: Option<char>) {
        self.term.identify_terminal(intermediate);
    }

    fn device_status(&mut self, which: usize) {
        self.term.device_status(which);
    }

    fn report_mode(&mut self, mode: Mode) {
        self.term.report_mode(mode);
    }

    fn report_private_mode(&mut self, mode: PrivateMode) {
        self.term.report_private_mode(mode);
    }

    fn put_tab(&mut self, count: u16) {
        self.term.put_tab(count);
    }

    fn backspace(&mut self) {
        self.term.backspace();
    }

    fn carriage_return(&mut self) {
        self.term.carriage_return();
    }

    fn linefeed(&mut self) {
        self.term.linefeed();
    }

    fn substitute(&mut self) {
        self.term.substitute();
    }

    fn newline(&mut self) {
        self.term.newline();
    }

    fn set_horizontal_tabstop(&mut self) {
        self.term.set_horizontal_tabstop();
    }

    fn clear_tabs(&mut self, mode: TabulationClearMode) {
        self.term.clear_tabs(mode);
    }

    fn set_tabs(&mut self, interval: u16) {
        self.term.set_tabs(interval);
    }

    fn scroll_up(&mut self, count: usize) {
        self.term.scroll_up(self.most(count));
    }

    fn scroll_down(&mut self, count: usize) {
        self.term.scroll_down(self.most(count));
    }

    fn insert_blank_lines(&mut self, count: usize) {
        self.term.insert_blank_lines(self.most(count));
    }

    fn delete_lines(&mut self, count: usize) {
        self.term.delete_lines(self.most(count));
    }

    fn erase_chars(&mut self, count: usize) {
        self.term.erase_chars(self.most(count));
        self.mend();
    }

    fn delete_chars(&mut self, count: usize) {
        self.term.delete_chars(self.most(count));
        self.mend();
    }

    fn move_backward_tabs(&mut self, count: u16) {
        self.term.move_backward_tabs(count);
    }

    fn move_forward_tabs(&mut self, count: u16) {
        self.term.move_forward_tabs(count);
    }

    fn save_cursor_position(&mut self) {
        self.term.save_cursor_position();
    }

    fn restore_cursor_position(&mut self) {
        self.term.restore_cursor_position();
    }

    fn clear_line(&mut self, mode: LineClearMode) {
        self.term.clear_line(mode);
        self.mend();
    }

    fn clear_screen(&mut self, mode: ClearMode) {
        let cursor = self.term.grid().cursor.point;
        match mode {
            // The emulator keeps what it clears, and of an empty screen one line where nothing is kept yet.
            ClearMode::All if self.is_untouched() => {
                self.term.grid_mut().cursor.point = Point::new(Line(0), Column(0));
                self.term.clear_screen(ClearMode::Below);
                self.term.grid_mut().cursor.point = cursor;
            }
            // The emulator leaves the first line out where the cursor is in the second.
            ClearMode::Above if cursor.line == 1 => {
                self.term.grid_mut().cursor.point = Point::new(Line(0), Column(0));
                self.term.clear_line(LineClearMode::All);
                self.term.grid_mut().cursor.point = cursor;
                self.term.clear_screen(mode);
            }
            ClearMode::All | ClearMode::Above | ClearMode::Below | ClearMode::Saved => self.term.clear_screen(mode),
        }
        self.mend();
    }

    fn reset_state(&mut self) {
        self.beside.region = None;
        self.beside.charset = CharsetIndex::G0;
        self.term.reset_state();
    }

    fn reverse_index(&mut self) {
        self.term.reverse_index();
    }

    fn terminal_attribute(&mut self, attribute: Attr) {
        // SGR 21 is a double underline to xterm and ECMA-48; only to the parser it is the end of bold.
        let attribute = if attribute == Attr::CancelBold { Attr::DoubleUnderline } else { attribute };
        self.term.terminal_attribute(attribute);
    }

    fn set_mode(&mut self, mode: Mode) {
        self.term.set_mode(mode);
    }

    fn unset_mode(&mut self, mode: Mode) {
        self.term.unset_mode(mode);
    }

    fn set_private_mode(&mut self, mode: PrivateMode) {
        if let Some(mode) = allowed(mode) {
            if mode == NamedPrivateMode::ColumnMode.into() {
                self.beside.region = None;
            }
            self.term.set_private_mode(mode);
        }
    }

    fn unset_private_mode(&mut self, mode: PrivateMode) {
        if let Some(mode) = allowed(mode) {
            if mode == NamedPrivateMode::ColumnMode.into() {
                self.beside.region = None;
            }
            self.term.unset_private_mode(mode);
        }
    }

    fn set_scrolling_region(&mut self, top: usize, bottom: Option<usize>) {
        let rows = self.term.screen_lines();
        let end = bottom.unwrap_or(rows).min(rows);
        if top < end {
            self.beside.region = (top > 1 || end < rows).then(|| top.max(1)..end);
        }
        self.term.set_scrolling_region(top.max(1), bottom);
    }

    fn set_keypad_application_mode(&mut self) {
        self.term.set_keypad_application_mode();
    }

    fn unset_keypad_application_mode(&mut self) {
        self.term.unset_keypad_application_mode();
    }

    fn set_active_charset(&mut self, charset: CharsetIndex) {
        self.beside.charset = charset;
        self.term.set_active_charset(charset);
    }

    fn configure_charset(&mut self, index: CharsetIndex, charset: StandardCharset) {
        self.term.configure_charset(index, charset);
    }

    fn decaln(&mut self) {
        self.term.decaln();
    }
}
