//! The commands about images, profiles, this machine and this program.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

/// List the profiles, or show what one resolves to
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade profiles
  palisade profiles strict
  palisade profiles strict --json | jq .profile.policy

Your own are TOML files in ~/.config/palisade/profiles. A project's .palisade.toml may only narrow them.")]
pub(super) struct Profiles {
    /// Profile by name
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// Build, list and remove sandbox images
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = false)]
pub(super) struct Image {
    #[command(subcommand)]
    pub command: ImageCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ImageCommand {
    Build(ImageBuild),
    Ls(ImageLs),
    Rm(ImageRm),
}

/// Build the sandbox image: Python, Node.js, git, curl, ripgrep and a user that is not root
///
/// The base is pulled where a registry answers and bootstrapped from Debian's packages where none does.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade image build
  palisade image build --base debian:trixie-slim --tag my-sandbox:1
  palisade image build --if-needed       nothing where it is there and of this recipe")]
pub(super) struct ImageBuild {
    /// Image to start from
    #[arg(long, value_name = "IMAGE")]
    pub base: Option<String>,

    /// Name of the result
    #[arg(short, long, value_name = "NAME[:TAG]")]
    pub tag: Option<String>,

    /// Build every step again
    #[arg(long, conflicts_with = "if_needed")]
    pub no_cache: bool,

    /// Do nothing where the image is there and was built from the same recipe
    #[arg(long)]
    pub if_needed: bool,
}

/// List the sandbox images
#[derive(Debug, Args)]
#[command(visible_alias = "list")]
pub(super) struct ImageLs {}

/// Remove sandbox images
#[derive(Debug, Args)]
#[command(visible_alias = "remove")]
pub(super) struct ImageRm {
    /// Images by name or id
    #[arg(value_name = "IMAGE", required = true)]
    pub images: Vec<String>,
}

/// Check the engine and this machine, and say what to do about each finding
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade doctor
  palisade doctor --json | jq -r '.checks[] | select(.state != \"ok\") | .advice'

Exit codes:
  0 nothing stands in the way (there may be warnings) · 1 something does
  3 no engine answers")]
pub(super) struct Doctor {}

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade completions bash > /etc/bash_completion.d/palisade
  palisade completions zsh > \"${fpath[1]}/_palisade\"
  palisade completions fish > ~/.config/fish/completions/palisade.fish")]
pub(super) struct Completions {
    /// Shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// Print the manual page, or write the pages of all commands to a folder
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  palisade man | man -l -
  palisade man /usr/local/share/man/man1")]
pub(super) struct Man {
    /// Folder to write the pages to; made where it is not there
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}
