//! What of this program runs inside containers.

pub mod probe;
