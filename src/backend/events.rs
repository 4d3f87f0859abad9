//! What happens to sessions, as it happens.

use futures_util::StreamExt;

use super::Backend;
use super::engine::EventStream;
use crate::policy::plan::SUPERVISOR;
use crate::session::{EngineEvent, EventKind};
use crate::units::Untrusted;

impl Backend {
    /// What happens from now on to containers of ours: sessions, and what serves them. See [`super::engine::Engine::events`].
    pub fn events(&self) -> EventStream {
        self.engine.events().map(|event| event.map(operators)).boxed()
    }
}

/// With the operator's command in place of the one by which it is run.
fn operators(event: EngineEvent) -> EngineEvent {
    let what = match event.what {
        // The way to a terminal that the session holds.
        EventKind::ExecStarted { command } if is_terminal(command.raw()) => EventKind::Attached,
        EventKind::ExecStarted { command } => EventKind::ExecStarted { command: bare(command) },
        other => other,
    };
    EngineEvent { what, ..event }
}

fn is_terminal(command: &str) -> bool {
    command.strip_prefix(SUPERVISOR) == Some(" terminal")
}

fn bare(command: Untrusted) -> Untrusted {
    let entered = command.raw().strip_prefix(SUPERVISOR).and_then(|rest| rest.strip_prefix(" enter -- "));
    match entered {
        Some(rest) => Untrusted::from(rest),
        None => command,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_as_the_operator_gave_it() {
        assert_eq!(bare(format!("{SUPERVISOR} enter -- sh -c ls").as_str().into()).raw(), "sh -c ls");
        assert!(is_terminal(&format!("{SUPERVISOR} terminal")) && !is_terminal("sh terminal"));
        for other in ["sh -c ls", "/bin/palisade enter -- ls", ""] {
            assert_eq!(bare(other.into()).raw(), other);
        }
    }
}
