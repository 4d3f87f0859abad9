//! What a Linux kernel shows of a container, read from `/proc` and the cgroup files by whoever may look:
//! this program on the engine's own host, or the probe in the session's PID namespace.
//!
//! It stands below `supervisor` and `backend` because both read with it. It knows nothing of policies: it
//! reports [`KernelFacts`](crate::session::KernelFacts) and judges nothing. It never asks the sandbox, runs
//! nothing in it, and takes no name that a process gave itself for a fact. Everything here blocks.

mod cgroup;
mod command_line;
mod digest;
mod first;
mod gate;
mod init;
mod inside;
mod members;
mod mounts;
mod namespaces;
mod over;
mod process;
mod procfs;
mod reader;
mod report;
mod scan;
mod stage;
mod status;
mod surroundings;
mod tables;
mod tree;
mod unreadable;
mod usage;
mod way_in;

pub use first::is_alive;
pub use gate::GATE_NAME;
pub use over::name_over;
pub use reader::HostReader;
pub use report::{GateProof, ProbeReport};
pub use tree::{Tree, identity_of};
pub use unreadable::Unreadable;
pub use usage::{UsageReader, size_if_full, writable_tmpfs};
