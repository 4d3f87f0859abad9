//! What is observed about sessions: the engine's facts, the kernel's facts, and the session as listed.
//!
//! Plain data with no bollard type and no file access. `policy::audit` compares these with a policy;
//! `backend` fills them.

mod engine_facts;
mod event;
mod file_change;
mod kernel_facts;
mod kind;
pub mod labels;
mod limit;
mod listed;
mod process;
mod usage;

pub use engine_facts::{ContainerFacts, ExitFacts, LogFacts, MountFacts, UlimitFacts};
pub use event::{EngineEvent, EventKind};
pub use file_change::{ChangeKind, FileChange, FileChanges};
pub use kernel_facts::{
    CgroupFacts, CgroupVersion, IdMap, InitProof, KernelFacts, KernelMount, KernelSource, LimitFact, Membership, NamespaceFact,
    ProcessFacts, ResourceLimits, SeccompMode, WorkspaceProof,
};
pub use kind::Kind;
pub use limit::{Limit, LimitHit, LimitReading, Limits};
pub use listed::{Session, Status};
pub use process::{Process, ProcessList};
pub use usage::Usage;
