//! What the depot counted, and what it is told to do with its store. Its figures are files on its volume, which are
//! read of a running and of a stopped depot alike; its store is changed by the running depot alone.

use std::sync::{Arc, PoisonError};

use futures_util::StreamExt;

use super::archive::PROGRAM;
use super::ensure::frozen;
use super::read::{file, not_it};
use super::standing::is_ours;
use crate::backend::Backend;
use crate::backend::engine::{Engine, ExecRequest, OutputKind, OutputStream};
use crate::backend::prepare::interrupted;
use crate::depot::ROOT;
use crate::depot::control::{ControlLine, ControlReport, ControlVerb};
use crate::depot::ledger::{FOLDER, SUMMARY_FILE, Summary};
use crate::failure::{Code, Failure, Result};
use crate::kernel::Unreadable;
use crate::session::{ContainerFacts, Status};
use crate::units::{SessionId, sanitise};

/// Some thousand sessions.
const LARGEST_SUMMARY: usize = 16 << 20;
/// Some hundred thousand requests of one session.
const LARGEST_JOURNAL: usize = 64 << 20;
/// One line of an answer: a report that names every damaged file of a large store.
const LONGEST_LINE: usize = 16 << 20;
/// Of what a command says besides its answer.
const LONGEST_ERROR: usize = 4 << 10;

impl Backend {
    /// What the depot counted; `None` where there is no depot, or one that has not counted yet.
    pub async fn cache_summary(&self) -> Result<Option<Summary>> {
        let path = format!("{ROOT}/{FOLDER}/{SUMMARY_FILE}");
        let Some(text) = self.ledger(&path, LARGEST_SUMMARY).await? else { return Ok(None) };
        parse(&path, &text).map(Some)
    }

    /// What a session asked for, a line of JSON for each request; `None` where there is no depot, or it asked for nothing.
    pub async fn cache_journal(&self, session: SessionId) -> Result<Option<Vec<u8>>> {
        self.ledger(&format!("{ROOT}/{FOLDER}/{session}.jsonl"), LARGEST_JOURNAL).await
    }

    /// The same, where that can be, without a word to the engine: of the depot that a launch of this process looked at.
    pub(in crate::backend) async fn journal_of(&self, session: SessionId) -> Result<Option<Vec<u8>>> {
        let seen = self.depot_seen.lock().unwrap_or_else(PoisonError::into_inner).clone().filter(is_ours);
        if let Some((facts, pid)) = seen.and_then(|facts| facts.pid.map(|pid| (facts, pid))) {
            let path = format!("{ROOT}/{FOLDER}/{session}.jsonl");
            if let Ok(journal) = self.kernel.file(&facts.id, pid, &path, LARGEST_JOURNAL) {
                return Ok(journal);
            }
        }
        self.cache_journal(session).await
    }

    /// Has the running depot do something to its store, and hears how far it is.
    pub async fn cache_control(&self, verb: &ControlVerb, on_progress: &mut (dyn FnMut(u64, u64) + Send)) -> Result<ControlReport> {
        let depot = running(self.depot().await?)?;
        let verb = serde_json::to_string(verb)
            .map_err(|error| Failure::new(Code::Internal, format!("cannot write down what the depot is to do: {error}")))?;
        let command = [PROGRAM, "depot", "control", &verb].map(str::to_owned).to_vec();
        let (exec, attached) = self.engine.exec(&depot.id, &ExecRequest { command, ..ExecRequest::default() }).await?;
        let answer = tokio::select! {
            answer = hear(attached.output, on_progress) => answer?,
            () = self.interrupt.cancelled() => return Err(interrupted()),
        };
        match answer {
            Answer { report: Some(Ok(report)), .. } => Ok(report),
            Answer { report: Some(Err(why)), .. } => {
                Err(Failure::new(Code::EngineError, format!("the depot could not do it: {}", sanitise(&why))))
            }
            Answer { report: None, errors } => {
                let code = self.exec_exit(&exec).await?;
                let failure = Failure::new(Code::EngineError, format!("the depot gave no answer and ended with exit code {code}"));
                Err(errors.lines().fold(failure, Failure::detail).hint("palisade depot logs may tell why"))
            }
        }
    }

    /// What the depot counted, read from this machine's files alone: the engine is asked nothing. `depot` is what it reported
    /// of the depot's container before; [`Unreadable`] where that container runs elsewhere, or no more.
    pub async fn cache_summary_here(&self, depot: &ContainerFacts) -> std::result::Result<Option<Vec<u8>>, Unreadable> {
        let (reader, id, pid) = (Arc::clone(&self.kernel), depot.id.clone(), depot.pid.ok_or(Unreadable::Gone)?);
        let path = format!("{ROOT}/{FOLDER}/{SUMMARY_FILE}");
        let read = tokio::task::spawn_blocking(move || reader.file(&id, pid, &path, LARGEST_SUMMARY)).await;
        read.unwrap_or_else(|error| Err(Unreadable::Other(error.to_string())))
    }

    /// The depot's container, as the engine reports it; `None` where there is none.
    pub async fn depot_container(&self) -> Result<Option<ContainerFacts>> {
        match self.depot().await {
            Ok(depot) => Ok(Some(depot)),
            Err(failure) if failure.code == Code::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// A summary's text, read.
    pub fn cache_summary_of(text: &[u8]) -> Result<Summary> {
        parse(SUMMARY_FILE, text)
    }

    /// A file of the ledger: only of a container that is the depot's.
    async fn ledger(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>> {
        match self.depot().await {
            Ok(depot) => self.depot_file(&depot, path, most).await,
            Err(failure) if failure.code == Code::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

/// What the depot in this container counted.
pub async fn summary(engine: &dyn Engine, container: &str) -> Result<Option<Summary>> {
    let path = format!("{ROOT}/{FOLDER}/{SUMMARY_FILE}");
    file(engine, container, &path, LARGEST_SUMMARY).await?.map(|text| parse(&path, &text)).transpose()
}

fn parse(path: &str, text: &[u8]) -> Result<Summary> {
    serde_json::from_slice(text).map_err(|error| not_it(path, &error.to_string()))
}

fn running(depot: ContainerFacts) -> Result<ContainerFacts> {
    if depot.status == Some(Status::Running) {
        return Ok(depot);
    }
    if depot.status == Some(Status::Paused) {
        return Err(frozen(&depot.name));
    }
    Err(Failure::new(Code::Conflict, format!("the depot '{}' does not run", depot.name)).hint("start it with: palisade depot start"))
}

/// What came of a command in the depot.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answer {
    report: Option<std::result::Result<ControlReport, String>>,
    errors: String,
}

async fn hear(mut output: OutputStream, on_progress: &mut (dyn FnMut(u64, u64) + Send)) -> Result<Answer> {
    let (mut answer, mut line, mut errors) = (Answer::default(), Vec::new(), Vec::new());
    while let Some(piece) = output.next().await {
        let piece = piece?;
        if piece.kind == OutputKind::Stderr {
            let room = LONGEST_ERROR.saturating_sub(errors.len());
            errors.extend_from_slice(&piece.bytes[..piece.bytes.len().min(room)]);
            continue;
        }
        for part in piece.bytes.split_inclusive(|byte| *byte == b'\n') {
            if line.len() + part.len() > LONGEST_LINE {
                return Err(not_it("answer", "a line of it is too long"));
            }
            line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                match serde_json::from_slice(&line).map_err(|error| not_it("answer", &error.to_string()))? {
                    ControlLine::Progress { done, total } => on_progress(done, total),
                    ControlLine::Report(report) => answer.report = Some(Ok(report)),
                    ControlLine::Error(why) => answer.report = Some(Err(why)),
                }
                line.clear();
            }
        }
    }
    answer.errors = String::from_utf8_lossy(&errors).into_owned();
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;
    use crate::backend::engine::Output;

    async fn heard(pieces: &[(OutputKind, &str)]) -> (Result<Answer>, Vec<(u64, u64)>) {
        let pieces: Vec<_> = pieces.iter().map(|(kind, text)| Ok(Output { kind: *kind, bytes: text.as_bytes().to_vec().into() })).collect();
        let mut steps = Vec::new();
        let answer = hear(stream::iter(pieces).boxed(), &mut |done, total| steps.push((done, total))).await;
        (answer, steps)
    }

    #[tokio::test]
    async fn an_answer_is_heard_in_any_pieces() {
        use OutputKind::{Stderr, Stdout};
        let (answer, steps) = heard(&[
            (Stdout, "{\"progress\":{\"done\":1,\"total\":3}}\n{\"prog"),
            (Stderr, "a warning\n"),
            (Stdout, "ress\":{\"done\":3,\"total\":3}}\n{\"report\":{\"blobs\":3,\"bytes\":9,\"damaged\":[]}}\n"),
        ])
        .await;
        assert_eq!(steps, [(1, 3), (3, 3)]);
        let report = ControlReport { blobs: 3, bytes: 9, damaged: Vec::new() };
        assert_eq!(answer.unwrap(), Answer { report: Some(Ok(report)), errors: "a warning\n".to_owned() });
        let (answer, _) = heard(&[(Stdout, "{\"error\":\"the disk is full\"}\n")]).await;
        assert_eq!(answer.unwrap().report, Some(Err("the disk is full".to_owned())));
    }

    #[tokio::test]
    async fn what_is_no_answer_is_a_failure_and_never_more_than_is_kept() {
        use OutputKind::{Stderr, Stdout};
        assert!(heard(&[(Stdout, "hello\n")]).await.0.is_err());
        let endless = "x".repeat(1 << 20);
        assert!(heard(&vec![(Stdout, endless.as_str()); 20]).await.0.is_err());
        let (answer, _) = heard(&vec![(Stderr, endless.as_str()); 20]).await;
        let answer = answer.unwrap();
        assert_eq!((answer.report, answer.errors.len()), (None, LONGEST_ERROR));
        // Half a line is no line.
        assert_eq!(heard(&[(Stdout, "{\"error\":\"x\"}")]).await.0.unwrap().report, None);
    }
}
