//! The commands that show a session's terminal at the operator's.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::backend::Backend;
use crate::failure::{Code, Failure, Result};
use crate::headless::Context;
use crate::headless::attach::{Options, Target};
use crate::terminal::typed::DetachKeys;

/// Take up the terminal of a session's own command
///
/// The command goes on when it is left, and its screen is as it was when it is taken up again. What is drawn here is made of characters
/// and colours alone: nothing that the session writes acts on your terminal. A session that was launched without -t has no
/// terminal; what it writes is followed then, with control characters written out.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade launch web -t -- python3
  palisade attach web                    ctrl-p ctrl-q leaves it
  palisade attach web --terminal 2       the same as: palisade shell web --terminal 2
  palisade attach web --record demo.cast

Exit codes:
  the command's own when it has ended, 0 when it was left; 125 when the fault
  is ours or the connection is lost")]
pub(super) struct Attach {
    /// Session by name or id
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Another of its terminals, by its number
    #[arg(long, value_name = "ID")]
    pub terminal: Option<u32>,

    #[command(flatten)]
    pub showing: Showing,
}

/// Open a shell in a running session that can be left and taken up again
///
/// The session holds it: it survives leaving, a lost connection and the end of this program. Where input or output is no terminal, it
/// is a plain command with plain streams instead, and ends with its input.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade shell web                     ctrl-p ctrl-q leaves it
  palisade terminals web                 which there are
  palisade shell web --terminal 2        takes one up again
  palisade shell web -- htop
  echo 'ls -l' | palisade shell web
  palisade shell web -- make | tee build.log

Exit codes:
  the shell's own when it has ended, 0 when it was left; 125 when the fault is
  ours or the connection is lost")]
pub(super) struct Shell {
    /// Session by name or id
    #[arg(value_name = "NAME")]
    pub name: String,

    /// One that was left, by its number
    #[arg(long, value_name = "ID", conflicts_with_all = ["command", "env", "workdir"])]
    pub terminal: Option<u32>,

    /// Environment variable; without '=VALUE' yours is passed on (repeatable)
    #[arg(short, long, value_name = "KEY[=VALUE]")]
    pub env: Vec<String>,

    /// Working directory inside [default: the session's]
    #[arg(short, long, value_name = "DIR")]
    pub workdir: Option<String>,

    #[command(flatten)]
    pub showing: Showing,

    /// Command and arguments, the session's shell where absent
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// List the terminals that a session holds, or end one
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade terminals web
  palisade terminals web --end 2
  palisade terminals web --json | jq '.terminals[] | select(.clients == 0)'")]
pub(super) struct Terminals {
    /// Session by name or id
    #[arg(value_name = "NAME")]
    pub name: String,

    /// End this one, as closing a terminal's window does
    #[arg(long, value_name = "ID")]
    pub end: Option<u32>,
}

/// Play a recorded terminal
///
/// What is in the file goes through the same filter as a live session. Space pauses, q ends. Without a terminal the last screen is
/// printed as text.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade replay demo.cast
  palisade replay demo.cast --speed 2 --idle-limit 1
  palisade replay demo.cast | cat        the last screen")]
pub(super) struct Replay {
    /// An asciicast, version 2
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Times as fast: 0.01 to 1000
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed)]
    pub speed: f64,

    /// No pause is longer than so many seconds
    #[arg(long, value_name = "S", value_parser = idle)]
    pub idle_limit: Option<Duration>,
}

impl From<Replay> for crate::headless::replay::Replay {
    fn from(asked: Replay) -> Self {
        Self { path: asked.file, speed: asked.speed, idle_limit: asked.idle_limit }
    }
}

fn speed(text: &str) -> std::result::Result<f64, String> {
    let speed = text.parse::<f64>().ok().filter(|speed| (0.01..=1000.0).contains(speed));
    speed.ok_or_else(|| "a number from 0.01 to 1000".to_owned())
}

fn idle(text: &str) -> std::result::Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.0..=86_400.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| "a number of seconds, up to 86400".to_owned())
}

/// How it is shown.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Terminal")]
pub(super) struct Showing {
    /// Keys that leave without ending anything, such as ctrl-p,ctrl-q [default: the setting 'detach_keys']
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<DetachKeys>,

    /// Pass every byte to your terminal as it is; what a session writes can then act on it
    #[arg(long, conflicts_with = "record")]
    pub raw: bool,

    /// Write what is shown to a file, as an asciicast for 'palisade replay' and other players
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,

    /// Write over a recording that is there
    #[arg(long, requires = "record")]
    pub force: bool,
}

impl Showing {
    /// With the operator's own settings for what was not said.
    pub(super) fn options(self, backend: &Backend) -> Result<Options> {
        let detach = match self.detach_keys {
            Some(keys) => keys,
            None => backend.settings().detach_keys.parse().map_err(|error: String| Failure::new(Code::InvalidConfig, error))?,
        };
        Ok(Options { detach, raw: self.raw, record: self.record.map(|path| Target { path, force: self.force }) })
    }
}

/// What is shown in a terminal is no document.
pub(super) fn refuse_json(context: &Context, what: &str) -> Result<()> {
    if context.output.is_json() {
        return Err(Failure::new(Code::Usage, format!("'{what}' shows a terminal, which is no JSON document")));
    }
    Ok(())
}
