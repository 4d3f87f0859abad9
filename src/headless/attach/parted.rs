//! How an attendance ends that the session did not end: what the operator's shell is told.

use crate::failure::{Code, Failure};
use crate::headless::foreground::Signal;
use crate::headless::launch::cut_short;
use crate::headless::{Context, Stop};

/// The exit code of a program whose terminal is gone: 128 and SIGHUP.
const HUNG_UP: u8 = 129;

/// The operator left it.
pub(super) fn left(context: &Context, goes_on: &str) -> u8 {
    context.output.note(&format!("left; {goes_on}"));
    0
}

/// The operator's terminal is gone.
pub(super) fn gone(way_out: String) -> Stop {
    Stop { failure: Failure::new(Code::Internal, "the terminal is gone").hint(way_out), exit: HUNG_UP }
}

/// A signal ended it; `left` says what was left.
pub(super) fn by_signal(signal: Signal, left: &str, way_out: String) -> Stop {
    let Stop { failure, exit } = cut_short(signal, left);
    Stop { failure: failure.hint(way_out), exit }
}
