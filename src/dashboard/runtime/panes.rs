//! Terminals in sessions: what they print becomes messages, what is typed goes to them.

use std::collections::HashMap;

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use super::Link;
use crate::backend::engine::{Attached, ExecRequest, LogOptions, TerminalSize};
use crate::dashboard::app::Message;
use crate::dashboard::app::effect::{PaneCommand, PaneId, Target};
use crate::failure::Result;

/// Lines of the past that an attachment begins with.
const PAST: u64 = 500;
/// What is typed and not yet taken, in pieces.
const TYPED: usize = 256;
/// What is printed reaches the emulator in pieces of so many bytes.
const PIECE: usize = 8 << 10;
/// The kind of terminal that the emulator is.
const TERM: &str = "TERM=xterm-256color";
/// bash where the image has it, else sh: found by the image's own sh.
const SHELL: [&str; 3] = ["/bin/sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash -i; else exec sh -i; fi"];

/// What an open terminal is told.
enum Order {
    Typed(Vec<u8>),
    Resized(TerminalSize),
}

/// The open terminals.
#[derive(Default)]
pub struct Panes {
    open: HashMap<PaneId, mpsc::Sender<Order>>,
}

impl Panes {
    /// Opens one.
    pub fn open(&mut self, link: Link, id: PaneId, target: Target, command: PaneCommand, (cols, rows): (u16, u16)) {
        let (orders, taken) = mpsc::channel(TYPED);
        self.open.insert(id, orders);
        tokio::spawn(async move {
            let size = TerminalSize { cols, rows };
            let ended = match command {
                PaneCommand::Attach => attach(&link, id, &target, taken).await,
                PaneCommand::Shell => exec(&link, id, &target, SHELL.map(str::to_owned).to_vec(), size, taken).await,
                PaneCommand::Exec(command) => exec(&link, id, &target, command, size, taken).await,
            };
            link.tell(Message::PaneEnded(id, ended)).await;
        });
    }

    /// Sends what was typed. A terminal that takes nothing loses what is more than a person types.
    pub fn typed(&self, id: PaneId, bytes: Vec<u8>) {
        self.order(id, Order::Typed(bytes));
    }

    /// Tells a terminal its size.
    pub fn resized(&self, id: PaneId, (cols, rows): (u16, u16)) {
        self.order(id, Order::Resized(TerminalSize { cols, rows }));
    }

    /// Leaves a terminal: its input ends.
    pub fn close(&mut self, id: PaneId) {
        self.open.remove(&id);
    }

    fn order(&self, id: PaneId, order: Order) {
        if let Some(orders) = self.open.get(&id) {
            let _ = orders.try_send(order);
        }
    }
}

async fn exec(
    link: &Link,
    id: PaneId,
    target: &Target,
    command: Vec<String>,
    size: TerminalSize,
    mut orders: mpsc::Receiver<Order>,
) -> Result<Option<i64>> {
    let request = ExecRequest { command, env: vec![TERM.to_owned()], stdin: true, terminal: Some(size), ..ExecRequest::default() };
    let running = link.backend.exec(&target.id, &request).await?;
    let Attached { mut output, mut input } = running.attached;
    loop {
        tokio::select! {
            piece = output.next() => match piece {
                Some(piece) => print(link, id, &piece?.bytes).await,
                None => break,
            },
            order = orders.recv() => match order {
                // What runs may have ended: its output says so.
                Some(Order::Typed(bytes)) => {
                    let _ = input.write_all(&bytes).await;
                    let _ = input.flush().await;
                }
                Some(Order::Resized(size)) => { let _ = link.backend.resize_exec(&running.id, size).await; }
                None => {
                    // Left: a shell that waits for input ends at this, what else runs goes on.
                    let _ = input.write_all(b"\x04").await;
                    let _ = input.shutdown().await;
                    return Ok(None);
                }
            },
        }
    }
    link.backend.exec_exit(&running.id).await.map(Some)
}

/// The main process's output, from a while back; it has no terminal, and most often no input.
async fn attach(link: &Link, id: PaneId, target: &Target, mut orders: mpsc::Receiver<Order>) -> Result<Option<i64>> {
    let options = LogOptions { follow: true, tail: Some(PAST), ..LogOptions::default() };
    let mut output = link.backend.engine().logs(&target.id, &options);
    loop {
        tokio::select! {
            piece = output.next() => match piece {
                Some(piece) => print(link, id, &as_on_a_terminal(&piece?.bytes)).await,
                None => break,
            },
            order = orders.recv() => if order.is_none() { return Ok(None) },
        }
    }
    let facts = link.backend.engine().inspect(&target.id).await.ok();
    Ok(facts.and_then(|facts| facts.exit).map(|exit| exit.code))
}

/// In pieces that are soon drawn: what a sandbox prints decides how long the emulator takes for each.
async fn print(link: &Link, id: PaneId, bytes: &[u8]) {
    for piece in bytes.chunks(PIECE) {
        link.tell(Message::PanePrinted(id, piece.to_vec())).await;
    }
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
