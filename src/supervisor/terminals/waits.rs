//! What a terminal waits for, where some of it may not be there: that never comes.

use std::future::{pending, poll_fn};
use std::io;
use std::task::Poll;

use tokio::time::{Instant, sleep_until};

use super::client::{Client, Flushed};
use super::log::Log;
use super::pty::Pty;

/// What the program wrote, if there is a terminal to read from.
pub async fn read(pty: Option<&Pty>, buffer: &mut [u8]) -> io::Result<usize> {
    match pty {
        Some(pty) => pty.read(buffer).await,
        None => pending().await,
    }
}

/// Types what is typed.
pub async fn write(pty: Option<&Pty>, typed: &[u8]) -> io::Result<usize> {
    match pty {
        Some(pty) if !typed.is_empty() => pty.write(typed).await,
        Some(_) | None => pending().await,
    }
}

/// Which client took something, or is gone.
pub async fn flush(clients: &mut [Client]) -> (usize, Flushed) {
    poll_fn(|context| {
        for (at, client) in clients.iter_mut().enumerate() {
            if let Poll::Ready(flushed) = client.poll_flush(context) {
                return Poll::Ready((at, flushed));
            }
        }
        Poll::Pending
    })
    .await
}

/// Until the log took something.
pub async fn written_down(log: Option<&mut Log>) {
    match log {
        Some(log) => poll_fn(|context| log.poll_flush(context)).await,
        None => pending().await,
    }
}

/// Until then, or for ever.
pub async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}
