//! `palisade enter -- COMMAND`: what an `exec` starts in a session, which at once becomes the command.
//!
//! Engines answer a command that is not there in words of their own, on its standard output, some with 126. Here it is
//! 127 and a line on standard error, as for a session's first command.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::supervise::{EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, EXIT_OURS, say};

/// Becomes the command; returns the exit code only where that failed.
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    let mut command = args.into_iter().skip_while(|argument| argument != "--").skip(1);
    let Some(program) = command.next() else {
        say("give -- COMMAND");
        return EXIT_OURS;
    };
    // Returns only where it failed; signals are handed on as the engine gave them.
    let error = Command::new(&program).args(command).exec();
    let code = if error.kind() == ErrorKind::NotFound { EXIT_NOT_FOUND } else { EXIT_NOT_EXECUTABLE };
    let errno = error.raw_os_error().map_or_else(|| error.to_string(), |errno| nix::errno::Errno::from_raw(errno).desc().to_owned());
    say(&format!("cannot run {}: {errno}", program.display()));
    code
}
