//! What happened, as a value.

use jiff::Timestamp;

use super::cache::Fetches;
use super::effect::{JobId, PaneId};
use super::key::Key;
use super::link::EngineFacts;
use super::log::LogLine;
use super::pointer::Pointer;
use super::row::{ContainerId, Measured, Sample, Weight};
use super::terminals::Opened;
use crate::backend::disk::VolumesTaken;
use crate::backend::{Fate, Reaped, Survey};
use crate::depot::ledger::Summary;
use crate::failure::Failure;
use crate::policy::drift::Standing;
use crate::policy::plan::Plan;
use crate::session::{EngineEvent, FileChanges, ProcessList};
use crate::terminal::wire::Held;

/// What happened. Only `update` changes the state, and only for one of these.
#[derive(Debug)]
pub enum Message {
    /// Time passed: it is now so late.
    Tick(Timestamp),
    /// A key was pressed.
    Key(Key),
    /// The mouse did something.
    Mouse(Pointer),
    /// A text was pasted.
    Pasted(String),
    /// The terminal has another size.
    Resized(u16, u16),
    /// The dashboard is in the foreground again.
    Resumed,

    /// The engine answered for the first time, or again, and says who it is.
    Connected(EngineFacts),
    /// The sessions were listed.
    Observed(Result<Survey, Failure>),
    /// The engine told of something.
    Happened(EngineEvent),
    /// The stream of events ended; it is taken up again by itself.
    WatchEnded(Failure),
    /// Sessions were inspected and measured.
    MeasuredAll(Vec<(ContainerId, Result<Measured, Failure>)>),
    /// These were compared with their plans and with today's.
    Compared(Vec<(ContainerId, Standing)>),
    /// What today's plans are made of may have changed: profiles, settings, images.
    PlansChanged,
    /// Usage was read.
    UsageRead(Vec<(ContainerId, Result<Sample, Failure>)>),
    /// The depot's counters were read; `None` where there is no depot.
    CacheRead(Result<Option<Box<Summary>>, Failure>),
    /// What the sweep ended or removed.
    Reaped(Vec<Reaped>),
    /// A container was connected to a network, or disconnected from one.
    Rewired(ContainerId),
    /// The room that our volumes take was counted.
    DiskRead(Result<VolumesTaken, Failure>),

    /// The fetch list came.
    FetchesRead(ContainerId, Result<Fetches, Failure>),
    /// The processes came.
    ProcessesRead(ContainerId, Result<ProcessList, Failure>),
    /// The changed files came.
    FilesRead(ContainerId, Result<FileChanges, Failure>),
    /// The log of this session begins anew.
    LogBegan(ContainerId),
    /// More of it.
    LogRead(ContainerId, Vec<LogLine>),
    /// It ended, or failed.
    LogEnded(ContainerId, Option<Failure>),

    /// A piece of work came to a step; an empty text keeps the one before.
    JobStepped(JobId, String, Option<(u64, Option<u64>)>),
    /// A piece of work has something to say that is no failure.
    JobWarned(JobId, String),
    /// A piece of work ended: with a sentence, or a failure for each session that it failed for.
    JobEnded(JobId, Result<String, Vec<Failure>>),
    /// The form's plan came.
    Previewed(u64, Result<Box<Plan>, Failure>),
    /// A path's completions came.
    PathCompleted(u64, Vec<String>),

    /// A terminal is open.
    PaneOpened(PaneId, Opened),
    /// Shells were left in the session: one of them, or a new one?
    PaneOffered(PaneId, Vec<Held>),
    /// A terminal's screen from its beginning.
    PaneAnew(PaneId, Vec<u8>),
    /// A terminal printed something.
    PanePrinted(PaneId, Vec<u8>),
    /// What ran in it ended.
    PaneEnded(PaneId, Result<Option<i64>, Failure>),
    /// What became of its session, as the end of what ran in it told of nothing; `None` where nothing did.
    FateTold(PaneId, Option<Fate>),

    /// Something that is neither the engine's nor a job's: a state file set aside, a clipboard that is none.
    Noticed(Weight, String),
    /// The operator's system asks the program to end.
    Terminated,
}
