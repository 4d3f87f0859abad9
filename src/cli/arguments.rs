use clap::{Args, Parser, Subcommand};

use super::attaching::{Attach, Replay, Shell, Terminals};
use super::audit::Audit;
use super::cache::Cache;
use super::depot::Depot;
use super::disk::{Df, Prune};
use super::evidence::Evidence;
use super::images::{Completions, Doctor, Image, Man, Profiles};
use super::launching::{Launch, PlanOnly, Run};
use super::observing::{Diff, Events, Metrics, Pause, Reap, Rename, Renew, Stats, Top, Unpause};
use super::sessions::{Cp, Exec, Inspect, Logs, Ls, Restart, Rm, Start, Stop, Verify};
use super::update::Update;
use super::words::ColorWord;

/// Hardened Docker sandboxes for AI agents and other untrusted code.
///
/// Every session starts with all capabilities dropped, no_new_privileges, a seccomp profile, a pids limit, an init,
/// a user that is not root, a read-only root and no network but packages, whichever kind it is. What holds is measured, from the
/// engine and from the kernel, before the command begins; a session that got less than it asked for does not start.
///
/// Without a command, in a terminal, the dashboard opens: every session live, with what is in force, and keys for all the rest.
#[derive(Debug, Parser)]
#[command(
    name = "palisade",
    version,
    propagate_version = false,
    disable_help_subcommand = false,
    subcommand_value_name = "COMMAND",
    subcommand_help_heading = "Commands",
    max_term_width = 110,
    after_help = "Try 'palisade COMMAND --help' for examples, and 'palisade --help' for exit codes and environment.",
    after_long_help = AFTER
)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

const AFTER: &str = "\
Examples:
  palisade run -- python3 -c 'print(6*7)'      one command, removed when it ends
  palisade launch web --workspace .            a sandbox that stays, with this folder at /workspace
  palisade exec web -- pytest -q               a command in it
  palisade verify web                          what is in force, by engine and kernel
  palisade ls --json | jq -r '.sessions[].name'

Exit codes:
  0    it worked; 'run' and 'exec' end with their command's own code
  1    it failed
  2    the command line, a profile or a configuration file cannot be read
  3    no engine answers
  4    refused by the policy, or by the audit: less was in force than asked
  5    'verify': a session's posture is weaker than requested
  122  'run': the session's home and caches took more than --disk-hard
  124  'run': the command ran for longer than --timeout
  125  'run', 'exec', 'attach' and 'shell': a failure of ours, in place of 1; once the command
       has begun, in place of 3 and 4 too
  126  'run' and 'exec': the command is there and cannot be executed
  127  'run' and 'exec': the command was not found
  130  cut short by SIGINT (128 and the number, for any other signal)
  141  standard output was closed by its reader

Environment:
  DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG, DOCKER_TLS_VERIFY,
  DOCKER_CERT_PATH    where the engine is, as for docker
  NO_COLOR            no colours
  CLICOLOR_FORCE      colours without a terminal, too
  XDG_CONFIG_HOME     palisade/ in it holds your settings and profiles";

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Print one JSON document (or JSON lines for streams) on standard output, errors included
    ///
    /// The documents are described, with their JSON Schemas, in docs/json.md.
    #[arg(long, global = true)]
    pub json: bool,

    /// The engine: unix:///PATH, tcp://HOST:PORT, https://HOST:PORT or ssh://USER@HOST
    ///
    /// Otherwise DOCKER_HOST, else the current Docker context, else the default socket.
    #[arg(short = 'H', long, value_name = "URL", global = true)]
    pub host: Option<String>,

    /// No progress and no notes: results and errors only ('ls': names only)
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// When to colour what is for people: auto, always or never
    ///
    /// 'auto' colours on a terminal, unless NO_COLOR is set; CLICOLOR_FORCE colours without one.
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto", global = true, hide_possible_values = true)]
    pub color: ColorWord,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Run(Box<Run>),
    Launch(Box<Launch>),
    Ls(Ls),
    Inspect(Inspect),
    Plan(Box<PlanOnly>),
    Verify(Verify),
    Exec(Exec),
    Attach(Attach),
    Shell(Shell),
    Terminals(Terminals),
    Replay(Replay),
    Logs(Logs),
    Top(Top),
    Stats(Stats),
    Diff(Diff),
    Events(Events),
    Metrics(Metrics),
    Cp(Cp),
    Stop(Stop),
    Start(Start),
    Restart(Restart),
    Update(Update),
    Pause(Pause),
    Unpause(Unpause),
    Rename(Rename),
    Renew(Renew),
    Reap(Reap),
    Df(Df),
    Prune(Prune),
    Rm(Rm),
    Audit(Audit),
    Evidence(Evidence),
    Cache(Cache),
    Depot(Depot),
    Profiles(Profiles),
    Image(Image),
    Doctor(Doctor),
    Completions(Completions),
    Man(Man),
}
