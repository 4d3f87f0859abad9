//! A command in the foreground: our input to it, its output to us, our signals to it, its exit code to us.
//!
//! Knows streams and signals; not what a session is, nor how it was started.

mod carry;
#[cfg(test)]
mod carry_tests;
mod encode;
mod signals;
mod stdin;
mod writer;

pub use carry::{Control, Ending, Exit, Streams, carry};
pub use encode::Encoding;
pub(in crate::headless) use encode::split_time;
pub use signals::{Signal, Signals};
pub use stdin::standard_input;
pub use writer::{WriteError, Writer, write_all, write_whole};

use super::Context;

/// How what a sandbox prints becomes our output: JSON for a program; to a terminal text that it cannot act on, unless
/// it is wanted `raw`, which is said once; to a file or pipe as it is.
pub fn chosen(context: &Context, raw: bool, timed: bool) -> Encoding {
    let surroundings = context.output.surroundings();
    let terminal = [surroundings.stdout_terminal, surroundings.stderr_terminal];
    if surroundings.json {
        return Encoding::json(timed);
    }
    if raw && terminal != [false; 2] {
        context.output.note("raw: what the sandbox prints can act on this terminal: its title, clipboard, keys, and what it answers");
    }
    Encoding::shown_on(if raw { [false; 2] } else { terminal })
}
