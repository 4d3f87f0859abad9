//! `logs`: what a session has printed.

use std::convert::Infallible;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::foreground::{WriteError, Writer, chosen};
use super::search::Search;
use super::{Context, Done};
use crate::backend::Backend;
use crate::backend::engine::{LogOptions, Output, OutputStream};
use crate::backend::limits::{LOOK_EVERY, LogWatch};
use crate::failure::{Failure, Result};

/// Lines that have come, at most, before some are written.
const READY: usize = 512;
/// Between two writes: an engine sends line by line, and whoever wakes for each of them is too slow for a flood, of which engines skip
/// what is not taken in time.
const PAUSE: Duration = Duration::from_millis(2);

/// Prints the log, output and errors apart: of a search the lines that match. `raw` passes control characters to a terminal.
pub async fn logs(context: &Context, backend: &Backend, who: &str, options: &LogOptions, search: Option<Search>, raw: bool) -> Done {
    let (log, watch) = backend.logs(who, options).await?;
    let mut gaps = Gaps { context, watch };
    let shown = tokio::select! {
        shown = show(context, log, options.timestamps, search, raw) => shown,
        never = gaps.tell_as_they_come() => match never {},
    };
    gaps.tell();
    shown
}

/// Of a log that is followed, that lines may be missing: told once, and beside the output.
pub(super) struct Gaps<'a> {
    pub context: &'a Context,
    pub watch: Option<LogWatch>,
}

impl Gaps<'_> {
    async fn tell_as_they_come(&mut self) -> Infallible {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.watch.is_some() {
            looks.tick().await;
            self.tell();
        }
        std::future::pending().await
    }

    pub fn tell(&mut self) {
        if self.watch.as_mut().is_some_and(LogWatch::began_anew) {
            self.watch = None;
            self.context.output.note(
                "the log was full and begun anew while it was followed: lines may be missing, which engines skip where much is written; a larger \
                 'log_max_size' in its profile makes that rarer",
            );
        }
    }
}

/// What has come while nobody asked, so that it can be taken at once.
fn gathered(mut log: OutputStream) -> mpsc::Receiver<Result<Output>> {
    let (gather, gathered) = mpsc::channel(READY);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = gather.closed() => return,
                piece = log.next() => match piece {
                    Some(piece) => if gather.send(piece).await.is_err() { return },
                    None => return,
                },
            }
        }
    });
    gathered
}

/// Prints any log, with the engine's times where they were asked for.
pub async fn show(context: &Context, log: OutputStream, timestamps: bool, mut search: Option<Search>, raw: bool) -> Done {
    let mut encoding = chosen(context, raw, timestamps);
    let mut writer = Writer::standard();
    let mut log = gathered(log);
    let mut pieces = Vec::with_capacity(READY);
    let mut next = Instant::now();
    while log.recv_many(&mut pieces, READY).await > 0 {
        let is_all = pieces.len() < READY;
        let (mut found, mut failed) = (Vec::with_capacity(pieces.len()), None);
        for piece in pieces.drain(..) {
            match (piece, &mut search) {
                (Ok(piece), Some(search)) => found.extend(search.take(piece)),
                (Ok(piece), None) => found.push(piece),
                (Err(failure), _) => failed = Some(failure),
            }
        }
        if let Err(error) = writer.send_all(found.into_iter().filter_map(|piece| encoding.encode(piece))).await {
            return ended(context, error);
        }
        if let Some(failure) = failed {
            return Err(failure.into());
        }
        if is_all {
            sleep_until(next).await;
        }
        next = Instant::now() + PAUSE;
    }
    let last: Vec<_> = search.iter_mut().flat_map(Search::rest).filter_map(|piece| encoding.encode(piece)).collect();
    if let Err(error) = writer.send_all(last.into_iter().chain(encoding.rest())).await {
        return ended(context, error);
    }
    match writer.finish().await {
        Ok(()) => Ok(0),
        Err(error) => ended(context, error),
    }
}

fn ended(context: &Context, error: WriteError) -> Done {
    match error {
        WriteError::ReaderGone => {
            context.output.note_reader_gone();
            Ok(0)
        }
        WriteError::Failed(error) => Err(Failure::io("write the log", &error).into()),
    }
}
