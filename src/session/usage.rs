use serde::Serialize;

use crate::units::Bytes;

/// What a container uses, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// CPU time since the container started, all CPUs together, in nanoseconds. Two readings make a share.
    pub cpu_ns: u64,
    /// Memory without the file cache that the kernel can take back: what `docker stats` counts.
    pub memory: Bytes,
    /// The most it may use; `None` where nothing holds it.
    pub memory_limit: Option<Bytes>,
    /// Processes and threads.
    pub pids: u64,
    /// The most there may be; `None` where nothing holds them.
    pub pids_limit: Option<u64>,
}
