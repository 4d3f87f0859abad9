//! What became of a session, told to whoever ran a command in it that was cut short.

use super::Context;
use super::foreground::Signals;
use crate::backend::{Backend, Cut, Fate, Within};
use crate::units::sanitise;

/// The exit code of what SIGKILL ended, which is how the end of a session ends everything in it.
pub(super) const KILLED: u8 = 128 + 9;

/// Asks, and says it on standard error as a session's own supervisor would; a signal ends the asking.
pub(super) async fn tell(context: &Context, backend: &Backend, within: &Within, cut: Cut, signals: &mut Signals) -> Option<Fate> {
    let fate = tokio::select! {
        fate = backend.fate(within, cut) => fate?,
        _ = signals.next() => return None,
    };
    for line in &fate.said {
        context.output.complain(&format!("palisade: {}\n", sanitise(line)));
    }
    Some(fate)
}
