//! The kernel's facts of sessions: from this machine's `/proc` where the engine is local, by a one-shot container
//! of ours where it is not. The reading itself is [`crate::kernel`]'s; what follows from it is `policy::audit`'s.

pub use crate::kernel::{GATE_NAME, HostReader, Unreadable};
