//! bollard's streams in our own types: output in order, progress line by line. Nothing here holds more than one
//! piece of output; the reader sets the pace.

use std::collections::VecDeque;

use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::models::{BuildInfo, CreateImageInfo, ProgressDetail};
use bytes::Bytes as Chunk;
use futures_util::stream::{self, StreamExt};

use super::body::ReaderFault;
use super::call::Call;
use super::{ByteStream, Output, OutputKind, OutputStream, Progress, ProgressStream};
use crate::failure::Failure;

/// Lines of a build's output that its failure shows.
const LAST_LINES: usize = 20;
/// A line of a build is cut here: what a build prints is the image's choice.
const LONGEST_LINE: usize = 2048;
/// The classic builder wraps what a step prints on standard error in these.
const BUILDERS_RED: [&str; 2] = ["\u{1b}[91m", "\u{1b}[0m"];
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

/// A stream that is one failure.
pub(super) fn failed<T: Send + 'static>(failure: Failure) -> stream::BoxStream<'static, Result<T, Failure>> {
    stream::once(async { Err(failure) }).boxed()
}

/// Progress of a pull or an import.
pub(super) fn image_progress<S>(lines: S, call: Call, fault: ReaderFault) -> ProgressStream
where
    S: futures_util::Stream<Item = Result<CreateImageInfo, Error>> + Send + 'static,
{
    let state = Some((Box::pin(lines), call, fault));
    stream::unfold(state, |state| async {
        let (mut lines, call, fault) = state?;
        match lines.next().await? {
            Err(error) => Some((Err(fault.or(call.failure(&error))), None)),
            Ok(line) => Some((Ok(image_step(line)), Some((lines, call, fault)))),
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

fn amount(detail: &ProgressDetail) -> Option<(u64, Option<u64>)> {
    let current = u64::try_from(detail.current?).ok()?;
    Some((current, detail.total.and_then(|total| u64::try_from(total).ok()).filter(|total| *total > 0)))
}

/// A build as it goes: whole lines out of the engine's fragments, and the last of them for its failure.
#[derive(Default)]
pub(super) struct BuildLog {
    step: String,
    unfinished: String,
    last: VecDeque<String>,
}

impl BuildLog {
    /// What one message of the engine tells.
    pub(super) fn take(&mut self, info: BuildInfo) -> Vec<Progress> {
        let mut told = Vec::new();
        if let Some(fragment) = info.stream {
            for piece in fragment.split_inclusive('\n') {
                let room = LONGEST_LINE.saturating_sub(self.unfinished.len());
                self.unfinished.extend(piece.trim_end_matches('\n').chars().take(room));
                if piece.ends_with('\n') {
                    let line = std::mem::take(&mut self.unfinished);
                    told.extend(self.line(line.trim_end()));
                }
            }
            // The engine announces a step without ending its line until the step is under way.
            if self.unfinished.starts_with("Step ") && self.unfinished.contains(" : ") {
                let line = std::mem::take(&mut self.unfinished);
                told.extend(self.line(&line));
            }
        }
        if let Some(status) = info.status {
            told.push(Progress {
                item: info.id.unwrap_or_default().into(),
                text: status.into(),
                amount: info.progress_detail.as_ref().and_then(amount),
            });
        }
        told
    }

    fn line(&mut self, line: &str) -> Option<Progress> {
        let line = BUILDERS_RED.iter().fold(line.to_owned(), |line, colour| line.replace(colour, ""));
        let line = line.trim_end();
        if line.is_empty() || is_bookkeeping(line) {
            return None;
        }
        if let Some((step, text)) = line.split_once(" : ").filter(|(step, _)| step.starts_with("Step ")) {
            step.clone_into(&mut self.step);
            self.last.clear();
            return Some(Progress { item: step.into(), text: text.into(), amount: None });
        }
        if self.last.len() == LAST_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line.to_owned());
        Some(Progress { item: self.step.as_str().into(), text: line.into(), amount: None })
    }

    /// Adds where the build was and the last it printed.
    pub(super) fn explain(self, mut failure: Failure) -> Failure {
        if self.step.is_empty() {
            return failure;
        }
        failure = failure.detail(format!("at: {}", crate::units::sanitise(&self.step)));
        self.last.iter().fold(failure, |failure, line| failure.detail(crate::units::sanitise(line)))
    }
}

/// The builder's own lines about layers and containers that nobody else has heard of.
fn is_bookkeeping(line: &str) -> bool {
    line.starts_with("Removing intermediate container ") || (line.starts_with(" ---> ") && line != " ---> Using cache")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(text: &str) -> BuildInfo {
        BuildInfo { stream: Some(text.to_owned()), ..BuildInfo::default() }
    }

    #[test]
    fn a_build_is_told_step_by_step_in_whole_lines() {
        let mut log = BuildLog::default();
        let mut told = Vec::new();
        for fragment in ["Step 3/9 : RUN apt-get update", "\n", "Get:1 http://deb", ".debian.org\nGet:2 x\n"] {
            told.extend(log.take(info(fragment)).into_iter().map(|p| (p.item.raw().to_owned(), p.text.raw().to_owned())));
        }
        let step = || "Step 3/9".to_owned();
        assert_eq!(
            told,
            [(step(), "RUN apt-get update".into()), (step(), "Get:1 http://deb.debian.org".into()), (step(), "Get:2 x".into())]
        );
        let failure = log.explain(Failure::new(crate::failure::Code::EngineError, "x"));
        assert_eq!(failure.details, ["at: Step 3/9", "Get:1 http://deb.debian.org", "Get:2 x"]);
    }

    #[test]
    fn a_build_that_prints_without_end_keeps_only_its_last_lines() {
        let mut log = BuildLog::default();
        log.take(info("Step 1/1 : RUN yes\n"));
        for _ in 0..1000 {
            log.take(info(&"y".repeat(1000)));
            assert!(log.unfinished.len() <= LONGEST_LINE);
        }
        for _ in 0..1000 {
            log.take(info("\u{1b}[2Jn\n"));
        }
        let failure = log.explain(Failure::new(crate::failure::Code::EngineError, "x"));
        assert!(failure.details.len() <= LAST_LINES + 1);
        assert!(!failure.to_string().contains('\u{1b}'));
    }
}
