use serde::Serialize;

use super::{KernelSource, Membership, SeccompMode};
use crate::units::{CapSet, Untrusted};

/// The processes of a session, as the kernel shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProcessList {
    /// Who read them.
    pub source: KernelSource,
    /// PID 1 first.
    pub processes: Vec<Process>,
    /// How many more there are that the reader cannot see.
    pub hidden: u32,
}

/// One process and the rights that it has, or a thread of one that has other rights than the rest of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Process {
    /// PID as the reader sees it.
    pub pid: u32,
    /// PID in the container's own namespace; `None` where it is not in it.
    pub container_pid: Option<u32>,
    /// What it calls itself.
    pub name: Untrusted,
    /// The executable, where it could be read: this the process cannot forge.
    pub exe: Option<Untrusted>,
    /// Command and arguments as the process shows them, which it can set to anything; `None` where they could not be read.
    pub command: Option<Untrusted>,
    /// Effective user id, in the reader's user namespace.
    pub uid: u32,
    /// Capabilities that it has or can take up: effective, permitted and ambient.
    pub capabilities: CapSet,
    /// `None` where this kernel or runtime does not show it.
    pub no_new_privs: Option<bool>,
    /// `None` where it is not shown.
    pub seccomp: Option<SeccompMode>,
    /// How it belongs to the container.
    pub membership: Membership,
}
