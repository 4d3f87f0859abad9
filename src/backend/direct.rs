//! The direct way to a session's supervisor, where this machine's kernel has one: by its socket in the session's network
//! namespace, which who may administer this machine may enter. No engine stands between a key and its echo then, an engine that goes
//! away takes no terminal with it, and nothing is begun in the session, whose limits may not let it. Wherever there is no such way,
//! an engine's exec is the way.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio_util::io::ReaderStream;

use super::Backend;
use super::engine::{Attached, Output, OutputKind};
use super::terminals::{ANSWERING, unanswered};
use crate::failure::{Code, Failure, Result};
use crate::session::{ContainerFacts, Session};
use crate::supervisor::terminals::SOCKET;
use crate::terminal::wire::{GREETING, WELCOME};

/// A piece of output at most.
const PIECE: usize = 64 * 1024;
/// A supervisor that has just been let go takes a moment until it listens.
const LISTENING: Duration = Duration::from_millis(200);
impl Backend {
    /// To the supervisor of a running session; `None` where that is not to be had, or not wanted.
    pub(super) async fn directly(&self, session: &Session, facts: &ContainerFacts) -> Result<Option<Attached>> {
        let Some(mut stream) = self.connected(facts).await else { return Ok(None) };
        match tokio::time::timeout(ANSWERING, greet(&mut stream)).await {
            Ok(Ok(true)) => Ok(Some(attached(stream))),
            Ok(Ok(false) | Err(_)) => Ok(None),
            // There is one, and an exec would wait for it no less.
            Err(_) => Err(unanswered(session.name.as_str())),
        }
    }

    async fn connected(&self, facts: &ContainerFacts) -> Option<UnixStream> {
        let pid = facts.pid.filter(|_| self.settings.direct_terminals)?;
        let (kernel, id) = (std::sync::Arc::clone(&self.kernel), facts.id.clone());
        let connect = move || kernel.connect(&id, pid, SOCKET, Instant::now() + LISTENING);
        let stream = tokio::task::spawn_blocking(connect).await.ok()?.ok()?;
        UnixStream::from_std(stream).ok()
    }
}

/// Whether the supervisor hears us. One that an older palisade brought hears no greeting, and would not know that we are there.
async fn greet(stream: &mut UnixStream) -> std::io::Result<bool> {
    stream.write_all(&GREETING).await?;
    Ok(stream.read_u8().await? == WELCOME)
}

fn attached(stream: UnixStream) -> Attached {
    let (read, write) = stream.into_split();
    let output = ReaderStream::with_capacity(read, PIECE).map(|piece| match piece {
        Ok(bytes) => Ok(Output { kind: OutputKind::Stdout, bytes }),
        Err(error) => Err(Failure::new(Code::EngineError, format!("the session's supervisor is lost: {error}"))),
    });
    Attached { output: output.boxed(), input: Box::pin(write) }
}
