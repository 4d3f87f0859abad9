//! `run -t`: a session of its own for a command in a terminal, which begins when it is seen.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::attend::Options;
use super::held::{MAIN, show};
use super::parted::{by_signal, gone, left};
use super::show::Ending;
use crate::backend::{Backend, Order};
use crate::failure::{Code, Failure, Result};
use crate::headless::foreground::Signals;
use crate::headless::launch::{begin, cut_short};
use crate::headless::run::{OURS, before, exit_code};
use crate::headless::{Context, Done, Stop};
use crate::terminal::wire::Want;

/// How long a session may take to be gone after its terminal is.
const LAST_WORD: Duration = Duration::from_secs(15);

/// Launches an ephemeral session, shows its terminal, and ends with its command's exit code. Left, the session goes on.
pub async fn run(context: &Context, backend: &Backend, order: &Order, options: &Options) -> Done {
    let mut signals = Signals::listen()?;
    let (running, interrupted) = begin(async |reporter| backend.run(order, reporter).await, &mut signals, context).await?;
    let running = running.map_err(before)?;
    let session = running.launched.session;
    if let Some(signal) = interrupted {
        let _ = backend.remove(&session.container_id, true).await;
        return Err(cut_short(signal, "the launch was cut short, and the session removed"));
    }
    let shown = show(context, backend, &session, options, &mut signals, |size| Want::Attach { id: MAIN, size: Some(size) }).await;
    let ending = match shown {
        Ok((_, _, ending)) => ending,
        Err(stop) => {
            // Nobody ever saw it: it still waits to begin.
            let _ = backend.remove(&session.container_id, true).await;
            return Err(stop);
        }
    };
    let name = &session.name;
    let goes_on = format!("'{name}' goes on: 'palisade attach {name}' takes it up again, 'palisade rm -f {name}' removes it");
    match ending {
        Ending::Ended(code) => Ok(exited(running.exit).await.unwrap_or_else(|| exit_code(code.into()))),
        Ending::Left => Ok(left(context, &goes_on)),
        Ending::Gone => Err(gone(goes_on)),
        Ending::Signal(signal) => Err(by_signal(signal, "left the session", goes_on)),
        Ending::Closed | Ending::Lost(_) => {
            if let Some(code) = exited(running.exit).await {
                return Ok(code);
            }
            let lost = Failure::new(Code::EngineUnreachable, format!("the connection to '{name}' is lost"));
            let lost = if let Ending::Lost(failure) = ending { lost.detail(failure.message) } else { lost };
            Err(Stop { failure: lost.hint(format!("it may go on without us: {goes_on}")), exit: OURS })
        }
    }
}

/// The session's exit code, which knows of deadlines too.
async fn exited(exit: BoxFuture<'static, Result<i64>>) -> Option<u8> {
    tokio::time::timeout(LAST_WORD, exit).await.ok()?.ok().map(exit_code)
}
