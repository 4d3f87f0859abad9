//! `run`, `launch` and `plan`: their options, and the [`Order`] that these become.

use std::path::PathBuf;

use clap::Args;

use super::attaching::Showing;
use super::words::{KindWord, NetworkWord, PullWord, SeccompWord};
use crate::backend::{Order, Pull};
use crate::failure::{Code, Failure, Result};
use crate::policy::profile::{Disk, Profile, whole_number};
use crate::session::Kind;
use crate::units::{Bytes, Capability, Cpus, Seconds, SessionName};

/// Run a command in a sandbox of its own, in the foreground, and remove the sandbox when it ends
///
/// Standard input, output and error are the command's own, byte for byte and apart; its exit code becomes this
/// program's. Only what goes to a terminal has its control characters written out, unless --raw is given.
/// SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 are passed on to it; a second SIGINT within three
/// seconds, or a third, kills the session. When the reader of standard output goes away, the session is stopped.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade run -- python3 -c 'print(6*7)'
  palisade run --workspace .:ro -- rg TODO .
  palisade run --workspace . --min-age 3d --timeout 10m -- npm ci
  tar c src | palisade run -- sh -c 'tar x -C /tmp && ls /tmp/src'
  ANTHROPIC_API_KEY=… palisade run --secret ANTHROPIC_API_KEY -- agent

Exit codes:
  the command's own; 124 when --timeout has ended it; 125 when the fault is
  ours, 126 when the command cannot be executed, 127 when it is not found.
  Before the command begins also 2 (usage), 3 (no engine answers) and
  4 (refused by policy or audit); a signal in that time ends with 128 and its
  number. 141 when the reader of standard output has gone.

With --json, standard output is JSON lines: started, stdout and stderr, exit.")]
pub(super) struct Run {
    #[command(flatten)]
    pub options: LaunchOptions,

    #[command(flatten)]
    pub showing: Showing,

    /// Name of the session [default: run- and eight random characters]
    #[arg(short, long, value_name = "NAME", help_heading = "Session")]
    pub name: Option<SessionName>,

    /// Command and arguments, the image's own where absent; '--' before it is needed only when it begins with '-'
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Launch a sandbox that stays until it is removed, in the background
///
/// Its home folder is a volume of its own and survives stop and start. Without a command it idles, for 'exec'.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade launch web
  palisade launch web --workspace ~/src/web --memory 8GiB --cpus 4
  palisade launch api --profile strict --secret TOKEN -- python3 serve.py
  palisade launch web --json | jq '.posture.controls[] | {control, verdict}'

Exit codes:
  0 launched and measured · 1 failed · 2 usage · 3 no engine answers
  4 refused by policy or audit, and nothing left behind")]
pub(super) struct Launch {
    /// Name of the session: 1 to 50 of a-z A-Z 0-9 _ . -
    #[arg(value_name = "NAME")]
    pub name: SessionName,

    #[command(flatten)]
    pub options: LaunchOptions,

    /// Command and arguments; absent, the session idles until it is stopped
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Show exactly what a launch would ask of the engine, and launch nothing
///
/// The plan is canonical: the same profile, flags and image give the same bytes with --json. Plans of a persistent and of
/// an ephemeral session differ in the fields that define the kind, and in nothing else.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade plan --profile strict
  palisade plan --json -- pytest -q > plan.json
  for kind in persistent ephemeral; do
    palisade plan --json --kind $kind -- true | jq -S . > $kind.json
  done; diff persistent.json ephemeral.json")]
pub(super) struct PlanOnly {
    /// Kind of session: as 'launch' makes it, or as 'run' does
    #[arg(long, value_enum, value_name = "KIND", default_value = "persistent", help_heading = "Session")]
    pub kind: KindWord,

    /// Name of the session
    #[arg(short, long, value_name = "NAME", help_heading = "Session")]
    pub name: Option<SessionName>,

    #[command(flatten)]
    pub options: LaunchOptions,

    /// Command and arguments; absent, a persistent session idles, and an ephemeral one runs the image's own
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct LaunchOptions {
    /// Profile by name, or a file (with a '/' or ending in .toml); see 'palisade profiles'
    #[arg(short, long, value_name = "PROFILE", help_heading = "Session")]
    profile: Option<String>,

    /// Image to run; any Linux image works
    #[arg(short, long, value_name = "IMAGE", help_heading = "Session")]
    image: Option<String>,

    /// When to pull the image
    #[arg(long, value_enum, value_name = "WHEN", default_value = "missing", help_heading = "Session")]
    pull: PullWord,

    /// How long the command may run, such as 90s, 10m or '1h 30m'; 0 for as long as it likes
    ///
    /// Kept inside the sandbox, so that it holds when this program is gone.
    #[arg(long, value_name = "TIME", help_heading = "Session")]
    timeout: Option<Seconds>,

    /// How long the session may run from each start, such as 8h; 0 for as long as it likes; 'palisade renew' moves it
    ///
    /// Then it is stopped, whatever runs in it; 'palisade start' begins it anew. Kept inside the sandbox.
    #[arg(long, value_name = "TIME", help_heading = "Session")]
    ttl: Option<Seconds>,

    /// Stop the session once nobody has used it for so long, such as 2h; 0 for never
    ///
    /// Used is: a command by 'exec', somebody at one of its terminals, or more than a hundredth of one CPU. It is warned of
    /// first, in the session's log and terminals; 'palisade start' begins it anew.
    #[arg(long, value_name = "TIME", help_heading = "Session")]
    idle: Option<Seconds>,

    /// Give the command a terminal, which the session holds: it can be left and taken up again, with its screen as it was
    ///
    /// What the command writes to it is also the session's log.
    #[arg(short, long, help_heading = "Session")]
    pub tty: bool,

    /// Leave a project's .palisade.toml unread
    #[arg(long, help_heading = "Session")]
    no_project: bool,

    /// Folder of this machine to mount at /workspace, read-write unless ':ro' follows
    ///
    /// Symbolic links are resolved first. System folders, home folders themselves and folders that hold keys or the
    /// engine's socket are refused. What is written there belongs to you.
    #[arg(long, value_name = "PATH[:ro]", help_heading = "Files and environment")]
    workspace: Option<String>,

    /// Working directory inside [default: /workspace where there is one, else home]
    #[arg(short, long, value_name = "DIR", help_heading = "Files and environment")]
    workdir: Option<String>,

    /// Environment variable; without '=VALUE' yours is passed on (repeatable)
    #[arg(short, long, value_name = "KEY[=VALUE]", help_heading = "Files and environment")]
    env: Vec<String>,

    /// File of such lines, read before --env (repeatable)
    #[arg(long, value_name = "FILE", help_heading = "Files and environment")]
    env_file: Vec<PathBuf>,

    /// Secret: the value of your variable ENV (or NAME) as the file /run/secrets/NAME (repeatable)
    ///
    /// It lives in a tmpfs and is in no environment, process list, label or inspect output.
    #[arg(long, value_name = "NAME[=ENV]", help_heading = "Files and environment")]
    secret: Vec<String>,

    /// What the session reaches
    #[arg(long, value_enum, value_name = "NETWORK", help_heading = "Limits and rights")]
    network: Option<NetworkWord>,

    /// Hide package versions younger than this, such as 3d or 12h; 0 for none
    #[arg(long, value_name = "TIME", help_heading = "Limits and rights")]
    min_age: Option<Seconds>,

    /// Package that the minimum age leaves alone: NAME, pypi:NAME or npm:NAME (repeatable); they replace the profile's
    #[arg(long, value_name = "PACKAGE", help_heading = "Limits and rights")]
    min_age_allow: Vec<String>,

    /// Memory, such as 512MiB or 4g; there is no swap beyond it
    #[arg(short, long, value_name = "SIZE", help_heading = "Limits and rights")]
    memory: Option<Bytes>,

    /// CPU time, such as 2 or 0.5
    #[arg(long, value_name = "NUMBER", help_heading = "Limits and rights")]
    cpus: Option<Cpus>,

    /// CPUs that are visible, such as 0-1,3
    #[arg(long, value_name = "LIST", help_heading = "Limits and rights")]
    cpuset: Option<String>,

    /// Processes and threads at once, 16 to 4096
    #[arg(long, value_name = "NUMBER", value_parser = whole_number, help_heading = "Limits and rights")]
    pids_limit: Option<u64>,

    /// Open files per process, 64 to 1048576
    #[arg(long, value_name = "NUMBER", value_parser = whole_number, help_heading = "Limits and rights")]
    nofile: Option<u64>,

    /// Size of the tmpfs at /tmp
    #[arg(long, value_name = "SIZE", help_heading = "Limits and rights")]
    tmp_size: Option<Bytes>,

    /// Size of /dev/shm
    #[arg(long, value_name = "SIZE", help_heading = "Limits and rights")]
    shm_size: Option<Bytes>,

    /// Warn once the session's home and caches take more than this, such as 5GiB; 0 for never
    #[arg(long, value_name = "SIZE", help_heading = "Limits and rights")]
    disk_soft: Option<Bytes>,

    /// Stop the session once its home and caches take more than this, such as 10GiB; 0 for never
    ///
    /// Counted by its supervisor, from inside, while it runs; 'palisade reap' counts again from outside. What is there stays.
    #[arg(long, value_name = "SIZE", help_heading = "Limits and rights")]
    disk_hard: Option<Bytes>,

    /// Give one capability back, such as NET_RAW (repeatable); the posture shows it
    #[arg(long, value_name = "CAP", help_heading = "Limits and rights")]
    cap_add: Vec<Capability>,

    /// Which system calls are filtered
    #[arg(long, value_enum, value_name = "PROFILE", help_heading = "Limits and rights")]
    seccomp: Option<SeccompWord>,

    /// Let the session write to its root file system
    #[arg(long, help_heading = "Limits and rights")]
    read_write_rootfs: bool,
}

impl LaunchOptions {
    fn order(self, name: Option<SessionName>, kind: Kind, command: Vec<String>) -> Order {
        let overrides = Profile {
            image: self.image,
            cap_add: (!self.cap_add.is_empty()).then_some(self.cap_add),
            seccomp: self.seccomp.map(Into::into),
            pids_limit: self.pids_limit,
            memory: self.memory,
            cpus: self.cpus,
            cpuset: self.cpuset,
            nofile: self.nofile,
            read_only_rootfs: self.read_write_rootfs.then_some(false),
            tmp_size: self.tmp_size,
            shm_size: self.shm_size,
            network: self.network.map(Into::into),
            min_age: self.min_age,
            min_age_allow: (!self.min_age_allow.is_empty()).then_some(self.min_age_allow),
            timeout: self.timeout,
            ttl: self.ttl,
            idle: self.idle,
            disk: (self.disk_soft.is_some() || self.disk_hard.is_some()).then_some(Disk { soft: self.disk_soft, hard: self.disk_hard }),
            ..Profile::default()
        };
        Order {
            name: name.map(|name| name.to_string()),
            kind,
            profile: self.profile,
            overrides,
            ignore_project: self.no_project,
            command,
            tty: self.tty,
            env: self.env,
            env_files: self.env_file,
            secrets: self.secret,
            workspace: self.workspace,
            working_dir: self.workdir,
            pull: Pull::from(self.pull),
        }
    }
}

impl LaunchOptions {
    /// Whether `-it` was typed as for docker, which means `--image t` here.
    pub(super) fn check_for_docker_flags(&self) -> Result<()> {
        if self.image.as_deref() == Some("t") {
            return Err(Failure::new(Code::Usage, "'-it' is '--image t' here")
                .hint("input is always passed on: -t alone gives a terminal; an image of that name is written t:latest"));
        }
        Ok(())
    }
}

impl From<Run> for Order {
    fn from(run: Run) -> Self {
        run.options.order(run.name, Kind::Ephemeral, run.command)
    }
}

impl From<Launch> for Order {
    fn from(launch: Launch) -> Self {
        launch.options.order(Some(launch.name), Kind::Persistent, launch.command)
    }
}

impl From<PlanOnly> for Order {
    fn from(plan: PlanOnly) -> Self {
        plan.options.order(plan.name, plan.kind.into(), plan.command)
    }
}

#[cfg(test)]
mod tests;
