use jiff::Timestamp;
use serde::Serialize;

use super::LimitHit;
use crate::units::Untrusted;

/// Something that happened to a container of ours, as the engine tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EngineEvent {
    /// When, by the engine's clock.
    pub at: Timestamp,
    /// Full container id.
    pub container: String,
    /// The container's name at that moment, without the slash.
    pub name: Untrusted,
    /// What.
    pub what: EventKind,
}

/// What can happen to a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// It was made.
    Created,
    /// Its first process began.
    Started,
    /// Its first process ended.
    Died {
        /// `None` where the engine does not say.
        exit_code: Option<i64>,
    },
    /// The kernel ended a process of it for want of memory.
    OutOfMemory,
    /// A signal was sent to it.
    Killed {
        /// The signal's number or name, as the engine gives it.
        signal: Untrusted,
    },
    /// A stop of the engine's has come to its end.
    Stopped,
    /// It was frozen.
    Paused,
    /// It goes on.
    Unpaused,
    /// It has another name.
    Renamed {
        /// The name it had; empty where the engine does not say.
        from: Untrusted,
    },
    /// Its limits were changed.
    Updated,
    /// It is gone.
    Destroyed,
    /// A command was started in it.
    ExecStarted {
        /// Command and arguments; empty where the engine does not say.
        command: Untrusted,
    },
    /// A command that was started in it has ended.
    ExecEnded {
        /// `None` where the engine does not say.
        exit_code: Option<i64>,
    },
    /// Somebody attached to its streams.
    Attached,
    /// Somebody detached from them.
    Detached,
    /// It ran into a limit, as this machine's kernel shows.
    LimitReached {
        /// Which.
        #[serde(flatten)]
        hit: LimitHit,
    },
    /// Anything else, in the engine's word.
    Other {
        /// `copy`, `top`, `resize`, ….
        action: Untrusted,
    },
}

impl EventKind {
    /// In words that no terminal acts on.
    pub fn words(&self) -> String {
        match self {
            Self::Created => "created".to_owned(),
            Self::Started => "started".to_owned(),
            Self::Died { exit_code: Some(0) } => "its command ended well (0)".to_owned(),
            Self::Died { exit_code: Some(122) } => "its files took more than --disk-hard allows (122)".to_owned(),
            Self::Died { exit_code: Some(124) } => "it ran for longer than its timeout (124)".to_owned(),
            Self::Died { exit_code: Some(code) } => format!("its command ended with {code}"),
            Self::Died { exit_code: None } => "its command ended".to_owned(),
            Self::OutOfMemory => "out of memory: the kernel ended a process at its memory limit".to_owned(),
            Self::Killed { signal } => format!("sent signal {signal}"),
            Self::Stopped => "stopped".to_owned(),
            Self::Paused => "paused".to_owned(),
            Self::Unpaused => "goes on".to_owned(),
            Self::Renamed { from } => format!("renamed from {from}"),
            Self::Updated => "its limits were changed from outside".to_owned(),
            Self::Destroyed => "removed".to_owned(),
            Self::ExecStarted { command } => format!("runs: {command}"),
            Self::ExecEnded { exit_code: Some(code) } => format!("a command in it ended with {code}"),
            Self::ExecEnded { exit_code: None } => "a command in it ended".to_owned(),
            Self::Attached => "attached to".to_owned(),
            Self::Detached => "detached from".to_owned(),
            Self::LimitReached { hit } => hit.sentence(),
            Self::Other { action } => action.to_string(),
        }
    }
}
