//! The commands about the depot itself.

use clap::{Args, Subcommand};

use super::log_part::LogPart;
use crate::units::Seconds;

/// Look after the package depot: the one container through which sandboxes reach packages
///
/// A launch that needs it makes and starts it; these are for looking and for maintenance.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = false,
    after_long_help = "\
Examples:
  palisade depot status
  palisade depot start
  palisade depot logs -f"
)]
pub(super) struct Depot {
    #[command(subcommand)]
    pub command: DepotCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum DepotCommand {
    Status(DepotStatus),
    Start(DepotStart),
    Stop(DepotStop),
    Logs(DepotLogs),
}

/// Show how the depot stands, and its posture measured now
#[derive(Debug, Args)]
pub(super) struct DepotStatus {}

/// Make and start the depot, or replace one that is outdated
#[derive(Debug, Args)]
pub(super) struct DepotStart {}

/// Stop the depot
///
/// Its store and its counters stay. Sessions that run cannot fetch packages until it runs again, and the next launch starts it.
#[derive(Debug, Args)]
pub(super) struct DepotStop {
    /// Between SIGTERM and SIGKILL [default: the depot's own]
    #[arg(short, long, value_name = "TIME")]
    pub grace: Option<Seconds>,
}

/// Show what the depot has printed
#[derive(Debug, Args)]
pub(super) struct DepotLogs {
    #[command(flatten)]
    pub part: LogPart,
}
