//! Values that are one of a few words.

use clap::ValueEnum;

use crate::backend::Pull;
use crate::policy::{Network, Seccomp};
use crate::session::{Kind, Status};

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorWord {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How long a session stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KindWord {
    /// Stays until it is removed
    Persistent,
    /// Removed when its command ends
    Ephemeral,
}

/// Where a session is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub(super) enum StatusWord {
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
    Unknown,
}

/// What a session reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum NetworkWord {
    /// Nothing but its own loopback
    None,
    /// Packages, by the depot
    Packages,
    /// Packages, and whatever the engine's host reaches
    Open,
}

/// Which system calls are filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SeccompWord {
    /// The engine's own profile
    Default,
    /// Also without io_uring, userfaultfd, keyctl, ptrace, perf_event_open and bpf
    Strict,
}

/// When an image is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PullWord {
    /// When the engine does not have it
    Missing,
    /// Before every launch
    Always,
    /// Never
    Never,
}

impl From<KindWord> for Kind {
    fn from(word: KindWord) -> Self {
        match word {
            KindWord::Persistent => Self::Persistent,
            KindWord::Ephemeral => Self::Ephemeral,
        }
    }
}

impl From<StatusWord> for Status {
    fn from(word: StatusWord) -> Self {
        match word {
            StatusWord::Created => Self::Created,
            StatusWord::Running => Self::Running,
            StatusWord::Paused => Self::Paused,
            StatusWord::Restarting => Self::Restarting,
            StatusWord::Removing => Self::Removing,
            StatusWord::Exited => Self::Exited,
            StatusWord::Dead => Self::Dead,
            StatusWord::Unknown => Self::Unknown,
        }
    }
}

impl From<NetworkWord> for Network {
    fn from(word: NetworkWord) -> Self {
        match word {
            NetworkWord::None => Self::None,
            NetworkWord::Packages => Self::Packages,
            NetworkWord::Open => Self::Open,
        }
    }
}

impl From<SeccompWord> for Seccomp {
    fn from(word: SeccompWord) -> Self {
        match word {
            SeccompWord::Default => Self::Default,
            SeccompWord::Strict => Self::Strict,
        }
    }
}

impl From<PullWord> for Pull {
    fn from(word: PullWord) -> Self {
        match word {
            PullWord::Missing => Self::Missing,
            PullWord::Always => Self::Always,
            PullWord::Never => Self::Never,
        }
    }
}
