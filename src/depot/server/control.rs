//! What the manager asks of a running depot: over a socket on the depot's own volume, which no sandbox mounts.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

use super::{Depot, now, say};
use crate::depot::control::{ControlLine, ControlReport, ControlVerb};

/// The longest order.
const LONGEST: u64 = 4096;
/// Lines of progress that wait to be read.
const WAITING: usize = 16;

/// Obeys one order for each connection.
pub async fn listen(depot: Arc<Depot>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => _ = tokio::spawn(obey(Arc::clone(&depot), stream)),
            Err(error) => {
                say(&format!("no order can be taken: {error}"));
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
    }
}

async fn obey(depot: Arc<Depot>, stream: UnixStream) {
    let (reader, mut writer) = stream.into_split();
    let mut order = String::new();
    if BufReader::new(reader.take(LONGEST)).read_line(&mut order).await.is_err() {
        return;
    }
    let (sender, mut lines) = mpsc::channel(WAITING);
    let working = tokio::spawn(async move {
        let last = match serde_json::from_str(&order) {
            Ok(verb) => work(&depot, verb, sender.clone()).await,
            Err(error) => ControlLine::Error(format!("that is no order: {error}")),
        };
        depot.write_summary();
        // A manager that left does not need it.
        let _ = sender.send(last).await;
    });
    while let Some(line) = lines.recv().await {
        let Ok(mut text) = serde_json::to_vec(&line) else { break };
        text.push(b'\n');
        if writer.write_all(&text).await.is_err() {
            break;
        }
    }
    // Begun work is finished, whether anyone watches or not.
    let _ = working.await;
}

async fn work(depot: &Depot, verb: ControlVerb, lines: mpsc::Sender<ControlLine>) -> ControlLine {
    let freed = match verb {
        ControlVerb::Verify => {
            // Progress that nobody has read yet is not worth waiting for.
            let verified = depot.store.verify(move |done, total| _ = lines.try_send(ControlLine::Progress { done, total })).await;
            return match verified {
                Ok(verified) => ControlLine::Report(ControlReport {
                    blobs: verified.blobs,
                    bytes: verified.bytes,
                    damaged: verified.damaged.iter().map(ToString::to_string).collect(),
                }),
                Err(error) => ControlLine::Error(format!("the store cannot be read: {error}")),
            };
        }
        ControlVerb::Prune { keep, unused_for } => {
            let before = unused_for.map(|age| {
                let age = jiff::SignedDuration::from_secs(i64::try_from(age.get()).unwrap_or(i64::MAX));
                now().saturating_sub(age).unwrap_or(jiff::Timestamp::MIN)
            });
            depot.store.prune(keep.map(crate::units::Bytes::get), before).await
        }
        ControlVerb::Clear => match depot.index.forget_all() {
            Ok(()) => depot.store.prune(Some(0), None).await,
            Err(error) => Err(error),
        },
    };
    match freed {
        Ok(freed) => ControlLine::Report(ControlReport { blobs: freed.blobs, bytes: freed.bytes, damaged: Vec::new() }),
        Err(error) => ControlLine::Error(format!("the store cannot be cleared: {error}")),
    }
}
