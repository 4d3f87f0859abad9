//! `logs`: what a session has printed.

use futures_util::StreamExt;

use super::foreground::{Encoding, WriteError, Writer};
use super::{Context, Done};
use crate::backend::Backend;
use crate::backend::engine::{LogOptions, OutputStream};
use crate::failure::Failure;

/// Prints the log, output and errors apart. `raw` passes control characters to a terminal.
pub async fn logs(context: &Context, backend: &Backend, who: &str, options: &LogOptions, raw: bool) -> Done {
    show(context, backend.logs(who, options).await?, options.timestamps, raw).await
}

/// Prints any log, with the engine's times where they were asked for.
pub async fn show(context: &Context, mut log: OutputStream, timestamps: bool, raw: bool) -> Done {
    let surroundings = context.output.surroundings();
    let mut encoding = if surroundings.json {
        Encoding::json(timestamps)
    } else if !raw && (surroundings.stdout_terminal || surroundings.stderr_terminal) {
        Encoding::shown()
    } else {
        Encoding::Raw
    };
    let mut writer = Writer::standard();
    while let Some(piece) = log.next().await {
        if let Some((kind, bytes)) = encoding.encode(piece?)
            && let Err(error) = writer.send(kind, bytes).await
        {
            return ended(context, error);
        }
    }
    for (kind, bytes) in encoding.rest() {
        if let Err(error) = writer.send(kind, bytes).await {
            return ended(context, error);
        }
    }
    match writer.finish().await {
        Ok(()) => Ok(0),
        Err(error) => ended(context, error),
    }
}

fn ended(context: &Context, error: WriteError) -> Done {
    match error {
        WriteError::ReaderGone => {
            context.output.note_reader_gone();
            Ok(0)
        }
        WriteError::Failed(error) => Err(Failure::io("write the log", &error).into()),
    }
}
