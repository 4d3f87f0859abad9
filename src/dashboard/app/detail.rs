//! What is shown of the selected session.

use serde::{Deserialize, Serialize};

use super::cache::Fetches;
use super::log::Log;
use super::remote::Remote;
use super::row::ContainerId;
use crate::session::{FileChanges, ProcessList};

/// A tab of the detail pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "their titles say it")]
pub enum Tab {
    #[default]
    Overview,
    Hardening,
    Cache,
    Logs,
    Processes,
    Events,
    Files,
}

impl Tab {
    /// Every tab, from left to right.
    pub const ALL: [Self; 7] = [Self::Overview, Self::Hardening, Self::Cache, Self::Logs, Self::Processes, Self::Events, Self::Files];

    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Hardening => "Hardening",
            Self::Cache => "Cache",
            Self::Logs => "Logs",
            Self::Processes => "Processes",
            Self::Events => "Events",
            Self::Files => "Files",
        }
    }

    /// The tab after it, from the last to the first.
    #[must_use]
    pub fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }

    /// The tab before it.
    #[must_use]
    pub fn previous(self) -> Self {
        Self::ALL[(self as usize + Self::ALL.len() - 1) % Self::ALL.len()]
    }
}

/// What is shown of the selected session beside its row.
#[derive(Debug, Clone, Default)]
pub struct Detail {
    /// Whose; everything below is this session's.
    pub of: Option<ContainerId>,
    /// The open tab.
    pub tab: Tab,
    /// Lines scrolled down, in every tab but the log.
    pub scroll: usize,
    /// The log.
    pub log: Log,
    /// The fetch list.
    pub fetches: Remote<Fetches>,
    /// The processes.
    pub processes: Remote<ProcessList>,
    /// What changed against the image.
    pub files: Remote<FileChanges>,
}
