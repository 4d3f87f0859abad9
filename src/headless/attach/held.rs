//! `attach` and `shell`: the terminals that a session holds, left and taken up again.

use super::attend::{Options, attend, prepare};
use super::far::{Far, To};
use super::follow::follow;
use super::parted::{by_signal, gone, left};
use super::show::Ending;
use crate::backend::{Backend, Cut, Fate, Terminal, Within};
use crate::failure::{Code, Failure};
use crate::headless::fate::{KILLED, tell};
use crate::headless::foreground::Signals;
use crate::headless::launch::cut_short;
use crate::headless::run::{OURS, before, exit_code};
use crate::headless::{Context, Done, Stop};
use crate::session::Session;
use crate::terminal::wire::{Held, Want};
use crate::units::{Untrusted, brief_span};

/// The number of the terminal in which a session's own command runs.
pub const MAIN: u32 = 0;
/// bash where the image has it, else sh, without a terminal: found by the image's own sh.
pub const PLAIN_SHELL: [&str; 3] = ["/bin/sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi"];

/// What `shell` opens, or which it takes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shell {
    /// A new one.
    New {
        /// Command and arguments; none for the session's shell.
        command: Vec<String>,
        /// `KEY=VALUE`.
        env: Vec<String>,
        /// Where it starts; empty for the session's own folder.
        working_dir: String,
    },
    /// One that is there.
    There(u32),
}

/// Takes up a terminal of a session, its own command's unless another is named. A session whose command has none is followed.
pub async fn attach(context: &Context, backend: &Backend, who: &str, id: Option<u32>, options: &Options, has_terminal: bool) -> Done {
    let session = backend.find(who).await.map_err(before)?;
    let name = session.name.to_string();
    if id.is_none() && !has_main_terminal(backend, &session).await? {
        return follow(context, backend, &session, options, has_terminal).await;
    }
    if !has_terminal {
        return Err(Failure::new(Code::Usage, format!("'{name}' is shown in a terminal, and here is none"))
            .hint(format!("what it writes is also its log: palisade logs -f {name}"))
            .into());
    }
    take_up(context, backend, &session, options, |size| Want::Attach { id: id.unwrap_or(MAIN), size: Some(size) }).await
}

/// Opens a shell that outlives whoever looks at it, or takes one up.
pub async fn shell(context: &Context, backend: &Backend, who: &str, shell: Shell, options: &Options) -> Done {
    let session = backend.find(who).await.map_err(before)?;
    let left = match shell {
        Shell::New { .. } => backend.terminals(&session.container_id).await.map_err(before)?,
        Shell::There(_) => Vec::new(),
    };
    let done = take_up(context, backend, &session, options, |size| match shell {
        Shell::New { command, env, working_dir } => Want::Open { command, env, working_dir, size },
        Shell::There(id) => Want::Attach { id, size: Some(size) },
    })
    .await;
    for held in left.iter().filter(|held| held.id != MAIN && held.clients == 0) {
        let (id, idle) = (held.id, brief_span(held.idle_s));
        let command = Untrusted::from(held.command.join(" "));
        context.output.note(&format!(
            "'{}' still holds terminal {id} ({command}), unused for {idle}: {}",
            session.name,
            way_back(&session, id)
        ));
    }
    done
}

async fn has_main_terminal(backend: &Backend, session: &Session) -> std::result::Result<bool, Stop> {
    match backend.terminals(&session.container_id).await {
        Ok(held) => Ok(held.iter().any(|held| held.id == MAIN)),
        // It was launched before there were terminals.
        Err(failure) if failure.code == Code::Refused => Ok(false),
        Err(failure) => Err(before(failure)),
    }
}

async fn take_up(
    context: &Context,
    backend: &Backend,
    session: &Session,
    options: &Options,
    want: impl FnOnce(crate::terminal::Size) -> Want,
) -> Done {
    let mut signals = Signals::listen()?;
    let (held, within, ending) = show(context, backend, session, options, &mut signals, want).await?;
    let fate = match ending {
        Ending::Ended(code) if code == i32::from(KILLED) => tell(context, backend, &within, Cut::Killed, &mut signals).await,
        Ending::Closed | Ending::Lost(_) => tell(context, backend, &within, Cut::Lost, &mut signals).await,
        Ending::Ended(_) | Ending::Left | Ending::Gone | Ending::Signal(_) => None,
    };
    end(context, session, &held, ending, fate)
}

pub(super) async fn show(
    context: &Context,
    backend: &Backend,
    session: &Session,
    options: &Options,
    signals: &mut Signals,
    want: impl FnOnce(crate::terminal::Size) -> Want,
) -> std::result::Result<(Held, Within, Ending), Stop> {
    let name = session.name.to_string();
    let prepared = prepare(context, &name, options).map_err(before)?;
    let terminal = tokio::select! {
        terminal = backend.terminal(&session.container_id, want(prepared.size)) => terminal.map_err(before)?,
        signal = signals.next() => return Err(cut_short(signal, "nothing was attached to")),
    };
    let Terminal { held, grants, output, input, within } = terminal;
    let far = Far { output, to: To::Held(input) };
    let ending = attend(context, &name, grants, far, prepared, signals).await.map_err(|failure| Stop { failure, exit: OURS })?;
    Ok((held, within, ending))
}

fn end(context: &Context, session: &Session, held: &Held, ending: Ending, fate: Option<Fate>) -> Done {
    let (name, id) = (&session.name, held.id);
    let goes_on = format!("terminal {id} of '{name}' goes on: {}", way_back(session, id));
    match ending {
        Ending::Ended(code) => Ok(exit_code(code.into())),
        Ending::Left => Ok(left(context, &goes_on)),
        Ending::Gone => Err(gone(goes_on)),
        Ending::Signal(signal) => Err(by_signal(signal, "left the terminal", goes_on)),
        Ending::Closed | Ending::Lost(_) => {
            // Its session ended, and took the connection with it.
            if let Some(fate) = fate.filter(Fate::is_over) {
                return Ok(fate.exit_code.filter(|_| id == MAIN).map_or(KILLED, exit_code));
            }
            let mut lost = Failure::new(Code::EngineUnreachable, format!("the connection to terminal {id} of '{name}' is lost"));
            if let Ending::Lost(failure) = ending {
                lost = lost.detail(failure.message);
            }
            Err(Stop { failure: lost.hint(format!("it may go on without us: {}", way_back(session, id))), exit: OURS })
        }
    }
}

/// How a terminal is taken up again.
fn way_back(session: &Session, id: u32) -> String {
    if id == MAIN { format!("palisade attach {}", session.name) } else { format!("palisade shell {} --terminal {id}", session.name) }
}
