//! What the command line's edge reads of this process: its streams, its clock, and the environment's word on colours.

#![expect(clippy::disallowed_methods, reason = "the edge: time, colours and the caller's own variables enter here, once")]

use std::io::{IsTerminal, stderr, stdin, stdout};

use jiff::Timestamp;

use super::words::ColorWord;
use crate::failure::{Code, Failure, Result};
use crate::headless::copy::Way;
use crate::headless::{Colours, Surroundings};

/// The time now.
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// What our streams are, and how to write on them.
pub(super) fn of_streams(json: bool, quiet: bool, color: ColorWord) -> Surroundings {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let word = Environment {
        no_color: set("NO_COLOR"),
        force: std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0"),
        dumb: std::env::var_os("TERM").is_some_and(|term| term == "dumb"),
    };
    let (stdout_terminal, stderr_terminal) = (stdout().is_terminal(), stderr().is_terminal());
    let colours = Colours { stdout: coloured(color, word, stdout_terminal), stderr: coloured(color, word, stderr_terminal) };
    let columns = stdout_terminal.then(crossterm::terminal::size).and_then(std::result::Result::ok).map(|(columns, _)| columns);
    Surroundings { json, quiet, stdout_terminal, stderr_terminal, columns: columns.filter(|columns| *columns > 0), colours }
}

/// What the dashboard needs, or why it cannot be shown.
pub(super) fn terminal() -> Result<()> {
    let without = |what: &str| {
        Failure::new(Code::Usage, format!("the dashboard needs a terminal, and {what}"))
            .hint("'palisade ls' lists the sessions without one; 'palisade --help' names every command")
    };
    if !stdin().is_terminal() {
        return Err(without("standard input is none"));
    }
    if !stdout().is_terminal() {
        return Err(without("standard output is none"));
    }
    if std::env::var_os("TERM").is_some_and(|term| term == "dumb") {
        return Err(without("TERM says that this one is dumb"));
    }
    Ok(())
}

/// What is shown in a terminal needs one at both ends; `what` asked for it.
pub(super) fn needed_terminal(what: &str, instead: &str) -> Result<()> {
    let without = |which: &str| Failure::new(Code::Usage, format!("{what} needs a terminal, and {which} is none")).hint(instead);
    if !stdin().is_terminal() {
        return Err(without("standard input"));
    }
    if !stdout().is_terminal() {
        return Err(without("standard output"));
    }
    Ok(())
}

/// An archive goes to no terminal, and comes from none.
pub(super) fn no_terminal_for_an_archive(way: &Way) -> Result<()> {
    let refused = |what: &str, instead: &str| {
        Failure::new(Code::Usage, format!("an archive is not for a terminal, and {what} is one")).hint(format!("for example: {instead}"))
    };
    match way {
        Way::Packed { who, inside, .. } if stdout().is_terminal() => {
            Err(refused("standard output", &format!("palisade cp {who}:{inside} - > archive.tar, or … | tar t")))
        }
        Way::Unpacked { who, inside, .. } if stdin().is_terminal() => {
            Err(refused("standard input", &format!("tar c FOLDER | palisade cp - {who}:{inside}")))
        }
        Way::Packed { .. } | Way::Unpacked { .. } | Way::In { .. } | Way::Out { .. } => Ok(()),
    }
}

/// Whether standard input and output are both a terminal.
pub(super) fn has_terminal() -> bool {
    stdin().is_terminal() && stdout().is_terminal()
}

/// `KEY=VALUE` as it is; `KEY` with our own value, or left out where we have none, as `docker exec` does.
pub(super) fn own_values(env: Vec<String>) -> Vec<String> {
    env.into_iter()
        .filter_map(|entry| {
            if entry.contains('=') {
                return Some(entry);
            }
            std::env::var(&entry).ok().map(|value| format!("{entry}={value}"))
        })
        .collect()
}

/// What the environment says on colours.
#[derive(Debug, Clone, Copy)]
struct Environment {
    no_color: bool,
    force: bool,
    dumb: bool,
}

/// The flag first, then `NO_COLOR` (no-color.org), then `CLICOLOR_FORCE`, then whether a terminal looks.
const fn coloured(color: ColorWord, environment: Environment, terminal: bool) -> bool {
    match color {
        ColorWord::Always => true,
        ColorWord::Never => false,
        ColorWord::Auto => !environment.no_color && (environment.force || (terminal && !environment.dumb)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_outweighs_the_environment_and_the_environment_the_terminal() {
        let plain = Environment { no_color: false, force: false, dumb: false };
        let no = Environment { no_color: true, force: true, ..plain };
        let force = Environment { force: true, ..plain };
        assert!(coloured(ColorWord::Auto, plain, true) && !coloured(ColorWord::Auto, plain, false));
        assert!(!coloured(ColorWord::Auto, no, true) && coloured(ColorWord::Always, no, false));
        assert!(coloured(ColorWord::Auto, force, false) && !coloured(ColorWord::Never, force, true));
        assert!(!coloured(ColorWord::Auto, Environment { dumb: true, ..plain }, true));
    }
}
