//! The kernel's facts of sessions whose `/proc` is not this machine's: by a one-shot container of ours. The reading itself
//! is [`crate::kernel`]'s, for the host and the probe alike; what follows from it is `policy::audit`'s.

pub mod probe;
