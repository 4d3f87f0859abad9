//! The operator's terminal taken, a session's shown in it, and given back.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::far::Far;
use super::frames::Frames;
use super::keyboard::Keyboard;
use super::record::{Recording, Target};
use super::show::{Change, Ending, Near, show};
use super::tty::{self, Mode, Tty};
use super::view::View;
use crate::failure::{Failure, Result};
use crate::headless::Context;
use crate::headless::foreground::Signals;
use crate::terminal::typed::{DetachKeys, Typing};
use crate::terminal::{Grants, Size, Uses};

/// How a session's terminal is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The keys that leave it.
    pub detach: DetachKeys,
    /// Its bytes are passed on as they are.
    pub raw: bool,
    /// What is shown is written down.
    pub record: Option<Target>,
}

/// What is ready before a session is asked for a terminal: what fails, fails before anything was begun.
pub struct Prepared {
    /// How large the operator's terminal is.
    pub size: Size,
    options: Options,
    recording: Option<Recording>,
    changes: mpsc::Receiver<Change>,
}

/// Makes ready, and says what raw bytes risk.
pub fn prepare(context: &Context, name: &str, options: &Options) -> Result<Prepared> {
    let changes = changes()?;
    let size = tty::size();
    let recording = options.record.as_ref().map(|target| Recording::begin(target, name, size, context.now)).transpose()?;
    if options.raw {
        context.output.complain(
            "warning: --raw passes every byte of the session to your terminal: it can write to your clipboard, set the title, \
             make the terminal type, and leave it in any state\n",
        );
    }
    Ok(Prepared { size, options: options.clone(), recording, changes })
}

/// Shows a session's terminal until it ends, is left, or is lost. The operator's terminal is as it was when this returns.
pub async fn attend(
    context: &Context,
    name: &str,
    grants: Grants,
    far: Far<'_>,
    prepared: Prepared,
    signals: &mut Signals,
) -> Result<Ending> {
    let Prepared { size, options, recording, mut changes } = prepared;
    let began = Instant::now();
    let typing = if options.raw { Typing::plain(&options.detach) } else { Typing::new(&options.detach) };
    let mut view = if options.raw { View::raw() } else { View::drawn(size, name, grants) };
    view.record(recording);
    let tty = Tty::take(Mode::Raw, !options.raw)?;
    let mut keyboard = Keyboard::read(typing)?;
    let frames = Frames::standard();
    let first = view.begin(began.elapsed());
    if let Some(room) = frames.room().await {
        room.send(first);
    }
    let near = Near { keyboard: &mut keyboard, frames: &frames, signals, changes: &mut changes };
    let ending = show(&mut view, far, near, began).await;
    let (last, uses) = view.end(began.elapsed());
    // First the keys: what is typed from now on is the operator's shell's.
    drop(keyboard);
    let is_written = frames.finish(last).await;
    tty.give_back(is_written);
    tell(context, name, uses);
    if let Some(failure) = view.recording_failure() {
        context.output.complain(&format!("warning: the recording ended early: {}\n", crate::units::sanitise(&failure.to_string())));
    }
    Ok(ending)
}

/// Each use of what is granted is told.
fn tell(context: &Context, name: &str, uses: Uses) {
    let times = |count: u32| if count == 1 { "once".to_owned() } else { format!("{count} times") };
    if uses.titles > 0 {
        context.output.note(&format!("note: '{name}' set the title of this terminal {}", times(uses.titles)));
    }
    if uses.clipboards > 0 {
        let (often, bytes) = (times(uses.clipboards), uses.clipboard_bytes);
        context.output.complain(&crate::units::sanitise(&format!("note: '{name}' wrote to the clipboard {often}, {bytes} bytes at last")));
        context.output.complain("\n");
    }
}

/// The terminal's changes, from now on.
pub fn changes() -> Result<mpsc::Receiver<Change>> {
    let failed = |error: std::io::Error| Failure::io("listen for changes of the terminal", &error);
    let mut resized = signal(SignalKind::window_change()).map_err(failed)?;
    let mut continued = signal(SignalKind::from_raw(nix::sys::signal::Signal::SIGCONT as i32)).map_err(failed)?;
    let (sender, changes) = mpsc::channel(4);
    tokio::spawn(async move {
        loop {
            let change = tokio::select! {
                _ = resized.recv() => Change::Size(tty::size()),
                _ = continued.recv() => {
                    tty::take_again();
                    Change::Continued
                }
            };
            if sender.send(change).await.is_err() {
                return;
            }
        }
    });
    Ok(changes)
}
