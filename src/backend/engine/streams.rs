//! bollard's streams in our own types: output in order, progress line by line. Nothing here holds more than one
//! piece of output; the reader sets the pace.

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::models::{BuildInfo, CreateImageInfo, EventMessage, ProgressDetail};
use bytes::Bytes as Chunk;
use futures_util::stream::{self, StreamExt};

use super::body::ReaderFault;
use super::call::Call;
use super::{ByteStream, EventStream, Output, OutputKind, OutputStream, Progress, ProgressStream, convert};
use crate::failure::Failure;

/// What the engine's frame header looks like when it reports a fault of its own in the middle of a log.
const SYSTEM_ERROR: [u8; 4] = [3, 0, 0, 0];

/// Output of a process, its first failure last.
pub(super) fn output<S>(pieces: S, call: Call) -> OutputStream
where
    S: futures_util::Stream<Item = Result<LogOutput, Error>> + Send + 'static,
{
    let state = Some((Box::pin(pieces), call, false));
    stream::unfold(state, |state| async {
        let (mut pieces, call, framed) = state?;
        let piece = match pieces.next().await? {
            Err(error) => return Some((Err(call.failure(&error)), None)),
            Ok(piece) => piece,
        };
        let (kind, bytes) = match piece {
            LogOutput::StdErr { message } => (OutputKind::Stderr, message),
            LogOutput::StdOut { message } | LogOutput::StdIn { message } => (OutputKind::Stdout, message),
            LogOutput::Console { message } if message.starts_with(&SYSTEM_ERROR) => {
                let sentence = String::from_utf8_lossy(message.get(8..).unwrap_or_default()).into_owned();
                return Some((Err(call.refused_with(&sentence)), None));
            }
            // A stream is either framed from its first byte (no terminal) or not at all: this is half a frame.
            LogOutput::Console { .. } if framed => return Some((Err(call.broken("the output ended within a frame")), None)),
            LogOutput::Console { message } => return Some((Ok(stdout(message)), Some((pieces, call, false)))),
        };
        Some((Ok(Output { kind, bytes }), Some((pieces, call, true))))
    })
    .boxed()
}

fn stdout(bytes: Chunk) -> Output {
    Output { kind: OutputKind::Stdout, bytes }
}

/// An archive on its way out, with our failure inside the `io::Error`: see [`super::failure_in`].
pub(super) fn archive<S>(chunks: S, call: Call) -> ByteStream
where
    S: futures_util::Stream<Item = Result<Chunk, Error>> + Send + 'static,
{
    chunks.map(move |chunk| chunk.map_err(|error| std::io::Error::other(call.failure(&error)))).boxed()
}

/// Events of containers, the first failure last.
pub(super) fn events<S>(messages: S, call: Call) -> EventStream
where
    S: futures_util::Stream<Item = Result<EventMessage, Error>> + Send + 'static,
{
    let state = Some((Box::pin(messages), call));
    stream::unfold(state, |state| async {
        let (mut messages, call) = state?;
        loop {
            match messages.next().await? {
                Err(error) => return Some((Err(call.failure(&error)), None)),
                Ok(message) => {
                    if let Some(event) = convert::event::event(message) {
                        return Some((Ok(event), Some((messages, call))));
                    }
                }
            }
        }
    })
    .boxed()
}

/// A stream that is one failure.
pub(super) fn failed<T: Send + 'static>(failure: Failure) -> stream::BoxStream<'static, Result<T, Failure>> {
    stream::once(async { Err(failure) }).boxed()
}

/// Progress of a pull or an import.
pub(super) fn image_progress<S>(lines: S, call: Call, fault: ReaderFault) -> ProgressStream
where
    S: futures_util::Stream<Item = Result<CreateImageInfo, Error>> + Send + 'static,
{
    progress(lines, call, fault, image_step)
}

/// Progress of a load.
pub(super) fn load_progress<S>(lines: S, call: Call, fault: ReaderFault) -> ProgressStream
where
    S: futures_util::Stream<Item = Result<BuildInfo, Error>> + Send + 'static,
{
    progress(lines, call, fault, |line| Progress {
        item: line.id.unwrap_or_default().into(),
        text: line.status.or(line.stream).unwrap_or_default().trim_end().into(),
        amount: line.progress_detail.as_ref().and_then(amount),
    })
}

/// Steps up to the first failure.
fn progress<S, T: 'static>(lines: S, call: Call, fault: ReaderFault, step: fn(T) -> Progress) -> ProgressStream
where
    S: futures_util::Stream<Item = Result<T, Error>> + Send + 'static,
{
    let state = Some((Box::pin(lines), call, fault));
    stream::unfold(state, move |state| async move {
        let (mut lines, call, fault) = state?;
        match lines.next().await? {
            Err(error) => Some((Err(fault.or(call.failure(&error))), None)),
            Ok(line) => Some((Ok(step(line)), Some((lines, call, fault)))),
        }
    })
    .boxed()
}

fn image_step(line: CreateImageInfo) -> Progress {
    Progress {
        item: line.id.unwrap_or_default().into(),
        text: line.status.unwrap_or_default().into(),
        amount: line.progress_detail.as_ref().and_then(amount),
    }
}

/// How far a step is, where the engine counts.
pub(super) fn amount(detail: &ProgressDetail) -> Option<(u64, Option<u64>)> {
    let current = u64::try_from(detail.current?).ok()?;
    Some((current, detail.total.and_then(|total| u64::try_from(total).ok()).filter(|total| *total > 0)))
}
