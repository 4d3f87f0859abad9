//! The commands about the package cache: what it saved, what it holds, what it is told to do.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::units::{Bytes, Seconds};

/// Show what the package cache saved, and look after its store
///
/// Sandboxes reach packages through the depot, which checks every file against the registry's own hash and counts
/// outside their reach.
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = false,
    after_long_help = "\
Examples:
  palisade cache status
  palisade cache log web
  palisade cache sbom web > web.cdx.json
  palisade cache warm -r requirements.txt"
)]
pub(super) struct Cache {
    #[command(subcommand)]
    pub command: CacheCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum CacheCommand {
    Status(CacheStatus),
    Log(CacheLog),
    Sbom(CacheSbom),
    Verify(CacheVerify),
    Prune(CachePrune),
    Clear(CacheClear),
    Warm(CacheWarm),
}

/// Show hits, misses and what they saved, in all and for each session
///
/// Bytes are counted. Times are estimates: what fetching would have taken at the rate measured lately.
#[derive(Debug, Args)]
#[command(
    visible_alias = "stats",
    after_long_help = "\
Examples:
  palisade cache status
  palisade cache status --all            sessions that are gone, too
  palisade cache status --json | jq .cache.total.hit_rate"
)]
pub(super) struct CacheStatus {
    /// Sessions that are gone, too, by their ids
    #[arg(short, long)]
    pub all: bool,
}

/// Show which packages a session fetched, and what was refused it
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade cache log web
  palisade cache log 01k2m3n4p5q6r7s8t9v0w1x2y3      a session that is gone
  palisade cache log web --json | jq -r '.cache_log.artifacts[] | \"\\(.project) \\(.version)\"'")]
pub(super) struct CacheLog {
    /// Session by name or id; one that is gone by its id ('palisade cache status --all')
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Print what a session fetched as a software bill of materials (CycloneDX 1.6, JSON)
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade cache sbom web > web.cdx.json
  palisade cache sbom web | jq -r '.components[].purl'")]
pub(super) struct CacheSbom {
    /// Session by name or id; one that is gone by its id
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Read every file in the store, and remove those that are not what they should be
///
/// A damaged file is never served, verified or not: this finds it sooner.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Exit codes:
  0 everything is what it should be
  1 something was not, and is removed; or it failed")]
pub(super) struct CacheVerify {}

/// Remove what was used least lately
#[derive(Debug, Args)]
#[command(
    group(clap::ArgGroup::new("which").required(true).multiple(true)),
    after_long_help = "\
Examples:
  palisade cache prune --keep 5GiB
  palisade cache prune --unused-for 30days"
)]
pub(super) struct CachePrune {
    /// Until the store takes no more than this
    #[arg(long, value_name = "SIZE", group = "which")]
    pub keep: Option<Bytes>,

    /// Everything that was not used for so long
    #[arg(long, value_name = "TIME", group = "which")]
    pub unused_for: Option<Seconds>,
}

/// Remove everything from the store
///
/// Sessions fetch anew what they need. What was counted stays.
#[derive(Debug, Args)]
pub(super) struct CacheClear {
    /// Really
    #[arg(short, long)]
    pub force: bool,
}

/// Fetch packages into the store before they are needed
///
/// A sandbox of its own has pip and npm resolve and download them: no install script runs, and a source package's build
/// backend, which pip asks for its dependencies, only in there. Files are read here and handed over as input: the
/// sandbox sees no folder of yours.
#[derive(Debug, Args)]
#[command(
    group(clap::ArgGroup::new("what").required(true).multiple(true)),
    after_long_help = "\
Examples:
  palisade cache warm pandas 'pypi:numpy==2.*' npm:express@4
  palisade cache warm -r requirements.txt
  palisade cache warm --package-lock package-lock.json"
)]
pub(super) struct CacheWarm {
    /// Packages: pandas, pypi:NAME, pypi:NAME==2.2, npm:NAME, npm:@scope/name@4
    #[arg(value_name = "NAME", group = "what")]
    pub names: Vec<String>,

    /// Requirements file (repeatable); one that leads to other files or addresses is refused
    #[arg(short = 'r', long = "requirement", value_name = "FILE", group = "what")]
    pub requirements: Vec<PathBuf>,

    /// package-lock.json of a project
    #[arg(long, value_name = "FILE", group = "what")]
    pub package_lock: Option<PathBuf>,
}
