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
pub use signals::{Signal, Signals};
pub use stdin::standard_input;
pub use writer::{WriteError, Writer, write_all};
