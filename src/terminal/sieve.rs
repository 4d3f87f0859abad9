//! What of a terminal's language reaches the screen: each line here is something that a sandbox may do. What is not
//! forwarded has no effect, whatever the emulator could do with it: colour palettes, hyperlinks, key and mouse protocols
//! beyond the usual, queries of the window.

mod cursor;

use alacritty_terminal::Term;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line, Point};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::vte::ansi::{
    Attr, CharsetIndex, ClearMode, CursorShape, CursorStyle, Handler, LineClearMode, Mode, NamedPrivateMode, PrivateMode, StandardCharset,
    TabulationClearMode,
};

use super::beside::{Beside, Ear};
use super::guard::LONGEST_COMMAND;

/// Characters of a title.
const LONGEST_TITLE: usize = 256;

/// Stands between the parser and the emulator.
pub(super) struct Sieve<'a> {
    pub term: &'a mut Term<Ear>,
    pub beside: &'a mut Beside,
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
