//! `cp`: files in and out.

use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;

use futures_util::{StreamExt, stream};

use super::document::{Copied, Document};
use super::foreground::{standard_input, write_whole};
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
    /// Into a folder of one, from the archive that standard input gives.
    Unpacked {
        /// Into this session.
        who: String,
        /// In this folder of it.
        inside: String,
        /// No more than this.
        max_size: Bytes,
    },
    /// Out of one, as an archive to standard output.
    Packed {
        /// From this session.
        who: String,
        /// From this path in it.
        inside: String,
        /// No more than this.
        max_size: Bytes,
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

/// What an archive is written with: few calls for many small headers.
const PIECE: usize = 64 << 10;

/// Copies, and names what was left out.
pub async fn copy(context: &Context, backend: &Backend, way: &Way) -> Done {
    let reporter = TerminalReporter::new(&context.output, Plain::Silent);
    let copied = match way {
        Way::In { local, who, inside } => backend.copy_in(who, local, inside, &reporter).await.map(Some),
        Way::Out { who, inside, local, max_size } => backend.copy_out(who, inside, local, max_size.get(), &reporter).await.map(Some),
        Way::Unpacked { who, inside, max_size } => {
            let archive = stream::unfold(standard_input(), |mut input| async { input.recv().await.map(|piece| (Ok(piece), input)) });
            backend.unpack_in(who, archive.boxed(), inside, max_size.get(), &reporter).await.map(Some)
        }
        Way::Packed { who, inside, max_size } => {
            let to = BufWriter::with_capacity(PIECE, StandardOutput);
            backend.pack_out(who, inside, to, max_size.get(), &reporter).await
        }
    };
    reporter.finish();
    let Some(copied) = copied? else {
        context.output.note_reader_gone();
        return Ok(0);
    };
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

/// As it is, without looking for lines.
struct StandardOutput;

impl Write for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_whole(io::stdout().as_fd(), bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
