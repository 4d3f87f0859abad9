//! The command line: its grammar, what it means, and the exit code. Nothing else.

#![expect(clippy::doc_markdown, reason = "doc comments here are help texts: shown as they are, without markup")]

mod arguments;
mod attaching;
mod audit;
mod cache;
mod depot;
mod disk;
mod dispatch;
mod evidence;
mod fault;
mod images;
mod launching;
mod log_part;
mod observing;
mod pages;
mod sessions;
mod surroundings;
mod update;
mod usage;
mod when;
mod words;

use std::ffi::OsString;

use clap::Parser;

use crate::depot::serve as depot_process;
use crate::headless::run::READER_GONE;
use crate::headless::{Context, Done, Output, show_failure};
use crate::supervisor;
use arguments::{Arguments, Command};
pub use fault::catch_faults;

/// What this binary is inside a sandbox or a probe, told by its first argument: raw arguments, no grammar.
pub fn inside(arguments: &[OsString]) -> Option<u8> {
    let (first, rest) = arguments.split_first()?;
    match first.to_str()? {
        "supervise" => Some(supervisor::main(rest.iter().cloned())),
        "depot" => match rest.split_first()?.0.to_str()? {
            "serve" => Some(depot_process::main()),
            "control" => Some(depot_process::control(rest.get(1..).unwrap_or_default())),
            _ => None,
        },
        "terminal" => Some(supervisor::terminals::bridge::main(rest.first())),
        "enter" => Some(supervisor::enter::main(rest.iter().cloned())),
        "probe" => {
            let rest: Option<Vec<String>> = rest.iter().map(|argument| argument.to_str().map(str::to_owned)).collect();
            Some(rest.map_or(2, |rest| supervisor::probe::main(&rest)))
        }
        _ => None,
    }
}

/// Runs one command and gives the exit code.
pub fn main(arguments: &[OsString]) -> u8 {
    let asked = usage::Asked::of(arguments);
    let command_line = std::iter::once(OsString::from("palisade")).chain(arguments.iter().cloned());
    let parsed = Arguments::try_parse_from(command_line);
    let output = Output::new(surroundings::of_streams(asked.json, asked.quiet, asked.color));
    fault::set_json(asked.json);
    let done = match parsed {
        Ok(arguments) => {
            fault::set_foreground(matches!(
                arguments.command,
                Some(Command::Run(_) | Command::Exec(_) | Command::Attach(_) | Command::Shell(_))
            ));
            let context = Context { output, now: surroundings::now() };
            let done = dispatch::dispatch(&context, arguments);
            return finish(&context.output, done);
        }
        Err(error) => usage::answer(&output, &error, arguments),
    };
    finish(&output, done)
}

/// Tells of a failure and decides on the exit code.
fn finish(output: &Output, done: Done) -> u8 {
    let code = match done {
        Ok(code) => code,
        Err(stop) => {
            show_failure(output, &stop.failure);
            stop.exit
        }
    };
    if let Some(failure) = output.take_failure() {
        show_failure(output, &failure);
        return if code == 0 { 1 } else { code };
    }
    // A verdict or failure stands although nobody read it to the end.
    if code == 0 && output.reader_gone() { READER_GONE } else { code }
}
