//! Terminals in sessions: what they print becomes messages, what is typed goes to them. Those that a session's supervisor holds
//! outlive this; a session of an older palisade holds none, and gets a terminal that ends with its connection.

mod feed;
mod typing;

use futures_util::StreamExt;

use super::Link;
use crate::backend::engine::{Attached, ExecRequest, LogOptions, TerminalSize};
use crate::backend::{Cut, Terminal, Within};
use crate::dashboard::app::Message;
use crate::dashboard::app::effect::{PaneCommand, PaneId, Target};
use crate::dashboard::app::row::Weight;
use crate::dashboard::app::terminals::{Opened, Tie};
use crate::failure::{Code, Failure, Result};
use crate::terminal::wire::{Held, Told, Want};
use crate::terminal::{Grants, Size};
use feed::Feed;
pub use feed::Panes;
use typing::{Orders, Typist};

/// Lines of the past that a log begins with.
const PAST: u64 = 500;
/// What the emulator is, for a terminal that no supervisor makes.
const ENV: [&str; 2] = ["TERM=xterm-256color", "COLORTERM=truecolor"];
/// bash where the image has it, else sh: found by the image's own sh.
const SHELL: [&str; 3] = ["/bin/sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash -i; else exec sh -i; fi"];

/// What was to be opened, and what it is opened with.
struct Opening {
    link: Link,
    id: PaneId,
    target: Target,
    size: Size,
    feed: Feed,
}

/// How it came that there is nothing more to be read.
enum End {
    /// What ran has ended, with an exit code where it is known.
    Ended(Option<i64>),
    /// It was left.
    Left,
    /// The operator has to choose first.
    Offered(Vec<Held>),
}

/// Opens a terminal and passes on what it prints until it ends or is left.
async fn open(opening: Opening, command: PaneCommand, orders: Orders) {
    let ended = match opened(&opening, command, orders).await {
        Ok(End::Offered(left)) => return opening.feed.tell(Message::PaneOffered(opening.id, left)).await,
        Ok(End::Left) => Ok(None),
        Ok(End::Ended(code)) => Ok(code),
        Err(failure) => Err(failure),
    };
    opening.feed.tell(Message::PaneEnded(opening.id, ended)).await;
}

async fn opened(opening: &Opening, command: PaneCommand, orders: Orders) -> Result<End> {
    let size = opening.size;
    let attach = |id| Want::Attach { id, size: Some(size) };
    if let PaneCommand::TakeUp(id) = command {
        return held(opening, attach(id), orders).await;
    }
    // Whether its supervisor holds terminals at all, and which.
    let there = match opening.link.backend.terminals(&opening.target.id).await {
        Ok(there) => Some(there),
        // One that holds none says so; a session that does not run has a log all the same.
        Err(failure) if failure.code == Code::Refused || command == PaneCommand::Attach => None,
        Err(failure) => return Err(failure),
    };
    let open = |command: Vec<String>| Want::Open { command, env: Vec::new(), working_dir: String::new(), size };
    match (command, there) {
        (PaneCommand::Attach, Some(there)) if there.iter().any(|held| held.id == 0) => held(opening, attach(0), orders).await,
        (PaneCommand::Attach, _) => log(opening, orders).await,
        (PaneCommand::Shell, Some(there)) => {
            let left: Vec<Held> = there.into_iter().filter(|held| held.id != 0 && held.clients == 0).collect();
            if left.is_empty() { held(opening, open(Vec::new()), orders).await } else { Ok(End::Offered(left)) }
        }
        (PaneCommand::NewShell, Some(_)) => held(opening, open(Vec::new()), orders).await,
        (PaneCommand::Exec(command), Some(_)) => held(opening, open(command), orders).await,
        (PaneCommand::Shell | PaneCommand::NewShell, None) => exec(opening, SHELL.map(str::to_owned).to_vec(), orders).await,
        (PaneCommand::Exec(command), None) => exec(opening, command, orders).await,
        (PaneCommand::TakeUp(_), _) => Ok(End::Left),
    }
}

/// One that the session's supervisor holds.
async fn held(opening: &Opening, want: Want, orders: Orders) -> Result<End> {
    let Opening { link, id, target, feed, .. } = opening;
    let Terminal { held, grants, mut output, input, within } = link.backend.terminal(&target.id, want).await?;
    feed.tell(Message::PaneOpened(*id, Opened { tie: Tie::Held(held), grants, within: Some(Box::new(within)) })).await;
    let reading = async {
        while let Some(told) = output.next().await {
            match told? {
                Told::Anew(bytes) => {
                    let (first, rest) = feed::first_piece(&bytes);
                    feed.tell(Message::PaneAnew(*id, first.to_vec())).await;
                    feed.print(*id, rest).await;
                }
                Told::Output(bytes) => feed.print(*id, &bytes).await,
                Told::Ended(code) => return Ok(End::Ended(Some(i64::from(code)))),
                // Said once, before all that.
                Told::Attached(_) | Told::List(_) | Told::Life(_) | Told::Refused(_) => {}
            }
        }
        Err(lost(&target.name))
    };
    // Both at once: what is typed must not wait for what is printed, nor the other way round.
    tokio::select! {
        end = reading => end,
        () = typing::type_in(Typist::Held(input), orders) => Ok(End::Left),
    }
}

fn lost(name: &str) -> Failure {
    Failure::new(Code::EngineError, format!("the way to '{name}' was lost")).hint("what runs there goes on; take it up again")
}

/// One that ends with its connection: the engine's own.
async fn exec(opening: &Opening, command: Vec<String>, orders: Orders) -> Result<End> {
    let Opening { link, id, target, size, feed } = opening;
    let size = TerminalSize { cols: size.columns(), rows: size.rows() };
    let env = ENV.map(str::to_owned).to_vec();
    let request = ExecRequest { command, env, stdin: true, terminal: Some(size), ..ExecRequest::default() };
    let running = link.backend.exec(&target.id, &request).await?;
    let Attached { mut output, input } = running.attached;
    let within = Some(Box::new(running.within));
    feed.tell(Message::PaneOpened(*id, Opened { tie: Tie::Connection, grants: Grants::default(), within })).await;
    let reading = async {
        while let Some(piece) = output.next().await {
            feed.print(*id, &piece?.bytes).await;
        }
        link.backend.exec_exit(&running.id).await.map(|code| End::Ended(Some(code)))
    };
    tokio::select! {
        end = reading => end,
        () = typing::type_in(Typist::Exec { link: link.clone(), id: running.id.clone(), input }, orders) => Ok(End::Left),
    }
}

/// The main process's output, from a while back, where it has no terminal.
async fn log(opening: &Opening, orders: Orders) -> Result<End> {
    let Opening { link, id, target, feed, .. } = opening;
    feed.tell(Message::PaneOpened(*id, Opened { tie: Tie::Log, grants: Grants::default(), within: None })).await;
    let options = LogOptions { follow: true, tail: Some(PAST), ..LogOptions::default() };
    let mut output = link.backend.engine().logs(&target.id, &options);
    let reading = async {
        while let Some(piece) = output.next().await {
            feed.print(*id, &as_on_a_terminal(&piece?.bytes)).await;
        }
        let facts = link.backend.engine().inspect(&target.id).await.ok();
        Ok(End::Ended(facts.and_then(|facts| facts.exit).map(|exit| exit.code)))
    };
    tokio::select! {
        end = reading => end,
        () = typing::nowhere(orders) => Ok(End::Left),
    }
}

/// Asks what became of the session in which a terminal was cut short.
pub async fn fate(link: Link, id: PaneId, within: Box<Within>, cut: Cut) {
    let fate = link.backend.fate(&within, cut).await;
    link.tell(Message::FateTold(id, fate)).await;
}

/// Ends what runs in a terminal that its session holds.
pub async fn end(link: Link, target: Target, held: u32) {
    let message = match link.backend.end_terminal(&target.id, held).await {
        Ok(()) => Message::Noticed(Weight::Plain, format!("what ran in terminal {held} of '{}' is hung up on", target.name)),
        Err(failure) => Message::Noticed(Weight::Danger, failure.message),
    };
    link.tell(message).await;
}

/// A line feed alone would go straight down.
fn as_on_a_terminal(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 16);
    let mut last = 0;
    for &byte in bytes {
        if byte == b'\n' && last != b'\r' {
            out.push(b'\r');
        }
        out.push(byte);
        last = byte;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_feeds_return() {
        assert_eq!(as_on_a_terminal(b"a\nb\r\n\n"), b"a\r\nb\r\n\r\n");
    }
}
