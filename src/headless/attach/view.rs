//! What becomes of what a session writes, between the connection and the operator's terminal. Time comes in from outside.

use std::time::Duration;

use super::record::Recording;
use crate::terminal::{Beside, Grants, Modes, Renderer, Screen, Size, Uses};

/// Lines that a screen remembers until they are drawn.
const PAST: usize = 2048;
/// So many scrolled lines are drawn before more is taken. A piece of output makes fewer than the rest.
const MOST_LINES: usize = 512;
/// A piece of output.
pub const PIECE: usize = 1024;
/// Of a stream that is passed on as it is, what is held at most.
const MOST_BYTES: usize = 64 << 10;
/// What a program may have left switched on: the keys' and the mouse's modes, the cursor, the look.
const RAW_END: &[u8] =
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1004l\x1b[?2004l\x1b[?1l\x1b>\x1b[<u\x1b[>4;0m\x1b[?25h\x1b[0 q\x1b[0m\r\n";

/// The way from one to the other.
pub struct View {
    way: Way,
    recording: Option<Recording>,
    is_dirty: bool,
}

enum Way {
    /// Drawn anew from cells.
    Drawn(Box<Drawn>),
    /// As it came.
    Raw(Vec<u8>),
}

struct Drawn {
    screen: Screen,
    renderer: Renderer,
    beside: Beside,
    /// What it asked for that is granted.
    extra: Vec<u8>,
}

impl View {
    /// One that draws.
    pub fn drawn(size: Size, name: &str, grants: Grants) -> Self {
        let drawn =
            Drawn { screen: Screen::new(size, PAST), renderer: Renderer::new(size), beside: Beside::new(name, grants), extra: Vec::new() };
        Self { way: Way::Drawn(Box::new(drawn)), recording: None, is_dirty: false }
    }

    /// One that passes everything on.
    pub const fn raw() -> Self {
        Self { way: Way::Raw(Vec::new()), recording: None, is_dirty: false }
    }

    /// Writes down what is drawn.
    pub fn record(&mut self, recording: Option<Recording>) {
        self.recording = recording;
    }

    /// Why the recording ended early, if it did.
    pub fn recording_failure(&mut self) -> Option<crate::failure::Failure> {
        self.recording.as_mut()?.finish()
    }

    /// The first that the terminal is sent.
    pub fn begin(&mut self, now: Duration) -> Vec<u8> {
        let bytes = match &mut self.way {
            Way::Drawn(drawn) => drawn.renderer.begin(),
            Way::Raw(_) => Vec::new(),
        };
        self.write_down(now, &bytes);
        bytes
    }

    /// Takes what a program wrote, and gives what its terminal answers.
    pub fn feed(&mut self, bytes: &[u8], now: Duration) -> Vec<u8> {
        self.is_dirty = true;
        match &mut self.way {
            Way::Drawn(drawn) => {
                let asked = drawn.screen.feed(bytes);
                drawn.extra.extend(drawn.beside.answer(&asked, now));
                asked.answers
            }
            Way::Raw(held) => {
                held.extend_from_slice(bytes);
                Vec::new()
            }
        }
    }

    /// What was shown does not count any more: the whole screen follows.
    pub fn anew(&mut self) {
        self.is_dirty = true;
        match &mut self.way {
            Way::Drawn(drawn) => drawn.screen = Screen::new(drawn.screen.size(), PAST),
            Way::Raw(held) => held.extend_from_slice(b"\x1b[0m\x1b[H\x1b[J"),
        }
    }

    /// The terminal at the other end is this large.
    pub fn far_size(&mut self, size: Size) {
        if let Way::Drawn(drawn) = &mut self.way
            && drawn.screen.size() != size
        {
            drawn.screen.resize(size);
            self.is_dirty = true;
        }
    }

    /// The operator's terminal is this large.
    pub fn resize(&mut self, size: Size, now: Duration) {
        if let Way::Drawn(drawn) = &mut self.way {
            drawn.screen.resize(size);
            drawn.renderer.resize(size);
            self.is_dirty = true;
        }
        if let Some(recording) = &mut self.recording {
            recording.resize(now, size);
        }
    }

    /// The operator's terminal may show anything: all of it is drawn anew.
    pub fn redraw(&mut self) {
        if let Way::Drawn(drawn) = &mut self.way {
            drawn.renderer.resize(drawn.screen.size());
            self.is_dirty = true;
        }
    }

    /// How the program wants to be written to.
    pub fn modes(&self) -> Modes {
        match &self.way {
            Way::Drawn(drawn) => drawn.screen.modes(),
            Way::Raw(_) => Modes::default(),
        }
    }

    /// Whether there is something to be sent.
    pub const fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    /// Whether it must be sent before more is taken.
    pub fn is_full(&self) -> bool {
        match &self.way {
            Way::Drawn(drawn) => drawn.screen.past() >= MOST_LINES,
            Way::Raw(held) => held.len() >= MOST_BYTES,
        }
    }

    /// Whether what is there is sent without waiting for more.
    pub const fn is_prompt(&self) -> bool {
        matches!(self.way, Way::Raw(_))
    }

    /// What the operator's terminal is sent now.
    pub fn frame(&mut self, now: Duration) -> Vec<u8> {
        self.is_dirty = false;
        match &mut self.way {
            Way::Drawn(drawn) => {
                let mut bytes = drawn.renderer.frame(&mut drawn.screen);
                super::tty::note_alternate(drawn.screen.modes().alternate);
                let mut extra = std::mem::take(&mut drawn.extra);
                self.write_down(now, &bytes);
                bytes.append(&mut extra);
                bytes
            }
            Way::Raw(held) => std::mem::take(held),
        }
    }

    /// Time has passed; whether there is something to be sent for it.
    pub fn tick(&mut self, now: Duration) {
        if let Way::Drawn(drawn) = &mut self.way
            && drawn.beside.waits()
        {
            drawn.extra.extend(drawn.beside.answer(&crate::terminal::Asked::default(), now));
            self.is_dirty |= !drawn.extra.is_empty();
        }
    }

    /// Whether time passing makes a difference.
    pub fn waits(&self) -> bool {
        matches!(&self.way, Way::Drawn(drawn) if drawn.beside.waits())
    }

    /// The last that the terminal is sent.
    pub fn end(&mut self, now: Duration) -> (Vec<u8>, Uses) {
        match &mut self.way {
            Way::Drawn(drawn) => {
                let mut bytes = drawn.renderer.end();
                let (mut back, uses) = drawn.beside.end();
                self.write_down(now, &bytes);
                bytes.append(&mut back);
                (bytes, uses)
            }
            Way::Raw(held) => {
                let mut bytes = std::mem::take(held);
                bytes.extend_from_slice(RAW_END);
                (bytes, Uses::default())
            }
        }
    }

    fn write_down(&mut self, now: Duration, bytes: &[u8]) {
        if let Some(recording) = &mut self.recording
            && !bytes.is_empty()
        {
            recording.output(now, bytes);
        }
    }
}
