use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use crate::backend::engine::{Input, TerminalSize};
use crate::backend::{Backend, Exec, Typing};
use crate::failure::Result;
use crate::terminal::Size;
use crate::terminal::wire::Told;

/// A terminal in a session, as it is seen from the operator's.
pub struct Far<'a> {
    /// What it shows.
    pub output: BoxStream<'static, Result<Told>>,
    /// What it is told.
    pub to: To<'a>,
}

/// Where what is typed goes.
pub enum To<'a> {
    /// To a command that the engine runs.
    Exec {
        /// Resizes it.
        backend: &'a Backend,
        /// The engine's id.
        id: String,
        /// Its input.
        input: Input,
    },
    /// To a terminal that the session's supervisor holds.
    Held(Typing),
    /// To a test.
    #[cfg(test)]
    Test(mpsc::UnboundedSender<Order>),
}

/// What a terminal is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Keys.
    Keys(Bytes),
    /// Its size.
    Resize(Size),
}

impl<'a> Far<'a> {
    /// The terminal of a command that the engine runs.
    pub fn exec(backend: &'a Backend, exec: Exec) -> Self {
        let output = exec.attached.output.map(|piece| piece.map(|piece| Told::Output(piece.bytes.into())));
        Self { output: output.boxed(), to: To::Exec { backend, id: exec.id, input: exec.attached.input } }
    }
}

impl To<'_> {
    /// Whether it is for us to say what kind of terminal this is, and where the cursor is: a supervisor does so itself.
    pub const fn wants_answers(&self) -> bool {
        match self {
            Self::Exec { .. } => true,
            Self::Held(_) => false,
            #[cfg(test)]
            Self::Test(_) => true,
        }
    }

    /// Passes orders on until there are no more, or until nobody takes them: then the output ends too.
    pub async fn carry(mut self, mut orders: mpsc::Receiver<Order>) {
        while let Some(order) = orders.recv().await {
            if self.tell(order).await.is_err() {
                return;
            }
        }
    }

    async fn tell(&mut self, order: Order) -> std::io::Result<()> {
        match (self, order) {
            (Self::Exec { input, .. }, Order::Keys(keys)) => {
                input.write_all(&keys).await?;
                input.flush().await
            }
            (Self::Exec { backend, id, .. }, Order::Resize(size)) => {
                // One that has just ended has no size.
                let _ = backend.resize_exec(id, TerminalSize { cols: size.columns(), rows: size.rows() }).await;
                Ok(())
            }
            (Self::Held(typing), Order::Keys(keys)) => typing.keys(&keys).await,
            (Self::Held(typing), Order::Resize(size)) => typing.resize(size).await,
            #[cfg(test)]
            (Self::Test(sender), order) => sender.send(order).map_err(std::io::Error::other),
        }
    }
}
