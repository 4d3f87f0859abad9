//! A build as it goes: whole lines out of the engine's fragments, and the last of them for its failure.

use std::collections::VecDeque;

use bollard::Docker;
use bollard::models::BuildInfo;
use bollard::query_parameters::BuildImageOptions;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::body::watched;
use super::call::Call;
use super::streams::amount;
use super::{ByteStream, Progress, ProgressStream};
use crate::failure::{Failure, Result};

/// Lines of a build's output that its failure shows.
const LAST_LINES: usize = 20;
/// A line of a build is cut here: what a build prints is the image's choice.
const LONGEST_LINE: usize = 2048;
/// The classic builder wraps what a step prints on standard error in these.
const BUILDERS_RED: [&str; 2] = ["\u{1b}[91m", "\u{1b}[0m"];
/// Lines in flight.
const QUEUE: usize = 64;

/// Builds, and tells of it. The build is given up when nobody listens any more.
pub(super) fn progress(docker: Docker, options: BuildImageOptions, context: ByteStream, call: Call) -> ProgressStream {
    let (sender, receiver) = mpsc::channel(QUEUE);
    // bollard's stream borrows its client, so a task owns both; it ends with its listener.
    tokio::spawn(async move {
        tokio::select! {
            () = follow(&docker, options, context, call, &sender) => {}
            () = sender.closed() => {}
        }
    });
    futures_util::stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|item| (item, receiver)) }).boxed()
}

async fn follow(
    docker: &Docker,
    options: BuildImageOptions,
    context: ByteStream,
    call: Call,
    sender: &mpsc::Sender<Result<Progress, Failure>>,
) {
    let (body, fault) = watched(context);
    let mut answers = Box::pin(docker.build_image(options, None, Some(bollard::body_try_stream(body))));
    let mut log = BuildLog::default();
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(info) => {
                for progress in log.take(info) {
                    if sender.send(Ok(progress)).await.is_err() {
                        return;
                    }
                }
            }
            Err(error) => {
                let _ = sender.send(Err(log.explain(fault.or(call.failure(&error))))).await;
                return;
            }
        }
    }
}

/// A build as it goes: whole lines out of the engine's fragments, and the last of them for its failure.
#[derive(Default)]
struct BuildLog {
    step: String,
    unfinished: String,
    last: VecDeque<String>,
}

impl BuildLog {
    /// What one message of the engine tells.
    fn take(&mut self, info: BuildInfo) -> Vec<Progress> {
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
    fn explain(self, mut failure: Failure) -> Failure {
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
        for fragment in ["Step 3/9 : RUN apt-get update", "\n", "Get:1 http://mirror", ".example\nGet:2 x\n"] {
            told.extend(log.take(info(fragment)).into_iter().map(|p| (p.item.raw().to_owned(), p.text.raw().to_owned())));
        }
        let step = || "Step 3/9".to_owned();
        assert_eq!(
            told,
            [(step(), "RUN apt-get update".into()), (step(), "Get:1 http://mirror.example".into()), (step(), "Get:2 x".into())]
        );
        let failure = log.explain(Failure::new(crate::failure::Code::EngineError, "x"));
        assert_eq!(failure.details, ["at: Step 3/9", "Get:1 http://mirror.example", "Get:2 x"]);
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
