//! What to say to a command line that is no command: a usage error, a call for help, a call for the version.

use std::ffi::OsString;

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::arguments::Arguments;
use super::words::ColorWord;
use crate::failure::{Code, Failure};
use crate::headless::document::{Document, Help, Version};
use crate::headless::{Done, Output};

/// The global flags as they stand in an argument list that may not parse: even its error has to come in the form asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// `--json`.
    pub json: bool,
    /// `-q`, `--quiet`.
    pub quiet: bool,
    /// `--color`.
    pub color: ColorWord,
}

impl Asked {
    /// Everything before `--`; what follows is a sandbox's command.
    pub fn of(arguments: &[OsString]) -> Self {
        let mut asked = Self { json: false, quiet: false, color: ColorWord::Auto };
        let mut ours = arguments.iter().map(|argument| argument.to_string_lossy()).take_while(|argument| argument != "--");
        while let Some(argument) = ours.next() {
            match &*argument {
                "--json" => asked.json = true,
                "-q" | "--quiet" => asked.quiet = true,
                "--color" => asked.color = ours.next().map_or(asked.color, |word| color(&word)),
                other => {
                    if let Some(word) = other.strip_prefix("--color=") {
                        asked.color = color(word);
                    }
                }
            }
        }
        asked
    }
}

fn color(word: &str) -> ColorWord {
    match word {
        "always" => ColorWord::Always,
        "never" => ColorWord::Never,
        _ => ColorWord::Auto,
    }
}

/// Help and version are results; everything else is a failure.
pub(super) fn answer(output: &Output, error: &clap::Error, arguments: &[OsString]) -> Done {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let rendered = error.render();
            if output.is_json() {
                output.document(&Document::new(Help { help: rendered.to_string() }));
            } else if output.colours().stdout {
                output.text(&rendered.ansi().to_string());
            } else {
                output.text(&rendered.to_string());
            }
            Ok(0)
        }
        ErrorKind::DisplayVersion => {
            let version = env!("CARGO_PKG_VERSION");
            if output.is_json() {
                output.document(&Document::new(Version { version }));
            } else {
                output.text(&format!("palisade {version}\n"));
            }
            Ok(0)
        }
        _ => Err(failure(&error.render().to_string(), &command_of(arguments)).into()),
    }
}

/// The command that the arguments name, as far as they name one: `palisade image build`.
fn command_of(arguments: &[OsString]) -> String {
    let mut name = String::from("palisade");
    let mut command = Arguments::command();
    for word in arguments.iter().filter_map(|argument| argument.to_str()).take_while(|argument| *argument != "--") {
        let Some(below) = command.find_subcommand(word).cloned() else { continue };
        name.push(' ');
        name.push_str(below.get_name());
        if !below.has_subcommands() {
            break;
        }
        command = below;
    }
    name
}

/// clap's text in our shape: its first line is what failed, its tip the way out, the rest particulars.
fn failure(text: &str, command: &str) -> Failure {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let message = lines.next().unwrap_or("the command line cannot be read");
    let mut failure = Failure::new(Code::Usage, message.strip_prefix("error: ").unwrap_or(message));
    let mut tip = None;
    for line in lines {
        if let Some(text) = line.strip_prefix("tip: ") {
            tip.get_or_insert_with(|| text.to_owned());
        } else if let Some(usage) = line.strip_prefix("Usage: ") {
            failure.details.push(format!("usage: {usage}"));
        } else if !line.starts_with("For more information") {
            failure.details.push(line.to_owned());
        }
    }
    let more = format!("try '{command} --help'");
    failure.hint(tip.map_or(more.clone(), |tip| format!("{tip}; or {more}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(arguments: &[&str]) -> Asked {
        Asked::of(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn flags_count_anywhere_but_in_the_sandboxs_command() {
        assert!(asked(&["--nonsense", "ls", "--json"]).json);
        assert!(!asked(&["run", "--", "tool", "--json"]).json);
        assert_eq!(asked(&["--color", "never"]).color, ColorWord::Never);
        assert_eq!(asked(&["ls", "--color=always"]).color, ColorWord::Always);
    }

    #[test]
    fn the_way_out_names_the_command() {
        for (arguments, name) in [
            (&["image", "--json", "build", "--nope"][..], "palisade image build"),
            (&["--json", "list", "ls"], "palisade ls"),
            (&["--", "ls"], "palisade"),
        ] {
            assert_eq!(command_of(&arguments.iter().map(OsString::from).collect::<Vec<_>>()), name);
        }
    }

    #[test]
    fn the_grammar_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_usage_error_has_our_shape() {
        let failure = failure(
            "error: unexpected argument '--foo' found\n\n  tip: to pass '--foo' as a value, use '-- --foo'\n\n\
             Usage: palisade image ls [OPTIONS]\n\nFor more information, try '--help'.\n",
            "palisade image ls",
        );
        assert_eq!(failure.message, "unexpected argument '--foo' found");
        assert_eq!(failure.details, ["usage: palisade image ls [OPTIONS]"]);
        assert_eq!(failure.hint.as_deref(), Some("to pass '--foo' as a value, use '-- --foo'; or try 'palisade image ls --help'"));
    }
}
