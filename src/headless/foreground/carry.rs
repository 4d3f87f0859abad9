use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Encoding, Signal, Signals, WriteError, Writer};
use crate::backend::engine::{Input, OutputStream};
use crate::failure::{Code, Failure, Result};

/// Two interrupts within this span mean: now.
const IMPATIENCE: Duration = Duration::from_secs(3);
/// How long the output of a command that has ended may say nothing before it counts as lost.
const PATIENCE: Duration = if cfg!(test) { Duration::from_millis(300) } else { Duration::from_secs(5) };

/// The streams of a command, and its end.
pub struct Streams<'a> {
    /// Its standard input.
    pub input: Input,
    /// Its output.
    pub output: OutputStream,
    /// Its exit code.
    pub exit: Exit<'a>,
}

/// When a command's exit code may be asked for.
pub enum Exit<'a> {
    /// At any time.
    Any(BoxFuture<'a, Result<i64>>),
    /// Once its output has ended: the engine knows it only then (`exec`).
    AfterOutput(BoxFuture<'a, Result<i64>>),
}

/// What can be done to the command while it runs.
pub trait Control {
    /// Passes a signal on; `None` where there is no way to.
    fn pass_on(&self, signal: Signal) -> Option<BoxFuture<'_, Result<()>>>;
    /// Ends it politely, within seconds; `None` where there is no way to.
    fn stop(&self) -> Option<BoxFuture<'_, Result<()>>>;
    /// Ends it now; `None` where there is no way to.
    fn kill(&self) -> Option<BoxFuture<'_, Result<()>>>;
}

/// How a foreground command ended, as seen from here.
#[derive(Debug)]
pub enum Ending {
    /// With its exit code, everything it wrote passed on.
    Exited(i64),
    /// The reader of our standard output went away, and the command was stopped.
    ReaderGone,
    /// We left it on this signal: there is no way to pass it on.
    Left(Signal),
    /// It was killed at the operator's word, and its exit code with it.
    Killed,
    /// The connection to it, or our own output, failed.
    Failed(Failure),
}

/// Carries until the command has ended and everything that it wrote is written.
#[expect(clippy::too_many_lines, reason = "one select over everything that can happen, in one place")]
pub async fn carry(
    streams: Streams<'_>,
    stdin: mpsc::Receiver<Bytes>,
    mut writer: Writer,
    encoding: &mut Encoding,
    signals: &mut Signals,
    control: &dyn Control,
) -> Ending {
    let (mut exit, after_output) = match streams.exit {
        Exit::Any(exit) => (exit, false),
        Exit::AfterOutput(exit) => (exit, true),
    };
    let last_heard = Cell::new(Instant::now());
    let waiting_for_reader = Cell::new(false);
    let mut actions: FuturesUnordered<BoxFuture<'_, Result<()>>> = FuturesUnordered::new();
    let mut code: Option<Result<i64>> = None;
    let mut trouble: Option<Ending> = None;
    let (mut input_done, mut drained, mut killed) = (false, false, false);
    let mut interrupts: Vec<Instant> = Vec::new();
    {
        let feed = feed(streams.input, stdin);
        let drain = drain(streams.output, &mut writer, encoding, &last_heard, &waiting_for_reader);
        tokio::pin!(feed, drain);
        while !(drained && code.is_some() && actions.is_empty()) {
            let deadline = last_heard.get() + PATIENCE;
            tokio::select! {
                () = &mut feed, if !input_done => input_done = true,
                end = &mut drain, if !drained => {
                    drained = true;
                    match end {
                        Ok(()) => {}
                        Err(Drain::Engine(failure)) => {
                            trouble = Some(Ending::Failed(failure));
                            break;
                        }
                        Err(Drain::Writer(error)) => {
                            trouble = Some(match error {
                                WriteError::ReaderGone => Ending::ReaderGone,
                                WriteError::Failed(error) => Ending::Failed(Failure::io("write the command's output", &error)),
                            });
                            match control.stop() {
                                Some(stop) => actions.push(stop),
                                None => break,
                            }
                        }
                    }
                }
                end = &mut exit, if code.is_none() && (drained || !after_output) => {
                    last_heard.set(Instant::now());
                    code = Some(end);
                }
                done = actions.next(), if !actions.is_empty() => {
                    match done {
                        // It ended before our word reached it; its exit code is on its way.
                        Some(Err(failure)) if !matches!(failure.code, Code::NotFound | Code::Conflict) => {
                            trouble.get_or_insert(Ending::Failed(failure));
                            if code.is_none() { break }
                        }
                        _ => last_heard.set(Instant::now()),
                    }
                }
                signal = signals.next() => {
                    let now = Instant::now();
                    if signal == Signal::Int {
                        interrupts.push(now);
                    }
                    if interrupts.len() > 3 || (killed && signal == Signal::Int) {
                        return Ending::Killed;
                    }
                    let impatient = matches!(interrupts[..], [.., before, last] if last - before <= IMPATIENCE) || interrupts.len() >= 3;
                    let action = if signal == Signal::Int && impatient && !killed {
                        killed = true;
                        control.kill()
                    } else {
                        control.pass_on(signal)
                    };
                    match action {
                        Some(action) => actions.push(action),
                        None => return Ending::Left(signal),
                    }
                }
                // The exit code is there and the output does not end, or it was stopped and the exit code does not come.
                () = tokio::time::sleep_until(deadline), if actions.is_empty() && (code.is_some() || killed || trouble.is_some()) => {
                    if waiting_for_reader.get() {
                        last_heard.set(Instant::now());
                    }
                    if Instant::now() < last_heard.get() + PATIENCE {
                        continue;
                    }
                    let lost = Failure::new(Code::EngineError, "the engine did not end the command's output: some of it may be missing");
                    trouble.get_or_insert(if killed { Ending::Killed } else { Ending::Failed(lost) });
                    break;
                }
            }
        }
    }
    if let Some(trouble) = trouble {
        if let Ending::Failed(_) = trouble {
            // What came before the failure is not lost; a reader that stalls is not waited for again.
            let _ = tokio::time::timeout(PATIENCE, writer.finish()).await;
        }
        return trouble;
    }
    for (kind, bytes) in encoding.rest() {
        if let Err(error) = writer.send(kind, bytes).await {
            return unwritten(error);
        }
    }
    tokio::select! {
        end = writer.finish() => if let Err(error) = end { return unwritten(error) },
        // The command has ended; only a slow reader keeps us.
        signal = signals.next() => return Ending::Left(signal),
    }
    match code {
        Some(Ok(code)) => Ending::Exited(code),
        Some(Err(_)) if killed => Ending::Killed,
        Some(Err(failure)) => Ending::Failed(failure),
        None => Ending::Killed,
    }
}

fn unwritten(error: WriteError) -> Ending {
    match error {
        WriteError::ReaderGone => Ending::ReaderGone,
        WriteError::Failed(error) => Ending::Failed(Failure::io("write the command's output", &error)),
    }
}

/// Our input to the command. One that no longer reads has ended, or soon says why.
async fn feed(mut input: Input, mut stdin: mpsc::Receiver<Bytes>) {
    while let Some(piece) = stdin.recv().await {
        if input.write_all(&piece).await.is_err() {
            return;
        }
        if stdin.is_empty() && input.flush().await.is_err() {
            return;
        }
    }
    let _ = input.shutdown().await;
}

enum Drain {
    Engine(Failure),
    Writer(WriteError),
}

async fn drain(
    mut output: OutputStream,
    writer: &mut Writer,
    encoding: &mut Encoding,
    last_heard: &Cell<Instant>,
    waiting_for_reader: &Cell<bool>,
) -> std::result::Result<(), Drain> {
    while let Some(piece) = output.next().await {
        last_heard.set(Instant::now());
        let Some((kind, bytes)) = encoding.encode(piece.map_err(Drain::Engine)?) else { continue };
        waiting_for_reader.set(true);
        writer.send(kind, bytes).await.map_err(Drain::Writer)?;
        waiting_for_reader.set(false);
        last_heard.set(Instant::now());
    }
    Ok(())
}
