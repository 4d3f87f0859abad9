//! One select over everything that can happen while a session's terminal is shown at the operator's.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::far::{Far, Order};
use super::frames::Frames;
use super::keyboard::Keyboard;
use super::view::{PIECE, View};
use crate::failure::{Code, Failure};
use crate::headless::foreground::{Signal, Signals};
use crate::terminal::Size;
use crate::terminal::typed::{Translation, Typed};
use crate::terminal::wire::{self, Told};
use crate::units::sanitise;

/// Between two frames while output never pauses.
const FRAME: Duration = Duration::from_millis(16);
/// Typed or pasted and not yet taken by the other end; then the operator's terminal waits.
const MOST_TYPED: usize = 1 << 20;
/// Beyond this a program that asks without end is not answered.
const MOST_ANSWERS: usize = 16 << 10;
/// Of what was typed, one piece on its way.
const TYPED_PIECE: usize = 16 << 10;

/// How it ended.
#[derive(Debug)]
pub enum Ending {
    /// What ran in the terminal ended with this exit code.
    Ended(i32),
    /// The output ended; the exit code is for others to say.
    Closed,
    /// By the detach keys.
    Left,
    /// By a signal to this program.
    Signal(Signal),
    /// The operator's terminal is gone.
    Gone,
    /// The connection is lost, or what came by it made no sense.
    Lost(Failure),
}

/// The operator's side.
pub struct Near<'a> {
    /// What is typed.
    pub keyboard: &'a mut Keyboard,
    /// What is shown.
    pub frames: &'a Frames,
    /// Signals to this program.
    pub signals: &'a mut Signals,
    /// Each time the terminal may have another size, or may show something else.
    pub changes: &'a mut mpsc::Receiver<Change>,
}

/// What may happen to the operator's terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It has this size.
    Size(Size),
    /// This program was stopped and goes on.
    Continued,
}

/// Shows it until it ends.
pub async fn show(view: &mut View, far: Far<'_>, near: Near<'_>, began: Instant) -> Ending {
    let Near { keyboard, frames, signals, changes } = near;
    let Far { mut output, to } = far;
    let answers = to.wants_answers();
    let (to_far, orders) = mpsc::channel(4);
    let carrying = to.carry(orders);
    tokio::pin!(carrying);
    let mut is_carried = true;
    let mut translation = Translation::default();
    let mut typed: VecDeque<u8> = VecDeque::new();
    let mut size: Option<Size> = None;
    let mut piece = Bytes::new();
    // A whole screen comes in full pieces, but for the last.
    let mut is_last = false;
    let mut ending: Option<Ending> = None;
    let mut last_frame: Option<Instant> = None;
    // What answers a key is drawn at once, also when frames are due no sooner than in a while.
    let mut is_awaited = true;
    loop {
        if ending.is_some() && piece.is_empty() && !view.is_dirty() {
            return ending.unwrap_or(Ending::Closed);
        }
        let now = Instant::now();
        let next_frame = last_frame.map_or(now, |last| last + FRAME);
        let is_due = view.is_dirty() && (view.is_full() || view.is_prompt() || is_awaited || ending.is_some() || now >= next_frame);
        tokio::select! {
            biased;
            signal = signals.next() => return Ending::Signal(signal),
            () = frames.gone() => return Ending::Gone,
            pieces = keyboard.next(), if typed.len() < MOST_TYPED => {
                let Some(pieces) = pieces else { return Ending::Gone };
                for piece in pieces {
                    if piece == Typed::Leave {
                        return Ending::Left;
                    }
                    typed.extend(translation.of(&piece, view.modes()));
                }
            }
            Some(change) = changes.recv() => match change {
                Change::Size(to) => {
                    view.resize(to, began.elapsed());
                    size = Some(to);
                    is_awaited = true;
                }
                Change::Continued => view.redraw(),
            },
            room = to_far.reserve(), if is_carried && (size.is_some() || !typed.is_empty()) => match room {
                Ok(room) => {
                    is_awaited = true;
                    let length = typed.len().min(TYPED_PIECE);
                    room.send(size.take().map_or_else(|| Order::Keys(typed.drain(..length).collect()), Order::Resize));
                }
                Err(_) => is_carried = false,
            },
            () = &mut carrying, if is_carried => is_carried = false,
            room = frames.room(), if is_due => {
                let Some(room) = room else { return Ending::Gone };
                let frame = view.frame(began.elapsed());
                if !frame.is_empty() {
                    room.send(frame);
                }
                last_frame = Some(Instant::now());
                is_awaited = false;
            }
            // The screen takes a little at a time: in between there are keys, signals and frames.
            () = std::future::ready(()), if !piece.is_empty() && !view.is_full() => {
                let part = piece.split_to(PIECE.min(piece.len()));
                let asked = view.feed(&part, began.elapsed());
                if piece.is_empty() && is_last {
                    view.whole();
                }
                if answers && typed.len() < MOST_ANSWERS {
                    typed.extend(asked);
                }
                // What is whole is drawn before anything else is looked for.
                if !piece.is_empty() {
                    tokio::task::yield_now().await;
                }
            }
            told = output.next(), if ending.is_none() && piece.is_empty() && !view.is_full() => match told {
                Some(Ok(Told::Output(bytes))) => (is_last, piece) = (bytes.len() < wire::PIECE, bytes.into()),
                Some(Ok(Told::Anew(bytes))) => {
                    view.anew();
                    (is_last, piece) = (bytes.len() < wire::PIECE, bytes.into());
                }
                Some(Ok(Told::Attached(held))) => view.far_size(held.size),
                Some(Ok(Told::Ended(code))) => ending = Some(Ending::Ended(code)),
                Some(Ok(Told::Refused(refusal))) => {
                    ending = Some(Ending::Lost(Failure::new(Code::Refused, sanitise(&refusal.message))));
                }
                Some(Ok(Told::List(_) | Told::Life(_))) => {}
                Some(Err(failure)) => ending = Some(Ending::Lost(failure)),
                None => ending = Some(Ending::Closed),
            },
            () = tokio::time::sleep_until(next_frame), if view.is_dirty() && !is_due => {}
            () = tokio::time::sleep(FRAME), if view.waits() => view.tick(began.elapsed()),
        }
    }
}

#[cfg(test)]
#[path = "show_tests.rs"]
mod tests;
