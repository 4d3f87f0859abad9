//! `launch`, and how any launch is let come to rest when a signal cuts it short.

use std::future::Future;

use super::document::{Document, LaunchedBody};
use super::foreground::{Signal, Signals};
use super::posture_table;
use super::progress::{Plain, TerminalReporter};
use super::{Context, Done, Stop};
use crate::backend::{Backend, Order};
use crate::failure::{Code, Failure, Result};

/// Launches a session in the background and shows what holds.
pub async fn launch(context: &Context, backend: &Backend, order: &Order) -> Done {
    let mut signals = Signals::listen()?;
    let (launched, interrupted) = begin(async |reporter| backend.launch(order, reporter).await, &mut signals, context).await?;
    let launched = launched?;
    if let Some(signal) = interrupted {
        backend.remove(&launched.session.container_id, true).await?;
        return Err(cut_short(signal, "the launch was cut short, and the session removed"));
    }
    if context.output.is_json() {
        context.output.document(&Document::new(LaunchedBody { session: launched.session, posture: launched.posture }));
    } else {
        context.output.text(&format!("{}\n", launched.session.name));
        context.output.note(&posture_table::note(&launched.session, &launched.posture));
    }
    Ok(0)
}

/// Launches, telling of it, and lets that come to rest as [`settle`] does.
pub async fn begin<T>(
    launch: impl AsyncFnOnce(&TerminalReporter) -> Result<T>,
    signals: &mut Signals,
    context: &Context,
) -> std::result::Result<(Result<T>, Option<Signal>), Stop> {
    let reporter = TerminalReporter::new(&context.output, Plain::Silent);
    let settled = settle(launch(&reporter), signals, context).await;
    reporter.finish();
    settled
}

/// Lets a launch finish although a signal came: dropped half-way, it would leave a container behind. The signal that came
/// is given back beside the result. A second one ends the wait.
pub async fn settle<T>(
    launch: impl Future<Output = Result<T>>,
    signals: &mut Signals,
    context: &Context,
) -> std::result::Result<(Result<T>, Option<Signal>), Stop> {
    let mut came = None;
    tokio::pin!(launch);
    loop {
        tokio::select! {
            result = &mut launch => return Ok((result, came)),
            signal = signals.next() => {
                if came.is_some() {
                    let mut stop = cut_short(signal, "the launch was left half-way");
                    stop.failure = stop.failure.hint("'palisade ls' shows what is there, 'palisade rm -f NAME' removes it");
                    return Err(stop);
                }
                came = Some(signal);
                context.output.note("waiting for the launch to settle, then removing the session; once more leaves at once");
            }
        }
    }
}

/// The failure of a command that a signal ended.
pub fn cut_short(signal: Signal, message: &str) -> Stop {
    Stop { failure: Failure::new(Code::Interrupted, format!("{message} ({})", signal.name())), exit: signal.exit_code() }
}
