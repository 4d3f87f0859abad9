//! What the engine says of its containers as it happens.

use std::collections::HashMap;

use bollard::models::EventMessage;
use jiff::Timestamp;

use super::from_seconds;
use crate::session::{EngineEvent, EventKind};
use crate::units::Untrusted;

/// An event; `None` for one that names no container.
pub(in crate::backend::engine) fn event(message: EventMessage) -> Option<EngineEvent> {
    let actor = message.actor?;
    let container = actor.id.filter(|id| !id.is_empty())?;
    let mut attributes = actor.attributes.unwrap_or_default();
    let name = bare(attributes.remove("name").unwrap_or_default());
    let what = kind(&message.action.unwrap_or_default(), attributes);
    Some(EngineEvent { at: at(message.time, message.time_nano), container, name, what })
}

fn at(seconds: Option<i64>, nanoseconds: Option<i64>) -> Timestamp {
    let exact = nanoseconds.filter(|since| *since > 0).and_then(|since| Timestamp::from_nanosecond(since.into()).ok());
    exact.unwrap_or_else(|| from_seconds(seconds.unwrap_or(0)))
}

/// Names come with a slash in some attributes and without in others.
fn bare(name: String) -> Untrusted {
    match name.strip_prefix('/') {
        Some(bare) => bare.into(),
        None => name.into(),
    }
}

/// Docker's words, and Podman's where they differ.
fn kind(action: &str, mut attributes: HashMap<String, String>) -> EventKind {
    // `exec_start: sh -c …`, `health_status: healthy`.
    let (word, rest) = action.split_once(':').map_or((action, ""), |(word, rest)| (word, rest.trim_start()));
    let code = |attributes: &HashMap<String, String>, names: &[&str]| {
        names.iter().find_map(|name| attributes.get(*name)).and_then(|code| code.trim().parse().ok())
    };
    match word.trim() {
        "create" => EventKind::Created,
        "start" => EventKind::Started,
        "die" | "died" => EventKind::Died { exit_code: code(&attributes, &["exitCode", "containerExitCode"]) },
        "oom" => EventKind::OutOfMemory,
        "kill" => EventKind::Killed { signal: attributes.remove("signal").unwrap_or_default().into() },
        "stop" => EventKind::Stopped,
        "pause" => EventKind::Paused,
        "unpause" => EventKind::Unpaused,
        "rename" => EventKind::Renamed { from: bare(attributes.remove("oldName").unwrap_or_default()) },
        "update" => EventKind::Updated,
        "destroy" | "remove" => EventKind::Destroyed,
        "exec_start" | "exec" => EventKind::ExecStarted { command: rest.into() },
        "exec_die" | "exec_died" => EventKind::ExecEnded { exit_code: code(&attributes, &["exitCode", "containerExitCode"]) },
        "attach" => EventKind::Attached,
        "detach" => EventKind::Detached,
        _ => EventKind::Other { action: action.into() },
    }
}
