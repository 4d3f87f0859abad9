//! `run` and `exec`: a command in the foreground of this terminal.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::document::{Document, Event};
use super::fate::{KILLED, tell};
use super::foreground::{Control, Ending, Exit, Signal, Signals, Streams, Writer, carry, chosen, standard_input};
use super::launch::{begin, cut_short};
use super::{Context, Done, Stop, code_for_foreground};
use crate::backend::engine::ExecRequest;
use crate::backend::{Backend, Cut, Fate, Order};
use crate::failure::{Code, Failure, Result};

/// The exit code of a program that wrote to a pipe which nobody reads: 128 and SIGPIPE.
pub const READER_GONE: u8 = 141;
/// Our own failure once the command has begun.
pub(super) const OURS: u8 = 125;
/// How long a session whose reader left may take to end by itself: a program would have died at its first write.
const LAST_WORDS_S: u64 = 2;

/// Launches an ephemeral session, carries its streams, and ends with its command's exit code. `raw` passes control
/// characters to a terminal.
pub async fn run(context: &Context, backend: &Backend, order: &Order, raw: bool) -> Done {
    let mut signals = Signals::listen()?;
    let (running, interrupted) = begin(async |reporter| backend.run(order, reporter).await, &mut signals, context).await?;
    let running = running.map_err(before)?;
    let session = running.launched.session;
    let control = Foreground { backend, id: session.container_id.clone() };
    if let Some(signal) = interrupted {
        let _ = control.kill_now().await;
        return Err(cut_short(signal, "the launch was cut short, and the session removed"));
    }
    let mut encoding = chosen(context, raw, false);
    if context.output.is_json() {
        let started = Event::Started { session: Box::new(session.clone()), posture: Some(Box::new(running.launched.posture)) };
        context.output.document(&Document::new(started));
    }
    let streams = Streams { input: running.input, output: running.output, exit: Exit::Any(running.exit) };
    let ending = carry(streams, standard_input(), Writer::standard(), &mut encoding, &mut signals, &control).await;
    match &ending {
        // The command is ours alone: what we cannot hear any more is not left running.
        Ending::Failed(_) | Ending::ReaderGone => {
            let _ = tokio::time::timeout(Duration::from_secs(5), control.kill_now()).await;
        }
        Ending::Exited(_) | Ending::Left(_) | Ending::Killed => {}
    }
    end(context, ending, None, &format!("'palisade ls' shows whether '{}' still runs; 'palisade rm -f {0}' removes it", session.name))
}

/// Runs a command in a session that is there. `raw` passes control characters to a terminal.
pub async fn exec(context: &Context, backend: &Backend, who: &str, request: &ExecRequest, raw: bool) -> Done {
    let mut signals = Signals::listen()?;
    let session = if context.output.is_json() { Some(backend.find(who).await.map_err(before)?) } else { None };
    let running = tokio::select! {
        running = backend.exec(who, request) => running.map_err(before)?,
        signal = signals.next() => return Err(cut_short(signal, "the command was not started")),
    };
    let mut encoding = chosen(context, raw, false);
    if let Some(session) = session {
        context.output.document(&Document::new(Event::Started { session: Box::new(session), posture: None }));
    }
    let exit = Exit::AfterOutput(Box::pin(backend.exec_exit(&running.id)));
    let streams = Streams { input: running.attached.input, output: running.attached.output, exit };
    let mut ending = carry(streams, standard_input(), Writer::standard(), &mut encoding, &mut signals, &Unreachable).await;
    let cut = match &ending {
        Ending::Killed => Some(Cut::Killed),
        Ending::Exited(code) => (*code == i64::from(KILLED)).then_some(Cut::Killed),
        Ending::Failed(_) => Some(Cut::Lost),
        Ending::ReaderGone | Ending::Left(_) => None,
    };
    let fate = match cut {
        Some(cut) => tell(context, backend, &running.within, cut, &mut signals).await,
        None => None,
    };
    if cut == Some(Cut::Lost) && fate.as_ref().is_some_and(Fate::is_over) {
        ending = Ending::Killed;
    }
    end(context, ending, fate, &format!("the command may still run in '{who}': 'palisade stop {who}' ends it"))
}

/// What the caller sees of an ending; with `fate` where the session had a part in it.
fn end(context: &Context, ending: Ending, fate: Option<Fate>, way_out: &str) -> Done {
    match ending {
        Ending::Exited(_) | Ending::Killed => {
            let code = if let Ending::Exited(code) = ending { code } else { KILLED.into() };
            if context.output.is_json() {
                context.output.document(&Document::new(Event::Exit { code, fate: fate.map(Box::new) }));
            }
            Ok(exit_code(code))
        }
        Ending::ReaderGone => {
            context.output.note_reader_gone();
            Ok(READER_GONE)
        }
        Ending::Left(signal) => {
            let mut stop = cut_short(signal, "left the command");
            stop.failure = stop.failure.hint(way_out);
            Err(stop)
        }
        Ending::Failed(failure) => {
            let failure = if failure.hint.is_none() { failure.hint(way_out) } else { failure };
            Err(Stop { failure, exit: OURS })
        }
    }
}

/// Engines give 0 to 255; what is beyond is not a code that a program can end with.
pub(super) fn exit_code(code: i64) -> u8 {
    u8::try_from(code).unwrap_or(OURS)
}

pub(super) fn before(failure: Failure) -> Stop {
    let exit = code_for_foreground(failure.code);
    Stop { failure, exit }
}

/// A session whose command is the one in the foreground.
struct Foreground<'a> {
    backend: &'a Backend,
    id: String,
}

impl Foreground<'_> {
    async fn kill_now(&self) -> Result<()> {
        match self.backend.remove(&self.id, true).await {
            Ok(_) => Ok(()),
            Err(failure) if failure.code == Code::NotFound => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

impl Control for Foreground<'_> {
    fn pass_on(&self, signal: Signal) -> Option<BoxFuture<'_, Result<()>>> {
        Some(Box::pin(self.backend.signal(&self.id, signal.name())))
    }

    fn stop(&self) -> Option<BoxFuture<'_, Result<()>>> {
        Some(Box::pin(async { self.backend.stop(&self.id, Some(LAST_WORDS_S)).await.map(drop) }))
    }

    fn kill(&self) -> Option<BoxFuture<'_, Result<()>>> {
        Some(Box::pin(self.kill_now()))
    }
}

/// A command started by `exec`: the engine has no call to signal it.
struct Unreachable;

impl Control for Unreachable {
    fn pass_on(&self, _: Signal) -> Option<BoxFuture<'_, Result<()>>> {
        None
    }

    fn stop(&self) -> Option<BoxFuture<'_, Result<()>>> {
        None
    }

    fn kill(&self) -> Option<BoxFuture<'_, Result<()>>> {
        None
    }
}
