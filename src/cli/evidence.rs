use clap::{Args, Subcommand};

/// Show what is kept of sessions that have ended; or whether that was changed
///
/// One file for each run of a session, written when its end is seen: image, plan, the posture as measured last, the limits that it ran into,
/// the packages that it fetched with their hashes, exit code, times, who. The file's hash stands in the audit log.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_precedence_over_arg = true,
    after_long_help = "\
Examples:
  palisade evidence
  palisade evidence web
  palisade evidence web --json | jq -r '.evidence[-1].evidence.packages[].file'
  palisade evidence verify"
)]
pub(super) struct Evidence {
    #[command(subcommand)]
    pub command: Option<EvidenceCommand>,

    /// Session by name or id, also one that is gone
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// What else can be done with it.
#[derive(Debug, Subcommand)]
pub(super) enum EvidenceCommand {
    /// Compare every file with the hash in the audit log
    ///
    /// Exits with 1 and names each file that was changed, added or taken away.
    Verify,
}
