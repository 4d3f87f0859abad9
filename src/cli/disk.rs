use std::io::{IsTerminal, stderr, stdin};

use clap::Args;

use crate::headless::disk::Manner;

/// Show what everything of palisade's takes on the engine's disk: sessions, volumes, the depot, images, and what 'prune' would free
///
/// The engine counts, which takes as long as it takes. A session's caps are beside what it takes.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade df
  palisade df --json | jq -r '.sessions[] | [.name, .volumes] | @tsv'")]
pub(super) struct Df {}

/// Remove what nobody needs: ended ephemeral sessions, volumes of sessions that are gone, other builds' supervisors, untagged images
///
/// Only what carries palisade's labels and no container uses. Never a session that runs, nor a persistent one or its data. Asks first, where it
/// can; each removal is in the audit log.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade prune --dry-run
  palisade prune --force --json | jq -r '.pruned[].name'

Exit codes:
  0 it was done, or there was nothing to do
  1 the answer was no
  2 there is nobody to ask, and --force was not given")]
pub(super) struct Prune {
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,

    /// Do not ask
    #[arg(short, long)]
    pub force: bool,
}

impl Prune {
    pub(super) fn manner(&self) -> Manner {
        Manner { dry_run: self.dry_run, force: self.force, can_ask: stdin().is_terminal() && stderr().is_terminal() }
    }
}
