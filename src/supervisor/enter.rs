use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::supervise::{EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, EXIT_OURS, say};

/// `palisade enter -- COMMAND…`: becomes the command of an exec. Engines tell a missing command in their own words on
/// its standard output, with 126 or 127 as they please; from here it is said on standard error, with the right one.
pub fn enter(args: impl IntoIterator<Item = OsString>) -> u8 {
    let mut args = args.into_iter().skip_while(|argument| argument == "--");
    let Some(program) = args.next() else {
        say("there is no command to run");
        return EXIT_OURS;
    };
    let error = Command::new(&program).args(args).exec();
    say(&format!("cannot run {}: {error}", program.display()));
    if error.kind() == io::ErrorKind::NotFound { EXIT_NOT_FOUND } else { EXIT_NOT_EXECUTABLE }
}
