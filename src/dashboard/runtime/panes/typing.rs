//! What is typed into a terminal, and its size: on their way beside what it prints.

use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use super::super::Link;
use crate::backend::Typing;
use crate::backend::engine::{Input, TerminalSize};
use crate::terminal::Size;

/// What is typed and not yet taken, in pieces.
pub const TYPED: usize = 256;

/// What an open terminal is told.
pub enum Order {
    /// Keys.
    Typed(Vec<u8>),
    /// It has another size.
    Resized(Size),
}

/// Orders as they come; none any more once it is left.
pub type Orders = mpsc::Receiver<Order>;

/// Who types where.
pub enum Typist {
    /// To a supervisor.
    Held(Typing),
    /// To an engine's exec.
    Exec {
        /// By which it is resized.
        link: Link,
        /// Which.
        id: String,
        /// Its standard input.
        input: Input,
    },
}

/// Types what is ordered until the terminal is left. What runs may have ended meanwhile: what it printed says so.
pub async fn type_in(mut typist: Typist, mut orders: Orders) {
    while let Some(order) = orders.recv().await {
        match (&mut typist, order) {
            (Typist::Held(typing), Order::Typed(bytes)) => _ = typing.keys(&bytes).await,
            (Typist::Held(typing), Order::Resized(size)) => _ = typing.resize(size).await,
            (Typist::Exec { input, .. }, Order::Typed(bytes)) => {
                let _ = input.write_all(&bytes).await;
                let _ = input.flush().await;
            }
            (Typist::Exec { link, id, .. }, Order::Resized(size)) => {
                let size = TerminalSize { cols: size.columns(), rows: size.rows() };
                let _ = link.backend.resize_exec(id, size).await;
            }
        }
    }
    if let Typist::Exec { mut input, .. } = typist {
        // A shell that waits for input ends at this, what else runs goes on.
        let _ = input.write_all(b"\x04").await;
        let _ = input.shutdown().await;
    }
}

/// Where nothing can be typed: until it is left.
pub async fn nowhere(mut orders: Orders) {
    while orders.recv().await.is_some() {}
}
