//! `exec -it`: a command in a terminal that lasts as long as somebody looks at it.

use super::attend::{Options, attend, prepare};
use super::far::Far;
use super::parted::{by_signal, gone};
use super::show::Ending;
use crate::backend::engine::{ExecRequest, TerminalSize};
use crate::backend::{Backend, Cut};
use crate::failure::Failure;
use crate::headless::fate::{KILLED, tell};
use crate::headless::foreground::Signals;
use crate::headless::launch::cut_short;
use crate::headless::run::{OURS, before, exit_code};
use crate::headless::{Context, Done, Stop};
use crate::terminal::{COLORTERM, TERM};

/// Runs a command in a running session, in a terminal.
pub async fn exec(context: &Context, backend: &Backend, who: &str, request: &ExecRequest, options: &Options) -> Done {
    let mut signals = Signals::listen()?;
    let session = backend.find(who).await.map_err(before)?;
    let name = session.name.to_string();
    let grants = backend.grants(&session.container_id).await.map_err(before)?;
    let prepared = prepare(context, &name, options).map_err(before)?;
    let size = prepared.size;
    let terminal = Some(TerminalSize { cols: size.columns(), rows: size.rows() });
    let request = ExecRequest { terminal, env: with_terminal(&request.env), ..request.clone() };
    let exec = tokio::select! {
        exec = backend.exec(&session.container_id, &request) => exec.map_err(before)?,
        signal = signals.next() => return Err(cut_short(signal, "the command was not started")),
    };
    let id = exec.id.clone();
    let within = exec.within.clone();
    let ending = attend(context, &name, grants, Far::exec(backend, exec), prepared, &mut signals).await.map_err(ours)?;
    let way_out = format!("the command may still run in '{name}': 'palisade top {name}' shows it, 'palisade stop {name}' ends it");
    let code = match ending {
        Ending::Ended(code) => Ok(exit_code(code.into())),
        Ending::Closed => backend.exec_exit(&id).await.map(exit_code),
        Ending::Left => {
            context.output.note(&format!("left; {way_out}"));
            context.output.note(&format!("hint: what 'palisade shell {name}' opens can be left and taken up again"));
            return Ok(0);
        }
        Ending::Gone => return Err(gone(way_out)),
        Ending::Signal(signal) => return Err(by_signal(signal, "left the command", way_out)),
        Ending::Lost(failure) => {
            let lost = Failure::new(failure.code, "the connection to the command is lost").detail(failure.message);
            backend.exec_exit_or(&id, lost.hint(way_out)).await.map(exit_code)
        }
    };
    let cut = match code {
        Ok(KILLED) => Cut::Killed,
        Err(_) => Cut::Lost,
        Ok(_) => return code.map_err(ours),
    };
    let fate = tell(context, backend, &within, cut, &mut signals).await;
    if fate.is_some_and(|fate| fate.is_over()) { Ok(KILLED) } else { code.map_err(ours) }
}

/// What the terminal is, for whoever writes to it; the operator's own word wins.
pub(super) fn with_terminal(env: &[String]) -> Vec<String> {
    let mut all: Vec<String> = [("TERM", TERM), ("COLORTERM", COLORTERM)]
        .into_iter()
        .filter(|(key, _)| !env.iter().any(|entry| entry.split('=').next() == Some(key)))
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    all.extend_from_slice(env);
    all
}

pub(super) fn ours(failure: Failure) -> Stop {
    Stop { failure, exit: OURS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_terminal_is_told_unless_the_operator_says_otherwise() {
        assert_eq!(with_terminal(&["A=1".to_owned()]), ["TERM=xterm-256color", "COLORTERM=truecolor", "A=1"]);
        assert_eq!(with_terminal(&["TERM=vt100".to_owned()]), ["COLORTERM=truecolor", "TERM=vt100"]);
    }
}
