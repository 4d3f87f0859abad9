//! A session's terminal at the operator's own: drawn from cells, so that nothing a session writes acts there. Attached to,
//! left by keys, taken up again.
//!
//! Knows terminals, keys and signals; a terminal that is shown comes as a stream and a sink, whoever holds it.

mod attend;
mod exec;
mod far;
mod frames;
mod keyboard;
mod record;
mod show;
pub mod tty;
mod view;

pub use attend::Options;
pub use exec::exec;
pub use record::Target;
