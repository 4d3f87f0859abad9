use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::sync::{mpsc, oneshot};

use super::tty;
use crate::headless::foreground::write_whole;

/// A terminal that takes nothing for so long is left as it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// The operator's terminal as something that takes frames, each when it has taken the one before: a slow one gets fewer, not older.
/// What it takes at once is written at once; only the rest goes by a thread, which may wait.
pub struct Frames {
    at_once: Option<OwnedFd>,
    /// Frames that the thread has not written yet.
    waiting: Arc<AtomicUsize>,
    thread: Option<mpsc::Sender<Bytes>>,
    ended: oneshot::Receiver<io::Result<()>>,
}

impl Frames {
    /// Standard output.
    pub fn standard() -> Self {
        let waiting = Arc::new(AtomicUsize::new(0));
        let left = Arc::clone(&waiting);
        let frames = Self::over(move |mut frames| {
            while let Some(bytes) = frames.blocking_recv() {
                write_whole(io::stdout().as_fd(), &bytes)?;
                left.fetch_sub(1, Ordering::SeqCst);
            }
            Ok(())
        });
        Self { at_once: tty::own_output().ok(), waiting, ..frames }
    }

    /// Any other way.
    pub(super) fn over(write: impl FnOnce(mpsc::Receiver<Bytes>) -> io::Result<()> + Send + 'static) -> Self {
        let (frames, receiver) = mpsc::channel(1);
        let (report, ended) = oneshot::channel();
        // Without the thread both ends are dropped, which is a terminal that is gone.
        let _ = std::thread::Builder::new().name("stdout".into()).spawn(move || {
            let _ = report.send(write(receiver));
        });
        Self { at_once: None, waiting: Arc::default(), thread: Some(frames), ended }
    }

    /// Waits until it takes one more; `None` when it takes none any more.
    pub async fn room(&self) -> Option<Room<'_>> {
        let permit = self.thread.clone()?.reserve_owned().await.ok()?;
        Some(Room { frames: self, permit })
    }

    /// Waits until the terminal is gone.
    pub async fn gone(&self) {
        match &self.thread {
            Some(frames) => frames.closed().await,
            None => std::future::pending().await,
        }
    }

    /// Sends the last one and waits until all is written; whether it is.
    pub async fn finish(mut self, last: Vec<u8>) -> bool {
        let Some(frames) = self.thread.take() else { return false };
        let sent = async {
            if !last.is_empty() {
                self.waiting.fetch_add(1, Ordering::SeqCst);
                let _ = frames.send(last.into()).await;
            }
            drop(frames);
            matches!((&mut self.ended).await, Ok(Ok(())))
        };
        tokio::time::timeout(PATIENCE, sent).await.unwrap_or(false)
    }
}

/// For one frame.
pub struct Room<'a> {
    frames: &'a Frames,
    permit: mpsc::OwnedPermit<Bytes>,
}

impl Room<'_> {
    /// Sends it.
    pub fn send(self, frame: impl Into<Bytes>) {
        let mut frame = frame.into();
        if self.frames.waiting.load(Ordering::SeqCst) == 0
            && let Some(terminal) = &self.frames.at_once
        {
            // What it does not take, and why, is for the thread to find out.
            while !frame.is_empty()
                && let Ok(written @ 1..) = nix::unistd::write(terminal, &frame)
            {
                frame.advance(written);
            }
        }
        if !frame.is_empty() {
            self.frames.waiting.fetch_add(1, Ordering::SeqCst);
            self.permit.send(frame);
        }
    }
}
