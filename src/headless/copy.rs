//! `cp`: files in and out.

use std::path::PathBuf;

use super::document::{Copied, Document};
use super::progress::{Plain, TerminalReporter};
use super::{Context, Done};
use crate::backend::Backend;
use crate::units::Bytes;

/// Which way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Into a session.
    In {
        /// From here.
        local: PathBuf,
        /// Into this session.
        who: String,
        /// To this path in it.
        inside: String,
    },
    /// Out of one.
    Out {
        /// From this session.
        who: String,
        /// From this path in it.
        inside: String,
        /// To here.
        local: PathBuf,
        /// No more than this.
        max_size: Bytes,
    },
}

/// Copies, and names what was left out.
pub async fn copy(context: &Context, backend: &Backend, way: &Way) -> Done {
    let reporter = TerminalReporter::new(&context.output, Plain::Silent);
    let copied = match way {
        Way::In { local, who, inside } => backend.copy_in(who, local, inside, &reporter).await,
        Way::Out { who, inside, local, max_size } => backend.copy_out(who, inside, local, max_size.get(), &reporter).await,
    };
    reporter.finish();
    let copied = copied?;
    if context.output.is_json() {
        context.output.document(&Document::new(Copied { copied }));
        return Ok(0);
    }
    for entry in &copied.skipped {
        context.output.complain(&format!("left out: {entry}\n"));
    }
    let entries = if copied.entries == 1 { "1 entry".to_owned() } else { format!("{} entries", copied.entries) };
    context.output.note(&format!("copied {entries}, {}", Bytes::new(copied.bytes)));
    Ok(0)
}
