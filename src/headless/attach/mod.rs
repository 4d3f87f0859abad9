//! A session's terminal at the operator's own: drawn from cells, so that nothing a session writes acts there. Attached to,
//! left by keys, taken up again.
//!
//! Knows terminals, keys and signals; a terminal that is shown comes as a stream and a sink, whoever holds it.

mod attend;
mod exec;
mod far;
mod follow;
mod frames;
mod held;
mod keyboard;
mod parted;
mod record;
mod run;
mod show;
pub mod tty;
mod view;

pub use attend::Options;
pub(super) use attend::changes;
pub use exec::exec;
pub(super) use frames::Frames;
pub use held::{MAIN, PLAIN_SHELL, Shell, attach, shell};
pub(super) use keyboard::Keyboard;
pub use record::Target;
pub use run::run;
pub(super) use show::Change;
pub(super) use view::{PIECE, View};
