//! The commands that show a session's terminal at the operator's.

use std::path::PathBuf;

use clap::Args;

use crate::backend::Backend;
use crate::failure::{Code, Failure, Result};
use crate::headless::Context;
use crate::headless::attach::{Options, Target};
use crate::terminal::typed::DetachKeys;

/// How it is shown.
#[derive(Debug, Args)]
#[command(next_help_heading = "Terminal")]
pub(super) struct Showing {
    /// Keys that leave without ending anything, such as ctrl-p,ctrl-q [default: the setting 'detach_keys']
    #[arg(long, value_name = "KEYS")]
    pub detach_keys: Option<DetachKeys>,

    /// Pass every byte to your terminal as it is; what a session writes can then act on it
    #[arg(long, conflicts_with = "record")]
    pub raw: bool,

    /// Write what is shown to a file, as an asciicast for 'palisade replay' and other players
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,

    /// Write over a recording that is there
    #[arg(long, requires = "record")]
    pub force: bool,
}

impl Showing {
    /// With the operator's own settings for what was not said.
    pub(super) fn options(self, backend: &Backend) -> Result<Options> {
        let detach = match self.detach_keys {
            Some(keys) => keys,
            None => backend.settings().detach_keys.parse().map_err(|error: String| Failure::new(Code::InvalidConfig, error))?,
        };
        Ok(Options { detach, raw: self.raw, record: self.record.map(|path| Target { path, force: self.force }) })
    }
}

/// What is shown in a terminal is no document.
pub(super) fn refuse_json(context: &Context, what: &str) -> Result<()> {
    if context.output.is_json() {
        return Err(Failure::new(Code::Usage, format!("'{what}' shows a terminal, which is no JSON document")));
    }
    Ok(())
}
