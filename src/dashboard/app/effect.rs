//! What is to be done, as a value.

use super::row::{ContainerId, Measured};
use crate::backend::{Cut, Order, Within};
use crate::units::Bytes;

/// Which piece of long work, from the press of a key to its notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// Which open terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaneId(pub u64);

/// A session as an effect names it: the id decides, the name is for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The container's full id.
    pub id: ContainerId,
    /// The session's name when it was asked for.
    pub name: String,
}

/// What is done to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the headless commands of the same names")]
pub enum Deed {
    Stop,
    Start,
    Restart,
    Pause,
    Unpause,
    Remove,
    Update,
}

impl Deed {
    /// What is told while it is done, and when it is: `stopping`, `stopped`.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Stop => ("stopping", "stopped"),
            Self::Start => ("starting", "started"),
            Self::Restart => ("restarting", "restarted"),
            Self::Pause => ("pausing", "paused"),
            Self::Unpause => ("unpausing", "unpaused"),
            Self::Remove => ("removing", "removed"),
            Self::Update => ("updating", "updated"),
        }
    }
}

/// What runs in a pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaneCommand {
    /// The session's main process: its terminal where it has one, else its log.
    Attach,
    /// The best shell that the image has; where shells were left, one of them is offered first.
    Shell,
    /// A new shell, whatever was left.
    NewShell,
    /// A command.
    Exec(Vec<String>),
    /// A terminal that the session holds.
    TakeUp(u32),
}

/// What a tab of the detail pane needs that the list does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The session's fetches, from the depot's journal.
    Fetches,
    /// Its processes with their rights.
    Processes,
    /// What changed against the image.
    Files,
}

/// What to do, as `update` decides it; the runtime does it and sends what came of it as a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// List the sessions now.
    List,
    /// Ask what the engine reports of these, and measure them.
    Measure(Vec<ContainerId>),
    /// Compare these with their plans and with today's: what was measured of each.
    Compare(Vec<Measured>),
    /// Read a part of the detail.
    Read(ContainerId, Part),
    /// Launch a sandbox.
    Launch(JobId, Box<Order>),
    /// Do this to each of these.
    Act(JobId, Deed, Vec<Target>),
    /// Give it another name.
    Rename(JobId, Target, String),
    /// Fetch packages ahead of time: `pypi:NAME`, `npm:NAME`, ….
    Warm(JobId, Vec<String>),
    /// Remove from the depot's store until so much is left.
    Prune(JobId, Bytes),
    /// Build the sandbox image.
    BuildImage(JobId),
    /// Give up a piece of work.
    Cancel(JobId),
    /// Work out the plan of an order, for the form; the number goes with the answer.
    Preview(u64, Box<Order>),
    /// List what this path could go on as, for the form.
    CompletePath(u64, String),
    /// Open a terminal of so many columns and lines.
    OpenPane(PaneId, Target, PaneCommand, (u16, u16)),
    /// Send what was typed.
    PaneInput(PaneId, Vec<u8>),
    /// Tell its new size.
    PaneResize(PaneId, (u16, u16)),
    /// Leave it. What runs in it goes on where its session holds it; otherwise it ends as it would with `exec`.
    PaneClose(PaneId),
    /// Ask what became of the session in which a terminal was cut short.
    AskFate(PaneId, Box<Within>, Cut),
    /// End what runs in a terminal that its session holds.
    EndTerminal(Target, u32),
    /// Ring the operator's bell.
    Bell,
    /// Show a session's log in the operator's pager.
    Pager(Target),
    /// Put this on the clipboard, by the terminal.
    Copy(String),
    /// Keep what outlives this run.
    Save,
    /// Draw everything anew.
    Redraw,
    /// To the background.
    Suspend,
    /// End.
    Quit,
}
