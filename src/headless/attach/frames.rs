use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::backend::engine::OutputKind;
use crate::headless::foreground::write_all;

/// A terminal that takes nothing for so long is left as it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// The operator's terminal as something that takes frames, each when it has taken the one before: a slow one gets fewer, not older.
pub struct Frames {
    frames: Option<mpsc::Sender<(OutputKind, Bytes)>>,
    ended: oneshot::Receiver<io::Result<()>>,
}

impl Frames {
    /// Standard output, written by a thread of its own.
    pub fn standard() -> Self {
        Self::over(|frames| write_all(frames, io::stdout().as_fd(), io::stderr().as_fd()))
    }

    /// Any other way.
    pub(super) fn over(write: impl FnOnce(mpsc::Receiver<(OutputKind, Bytes)>) -> io::Result<()> + Send + 'static) -> Self {
        let (frames, receiver) = mpsc::channel(1);
        let (report, ended) = oneshot::channel();
        // Without the thread both ends are dropped, which is a terminal that is gone.
        let _ = std::thread::Builder::new().name("stdout".into()).spawn(move || {
            let _ = report.send(write(receiver));
        });
        Self { frames: Some(frames), ended }
    }

    /// Waits until it takes one more; `None` when it takes none any more.
    pub async fn room(&self) -> Option<mpsc::OwnedPermit<(OutputKind, Bytes)>> {
        self.frames.clone()?.reserve_owned().await.ok()
    }

    /// Waits until the terminal is gone.
    pub async fn gone(&self) {
        match &self.frames {
            Some(frames) => frames.closed().await,
            None => std::future::pending().await,
        }
    }

    /// Sends the last one and waits until all is written; whether it is.
    pub async fn finish(mut self, last: Vec<u8>) -> bool {
        let Some(frames) = self.frames.take() else { return false };
        let sent = async {
            if !last.is_empty() {
                let _ = frames.send((OutputKind::Stdout, last.into())).await;
            }
            drop(frames);
            matches!((&mut self.ended).await, Ok(Ok(())))
        };
        tokio::time::timeout(PATIENCE, sent).await.unwrap_or(false)
    }
}
