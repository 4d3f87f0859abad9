//! Between the engine's archive calls and the threads that pack and unpack: pieces that are few at a time, counted as they pass.

use std::io;

use bytes::Bytes as Chunk;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::pack::Stopped;
use super::pipe::{self, ChunkReader};
use crate::backend::engine::{ByteStream, Engine, Progress, failure_in};
use crate::backend::{CopyReport, Reporter};
use crate::failure::{Code, Failure, Result};

/// Pieces between the engine's stream and the thread that reads or writes files: a few hundred kilobytes.
pub(super) const QUEUE: usize = 4;
/// What is less is done before anybody looks; of more, each of these is told.
const TOLD: u64 = 1 << 20;

/// The engine's archive of a path, to a thread that takes it.
pub(super) async fn fetch<E: From<Failure> + Send + 'static>(
    mut archive: ByteStream,
    reporter: &dyn Reporter,
    take: impl FnOnce(ChunkReader) -> Result<CopyReport, E> + Send + 'static,
) -> Result<CopyReport, E> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let taking = spawn_blocking(move || take(ChunkReader::new(receiver)));
    let mut fault = None;
    let mut meter = Meter::new(reporter);
    while let Some(chunk) = archive.next().await {
        meter.count(&chunk);
        if let Err(error) = &chunk {
            fault = Some(failure_in(error).cloned().unwrap_or_else(|| Failure::io("read the engine's archive", error)));
        }
        if sender.send(chunk).await.is_err() {
            break;
        }
    }
    drop(sender);
    let taken = taking.await.map_err(|error| died(&error))?;
    // An archive that was read to its end is whole, whatever became of the connection after it.
    match (taken, fault) {
        (Err(_), Some(fault)) => Err(fault.into()),
        (taken, _) => taken,
    }
}

/// What a thread packs, to a folder of a container. `cut` is told as soon as the engine takes no more of it, and says whether that was the
/// packing's own doing; where it was not, how the packing ended after that is of no account.
pub(super) async fn send(
    (engine, container, folder): (&dyn Engine, &str, &str),
    mut packed: mpsc::Receiver<io::Result<Chunk>>,
    packing: JoinHandle<Result<CopyReport, Stopped>>,
    reporter: &dyn Reporter,
    cut: impl FnOnce() -> Blame,
) -> Result<CopyReport> {
    let (passing, passed) = mpsc::channel(1);
    let counting = async move {
        let mut meter = Meter::new(reporter);
        while let Some(piece) = packed.recv().await {
            meter.count(&piece);
            if passing.send(piece).await.is_err() {
                break;
            }
        }
    };
    let uploading = async {
        let sent = engine.upload(container, folder, pipe::stream(passed)).await;
        let blame = if sent.is_err() { cut() } else { Blame::Packing };
        (sent, blame)
    };
    let ((sent, blame), packed, ()) = tokio::join!(uploading, packing, counting);
    match (packed.map_err(|error| died(&error))?, blame) {
        (Ok(report), _) => sent.map(|()| report),
        (Err(Stopped::Failed(failure)), Blame::Packing) => Err(failure),
        (Err(_), _) => sent.and(Err(Failure::new(Code::EngineError, "the engine took only a part of the copy"))),
    }
}

/// Whose fault it is that an upload ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    Packing,
    Engine,
}

/// Tells how much has passed.
struct Meter<'a> {
    reporter: &'a dyn Reporter,
    passed: u64,
    told: u64,
}

impl<'a> Meter<'a> {
    fn new(reporter: &'a dyn Reporter) -> Self {
        Self { reporter, passed: 0, told: 0 }
    }

    fn count(&mut self, piece: &io::Result<Chunk>) {
        self.passed += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        if self.passed - self.told >= TOLD {
            self.told = self.passed;
            self.reporter.progress(&Progress { item: "copied".into(), text: "".into(), amount: Some((self.passed, None)) });
        }
    }
}

fn died(error: &JoinError) -> Failure {
    Failure::new(Code::Internal, format!("the copying thread ended: {error}"))
}
