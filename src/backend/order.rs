use std::path::PathBuf;

use crate::policy::profile::Profile;
use crate::session::Kind;

/// What an operator asks for, from either front end, before anything is looked up or judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Name; `None` for one made from the id.
    pub name: Option<String>,
    /// How long it stays.
    pub kind: Kind,
    /// Profile by name, or a file (with a `/` or `.toml`); `None` for the configured default.
    pub profile: Option<String>,
    /// What flags say over the profile.
    pub overrides: Profile,
    /// Whether to leave a project's `.palisade.toml` unread.
    pub ignore_project: bool,
    /// Command and arguments; empty for the image's own.
    pub command: Vec<String>,
    /// Whether it runs in a terminal, which the session's supervisor holds as its terminal 0.
    pub tty: bool,
    /// `KEY=VALUE`, or `KEY` to pass on the caller's.
    pub env: Vec<String>,
    /// Files of such lines, read before `env`.
    pub env_files: Vec<PathBuf>,
    /// `NAME`, or `NAME=ENV`.
    pub secrets: Vec<String>,
    /// `PATH`, `PATH:ro` or `PATH:rw`.
    pub workspace: Option<String>,
    /// Working directory inside.
    pub working_dir: Option<String>,
    /// When to pull the image.
    pub pull: Pull,
}

/// When an image is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pull {
    /// When the engine does not have it.
    #[default]
    Missing,
    /// Before every launch.
    Always,
    /// Never.
    Never,
}
