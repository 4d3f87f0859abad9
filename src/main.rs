//! The one binary: the headless commands, and what it is inside a sandbox.

use std::process::ExitCode;

use palisade::cli;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    // Inside a sandbox every millisecond of the start counts, and no command line grammar is needed.
    if let Some(code) = cli::inside(&arguments) {
        return ExitCode::from(code);
    }
    cli::catch_faults();
    ExitCode::from(cli::main(&arguments))
}
