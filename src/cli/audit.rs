use clap::{Args, Subcommand};

/// Show what was done to sessions, by whom; or whether that record was changed
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade audit
  palisade audit --session web -n 20
  palisade audit --json | jq -r '.entries[] | select(.action==\"launch\") | .detail.plan.name'
  palisade audit verify

Every launch (with its whole plan), exec, copy, attach, verify and removal is one line in audit.jsonl in the state folder,
chained to the line before by its hash.")]
pub(super) struct Audit {
    #[command(subcommand)]
    pub command: Option<AuditCommand>,

    /// Only what was done to this session, by name or id
    #[arg(long, value_name = "NAME")]
    pub session: Option<String>,

    /// Only the last so many
    #[arg(short = 'n', long, value_name = "COUNT")]
    pub last: Option<usize>,
}

/// What else can be done with the log.
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Prove that no line was changed, removed, added or moved
    ///
    /// Exits with 1 and names each line where the record does not hold together. Who can write the log can also write a new one:
    /// keep the hash that is printed somewhere else to be proof against that.
    Verify,
}
