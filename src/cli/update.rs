use clap::Args;

/// Make sessions as today's plan for the same request has them
///
/// Each difference is changed live where the engine can (a limit lowered, what 'docker update' or 'docker network connect' did taken
/// back), by a restart, or by another container in the session's place, which has the same id, name, home and caches; what was written
/// to a root file system that is not read-only, or to an image's own volumes, goes with the old one. All or nothing: an update that
/// fails leaves the session as it was. Secrets are read again from the variables named at launch.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade update --dry-run web          what differs, and what each difference takes
  palisade update --restart web api
  palisade update --all --dry-run --json | jq '.updates[] | select(.needs)'

Exit codes:
  0 it is as today's plan, or with --dry-run would be
  1 one could not be updated, or runs and may not be stopped; it is as it was
  4 what was made in its place measured weaker, and was undone")]
pub(super) struct Update {
    /// Sessions by name or id
    #[arg(value_name = "NAME", required_unless_present = "all", conflicts_with = "all")]
    pub names: Vec<String>,

    /// Every session that was launched by you
    #[arg(short, long)]
    pub all: bool,

    /// Only tell what would be changed
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Stop what runs and start it again, where the update takes that
    #[arg(long)]
    pub restart: bool,
}
