//! The commands that look into sessions, and those that freeze and rename them.

use clap::Args;

use crate::units::{ParseError, Seconds};

/// Show what happens to sessions, as it happens
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade events
  palisade events web
  palisade events --json | jq -r 'select(.what.event==\"out_of_memory\") | .name'")]
pub(super) struct Events {
    /// Sessions by name or id [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}

/// Freeze sessions: no process of theirs runs until they are unpaused
///
/// Memory is kept. A session's --timeout runs on: one whose time is over ends when it is unpaused.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade pause web
  palisade pause $(palisade ls -q --status running)

Exit codes:
  0 all are frozen
  1 one is not there, does not run, or is frozen already; the others are")]
pub(super) struct Pause {
    /// Sessions by name or id
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
}

/// Let frozen sessions go on
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade unpause web
  palisade unpause $(palisade ls -q --status paused)

Exit codes:
  0 all go on
  1 one is not there, or is not frozen; the others go on")]
pub(super) struct Unpause {
    /// Sessions by name or id
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
}

/// Give a session another name, running or not
///
/// Its id, home and caches stay what they are.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade rename web web-old

Exit codes:
  0 it has the new name
  1 there is no such session, or the name is taken
  2 what should be the new name is none")]
pub(super) struct Rename {
    /// Session by name, id, or the beginning of its id
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Its new name
    #[arg(value_name = "NEW")]
    pub new: String,
}

/// Show the processes of a session, with the rights that each has
///
/// From the kernel, never from the session: also what was put into it from outside. Rights beyond a session's show in CAPS
/// (capabilities that it has or can take up), NO_NEW_PRIVS and SECCOMP; what is not in all of the session's control groups and
/// namespaces shows in BELONGS. 'palisade verify' judges them.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade top web
  palisade top web --json | jq '.processes[] | select(.capabilities != [])'

Exit codes:
  0 the processes are shown
  1 there is no such session, it does not run, or they cannot be read")]
pub(super) struct Top {
    /// Session by name, id, or the beginning of its id
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Show what a session changed against its image
///
/// Without what is in its home, its caches, its workspace and its tmpfs: those are not the image's. With a root that is
/// read-only, which is the rule, nothing else can change.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade diff web
  palisade diff -q web                   paths only

Exit codes:
  0 the changes are shown, if there are any
  1 there is no such session, or the engine cannot tell")]
pub(super) struct Diff {
    /// Session by name, id, or the beginning of its id
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Show what sessions use: CPU over half a second, memory, processes
///
/// 100% is one CPU. Memory is without the file cache that the kernel can take back. PIDS counts processes and threads.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade stats                         every session that runs
  palisade stats web api
  palisade stats --json | jq -r '.stats[] | [.name, .usage.cpu_percent] | @tsv'

Exit codes:
  0 every figure is shown
  1 a session is not there, does not run, or its figures cannot be read")]
pub(super) struct Stats {
    /// Sessions by name or id; all that run where absent
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}

/// Print figures for Prometheus: sessions, what they use, what is in force in them, their limits and disk, and what the depot saved
///
/// Once, or at an address for as long as it runs. The format is OpenMetrics text. Postures are measured every 30 seconds at most.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade metrics > /var/lib/node_exporter/palisade.prom
  palisade metrics --listen 127.0.0.1:9182

Exit codes:
  0 they were printed, or served until this was told to end
  1 the address cannot be listened at")]
pub(super) struct Metrics {
    /// Serve them at http://ADDRESS/metrics; whoever reaches that address can read them
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<std::net::SocketAddr>,
}

/// Move the deadline of a running session: to as long from now as it had from its start, or --ttl
///
/// Its idleness begins anew, too. Only whoever launched or started it last can: the key is in their state database, and no process of the
/// sandbox has it. 'palisade inspect' shows the deadline.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade renew web
  palisade renew web --ttl 8h")]
pub(super) struct Renew {
    /// Sessions by name or id
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,

    /// So long from now, such as 8h
    #[arg(long, value_name = "TIME", value_parser = some_time)]
    pub ttl: Option<Seconds>,
}

/// A span that is over at once would end the session.
fn some_time(text: &str) -> Result<Seconds, ParseError> {
    let span: Seconds = text.parse()?;
    let last = Seconds::new(10 * 365 * 24 * 3600);
    if span.get() == 0 || span > last {
        return Err(ParseError("give a span from one second to 10 years, such as 8h".to_owned()));
    }
    Ok(span)
}

/// End what no supervisor could: sessions paused past their deadline or hiding what they take on disk, ephemeral ones left behind, what killed managers left
///
/// Only what carries palisade's labels. A user's timer for it is in assets/systemd.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade reap --dry-run
  palisade reap --json | jq -r '.reaped[].name'")]
pub(super) struct Reap {
    /// Only say what would be done
    #[arg(long)]
    pub dry_run: bool,
}
