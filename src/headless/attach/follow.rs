//! `attach` to a session whose command has no terminal: what it writes, sanitised, until it ends or is left.

use futures_util::StreamExt;

use super::attend::Options;
use super::keyboard::Keyboard;
use super::parted::{by_signal, gone, left};
use super::tty::{Mode, Tty};
use crate::backend::Backend;
use crate::backend::engine::LogOptions;
use crate::failure::{Code, Failure};
use crate::headless::foreground::{Encoding, Signal, Signals, WriteError, Writer};
use crate::headless::logs::Gaps;
use crate::headless::run::{OURS, READER_GONE, before, exit_code};
use crate::headless::{Context, Done, Stop};
use crate::session::Session;
use crate::terminal::typed::{Typed, Typing};

/// Lines of the past that it begins with.
const PAST: u64 = 500;
/// What ctrl-c sends.
const INTERRUPT: u8 = 0x03;

/// How it ended.
enum Ending {
    Ended,
    Left,
    Gone,
    Signal(Signal),
    Lost(Failure),
    Unwritten(WriteError),
}

/// Follows it.
pub(super) async fn follow(context: &Context, backend: &Backend, session: &Session, options: &Options, has_terminal: bool) -> Done {
    let name = &session.name;
    if options.record.is_some() {
        return Err(Failure::new(Code::Usage, format!("'{name}' has no terminal to be recorded"))
            .hint(format!("its log is kept by the engine: palisade logs {name}"))
            .into());
    }
    let mut signals = Signals::listen()?;
    let log = LogOptions { follow: true, tail: Some(PAST), ..LogOptions::default() };
    let (output, watch) = backend.logs(&session.container_id, &log).await.map_err(before)?;
    context.output.note(&if has_terminal {
        format!("'{name}' was launched without a terminal: this is what it writes; {} or ctrl-c leaves it", options.detach)
    } else {
        format!("'{name}' was launched without a terminal: this is what it writes")
    });
    let taken = if has_terminal { Some((Tty::take(Mode::Keys, false)?, Keyboard::read(Typing::plain(&options.detach))?)) } else { None };
    let (tty, mut keyboard) = taken.unzip();
    let surroundings = context.output.surroundings();
    let mut encoding =
        if !options.raw && (surroundings.stdout_terminal || surroundings.stderr_terminal) { Encoding::shown() } else { Encoding::Raw };
    let mut writer = Writer::standard();
    let ending = tokio::select! {
        ending = copy(output, &mut encoding, &mut writer) => ending,
        ending = keys(keyboard.as_mut()) => ending,
        signal = signals.next() => Ending::Signal(signal),
    };
    drop(keyboard);
    if let Some(tty) = tty {
        tty.give_back(true);
    }
    Gaps { context, watch }.tell();
    end(context, backend, session, ending).await
}

async fn copy(mut output: crate::backend::engine::OutputStream, encoding: &mut Encoding, writer: &mut Writer) -> Ending {
    while let Some(piece) = output.next().await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(failure) => return Ending::Lost(failure),
        };
        if let Some((kind, bytes)) = encoding.encode(piece)
            && let Err(error) = writer.send(kind, bytes).await
        {
            return Ending::Unwritten(error);
        }
    }
    for (kind, bytes) in encoding.rest() {
        if let Err(error) = writer.send(kind, bytes).await {
            return Ending::Unwritten(error);
        }
    }
    match writer.finish().await {
        Ok(()) => Ending::Ended,
        Err(error) => Ending::Unwritten(error),
    }
}

/// Until a key leaves; without a keyboard, for ever.
async fn keys(keyboard: Option<&mut Keyboard>) -> Ending {
    let Some(keyboard) = keyboard else { return std::future::pending().await };
    while let Some(pieces) = keyboard.next().await {
        let leaves = |typed: &Typed| match typed {
            Typed::Leave => true,
            Typed::Keys(keys) => keys.contains(&INTERRUPT),
            Typed::Cursor(_) | Typed::PasteBegins | Typed::Pasted(_) | Typed::PasteEnds => false,
        };
        if pieces.iter().any(leaves) {
            return Ending::Left;
        }
    }
    Ending::Gone
}

async fn end(context: &Context, backend: &Backend, session: &Session, ending: Ending) -> Done {
    let name = &session.name;
    let goes_on = format!("'{name}' goes on: palisade attach {name}");
    match ending {
        Ending::Ended => {
            // One that is removed when it ends has taken its exit code with it.
            let facts = backend.engine().inspect(&session.container_id).await.ok();
            Ok(facts.and_then(|facts| facts.exit).map_or(0, |exit| exit_code(exit.code)))
        }
        Ending::Left => Ok(left(context, &goes_on)),
        Ending::Gone => Err(gone(goes_on)),
        Ending::Signal(signal) => Err(by_signal(signal, "left the session", goes_on)),
        Ending::Lost(failure) => {
            let lost = Failure::new(failure.code, format!("the connection to '{name}' is lost")).detail(failure.message);
            Err(Stop { failure: lost.hint(goes_on), exit: OURS })
        }
        Ending::Unwritten(WriteError::ReaderGone) => {
            context.output.note_reader_gone();
            Ok(READER_GONE)
        }
        Ending::Unwritten(WriteError::Failed(error)) => {
            Err(Stop { failure: Failure::io("write what the session writes", &error), exit: OURS })
        }
    }
}
