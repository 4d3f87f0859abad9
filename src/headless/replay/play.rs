use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Replay;
use super::cast::{Event, What};
use crate::failure::{Code, Failure, Result};
use crate::headless::attach::{Change, Frames, Keyboard, PIECE, View, changes, tty};
use crate::headless::foreground::{Signal, Signals};
use crate::headless::launch::cut_short;
use crate::headless::{Context, Done};
use crate::terminal::typed::{DetachKeys, Typed, Typing};
use crate::terminal::{Grants, Size};

/// Between two frames.
const FRAME: Duration = Duration::from_millis(16);

/// How it ended.
enum Ending {
    Played,
    Quit,
    Gone,
    Signal(Signal),
    Broken(Failure),
}

/// Plays events at the operator's terminal.
pub(super) async fn play(context: &Context, asked: &Replay, first: Size, events: mpsc::Receiver<Result<Event>>) -> Done {
    let mut signals = Signals::listen()?;
    let mut changes = changes()?;
    let began = Instant::now();
    let mut view = View::drawn(tty::size(), "recording", Grants::default());
    view.far_size(first);
    let taken = tty::Tty::take(tty::Mode::Raw, false)?;
    let mut keyboard = Keyboard::read(Typing::plain(&DetachKeys::default()))?;
    let frames = Frames::standard();
    if let Some(room) = frames.room().await {
        room.send(view.begin(began.elapsed()));
    }
    let mut player = Player { asked, events, far: first, next: None, due: began, last: Duration::ZERO, paused: None };
    let ending = player.run(&mut view, &mut keyboard, &frames, &mut signals, &mut changes).await;
    let (last, _) = view.end(began.elapsed());
    drop(keyboard);
    let is_written = frames.finish(last).await;
    taken.give_back(is_written);
    match ending {
        Ending::Played => Ok(0),
        Ending::Quit => {
            context.output.note("left before the end");
            Ok(0)
        }
        Ending::Gone => Err(Failure::new(Code::Internal, "the terminal is gone").into()),
        Ending::Signal(signal) => Err(cut_short(signal, "left the recording")),
        Ending::Broken(failure) => Err(failure.into()),
    }
}

struct Player<'a> {
    asked: &'a Replay,
    events: mpsc::Receiver<Result<Event>>,
    far: Size,
    next: Option<Event>,
    /// When the next is to happen.
    due: Instant,
    /// When the last happened, in the recording.
    last: Duration,
    /// While it is paused: how long the next was still to wait.
    paused: Option<Duration>,
}

impl Player<'_> {
    async fn run(
        &mut self,
        view: &mut View,
        keyboard: &mut Keyboard,
        frames: &Frames,
        signals: &mut Signals,
        changes: &mut mpsc::Receiver<Change>,
    ) -> Ending {
        let mut piece = Bytes::new();
        let mut last_frame: Option<Instant> = None;
        let mut is_over = false;
        loop {
            if is_over && self.next.is_none() && piece.is_empty() && !view.is_dirty() {
                return Ending::Played;
            }
            let next_frame = last_frame.map_or_else(Instant::now, |last| last + FRAME);
            let is_due = view.is_dirty() && (view.is_full() || Instant::now() >= next_frame);
            let can_go_on = piece.is_empty() && !view.is_full();
            tokio::select! {
                biased;
                signal = signals.next() => return Ending::Signal(signal),
                () = frames.gone() => return Ending::Gone,
                typed = keyboard.next() => match typed {
                    Some(typed) => if self.typed(&typed) { return Ending::Quit },
                    None => return Ending::Gone,
                },
                Some(change) = changes.recv() => match change {
                    Change::Size(size) => {
                        view.resize(size, Duration::ZERO);
                        view.far_size(self.far);
                    }
                    Change::Continued => view.redraw(),
                },
                room = frames.room(), if is_due => {
                    let Some(room) = room else { return Ending::Gone };
                    room.send(view.frame(Duration::ZERO));
                    last_frame = Some(Instant::now());
                }
                () = std::future::ready(()), if !piece.is_empty() && !view.is_full() => {
                    let part = piece.split_to(PIECE.min(piece.len()));
                    drop(view.feed(&part, Duration::ZERO));
                    tokio::task::yield_now().await;
                }
                event = self.events.recv(), if self.next.is_none() && !is_over => match event {
                    Some(Ok(event)) => self.await_event(event),
                    Some(Err(failure)) => return Ending::Broken(failure),
                    None => is_over = true,
                },
                () = tokio::time::sleep_until(self.due), if self.next.is_some() && self.paused.is_none() && can_go_on => {
                    match self.next.take().map(|event| event.what) {
                        Some(What::Output(bytes)) => piece = bytes.into(),
                        Some(What::Resize(size)) => {
                            self.far = size;
                            view.far_size(size);
                        }
                        None => {}
                    }
                }
                () = tokio::time::sleep_until(next_frame), if view.is_dirty() && !is_due => {}
            }
        }
    }

    fn await_event(&mut self, event: Event) {
        let mut wait = event.at.saturating_sub(self.last);
        if let Some(limit) = self.asked.idle_limit {
            wait = wait.min(limit);
        }
        self.last = self.last.max(event.at);
        self.due += wait.div_f64(self.asked.speed);
        self.next = Some(event);
    }

    /// Whether it is left.
    fn typed(&mut self, typed: &[Typed]) -> bool {
        for typed in typed {
            let Typed::Keys(keys) = typed else { return true };
            for key in keys {
                match key {
                    b'q' | b'Q' | 0x03 => return true,
                    b' ' => match self.paused.take() {
                        Some(left) => self.due = Instant::now() + left,
                        None => self.paused = Some(self.due.saturating_duration_since(Instant::now())),
                    },
                    _ => {}
                }
            }
        }
        false
    }
}
