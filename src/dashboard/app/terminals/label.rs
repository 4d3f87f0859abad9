//! What a tab says.

use super::super::effect::PaneCommand;
use super::{Pane, Tie};
use crate::dashboard::text;
use crate::units::sanitise;

/// Columns of what runs in it.
const WHAT: usize = 16;
/// Columns of whose it is.
const WHOSE: usize = 16;

/// How a terminal stands, for its tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It runs, and nothing new is to be told.
    Running,
    /// It is being opened.
    Opening,
    /// It rang.
    Rang,
    /// Something was written.
    Active,
    /// It has ended.
    Ended,
    /// It failed, or the way to it was lost.
    Failed,
}

/// `1 web shell`: its number, whose it is, what runs in it. The sign comes after it.
pub fn label(pane: &Pane, number: usize) -> String {
    format!("{number} {} {}", text::fit(&pane.target.name, WHOSE, "~"), text::fit(&what(pane), WHAT, "~"))
}

/// What runs in it: its title where it may set one, else what it was opened for.
pub fn what(pane: &Pane) -> String {
    if let Some(title) = &pane.title {
        return sanitise(title);
    }
    match (&pane.command, &pane.tie) {
        (PaneCommand::Attach, Tie::Log) => "log".to_owned(),
        (PaneCommand::Attach, _) => "attached".to_owned(),
        (PaneCommand::Shell | PaneCommand::NewShell, _) => "shell".to_owned(),
        (PaneCommand::Exec(command), _) => command.join(" "),
        (PaneCommand::TakeUp(id), Tie::Held(held)) => format!("#{id} {}", program(&held.command)),
        (PaneCommand::TakeUp(id), _) => format!("#{id}"),
    }
}

/// The last part of a command's path.
pub fn program(command: &[String]) -> String {
    let first = command.first().map_or("", String::as_str);
    sanitise(first.rsplit('/').next().unwrap_or(first))
}

impl Sign {
    /// A pane's.
    pub const fn of(pane: &Pane) -> Self {
        match &pane.ended {
            Some(Err(_)) => Self::Failed,
            Some(Ok(_)) => Self::Ended,
            None if pane.rang => Self::Rang,
            None if matches!(pane.tie, Tie::Opening) => Self::Opening,
            None if pane.active => Self::Active,
            None => Self::Running,
        }
    }
}
