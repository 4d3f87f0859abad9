//! The operator's terminal: taken over, drawn on, and given back as it was, however the program ends.

use std::io::{self, BufWriter, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use nix::sys::termios::{FlushArg, tcflush};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};

use crate::dashboard::app::State;
use crate::dashboard::view;
use crate::failure::{Failure, Result};

/// Whether the terminal is ours at this moment, for whoever must give it back in a hurry.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// What a terminal still sends after it was told to send no more comes within this.
const REST: Duration = Duration::from_millis(30);
/// A frame is one write.
const BUFFER: usize = 256 << 10;

/// The terminal while the dashboard has it.
pub struct Terminal {
    inner: ratatui::Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    mouse: bool,
}

impl Terminal {
    /// Takes it over.
    pub fn open(mouse: bool) -> Result<Self> {
        let backend = CrosstermBackend::new(BufWriter::with_capacity(BUFFER, io::stdout()));
        let inner = ratatui::Terminal::new(backend).map_err(told("use the terminal"))?;
        let mut terminal = Self { inner, mouse };
        terminal.enter()?;
        Ok(terminal)
    }

    /// Takes it over again, and draws everything anew.
    pub fn enter(&mut self) -> Result<()> {
        enable_raw_mode().map_err(told("set the terminal to raw mode"))?;
        TAKEN.store(true, Ordering::SeqCst);
        let mut out = io::stdout();
        execute!(out, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide).map_err(told("write to the terminal"))?;
        if self.mouse {
            execute!(out, EnableMouseCapture).map_err(told("write to the terminal"))?;
        }
        self.redraw()
    }

    /// Gives it back for a while.
    pub fn leave() {
        give_back();
    }

    /// Gives it back for good. What the mouse has told meanwhile, such as the end of the click on 'quit', is not typed into the shell.
    pub async fn leave_for_good() {
        let _ = execute!(io::stdout(), DisableMouseCapture);
        // Still in raw mode: what comes is neither echoed nor read.
        tokio::time::sleep(REST).await;
        let _ = tcflush(io::stdin(), FlushArg::TCIFLUSH);
        give_back();
    }

    /// Columns and lines.
    pub fn size(&self) -> Result<(u16, u16)> {
        let size = self.inner.size().map_err(told("ask the terminal's size"))?;
        Ok((size.width, size.height))
    }

    /// Forgets what is drawn. As a resize: `clear` asks the terminal where its cursor is, and whoever reads keys would take
    /// the answer for one.
    pub fn redraw(&mut self) -> Result<()> {
        let size = self.inner.size().map_err(told("ask the terminal's size"))?;
        self.inner.resize(Rect::from((Position::ORIGIN, size))).map_err(told("clear the terminal"))
    }

    /// Draws what changed, as one update.
    pub fn draw(&mut self, state: &State) -> Result<()> {
        queue!(self.inner.backend_mut(), BeginSynchronizedUpdate).map_err(told("draw"))?;
        self.inner.draw(|frame| view::draw(state, frame)).map_err(told("draw"))?;
        execute!(self.inner.backend_mut(), EndSynchronizedUpdate).map_err(told("draw"))
    }

    /// Rings its bell.
    pub fn bell(&mut self) -> Result<()> {
        execute!(self.inner.backend_mut(), Print('\u{7}')).map_err(told("write to the terminal"))
    }

    /// Puts a text on the clipboard, where the terminal does that (OSC 52).
    pub fn copy(&mut self, text: &str) -> Result<()> {
        execute!(self.inner.backend_mut(), CopyToClipboard::to_clipboard_from(text)).map_err(told("write to the terminal"))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn told(doing: &'static str) -> impl Fn(io::Error) -> Failure {
    move |error| Failure::io(doing, &error)
}

/// Puts the terminal back as it was, where it is ours. Nothing is left to do about a failure.
pub fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        let _ = execute!(out, EndSynchronizedUpdate, DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
        let _ = out.flush();
    }
}
