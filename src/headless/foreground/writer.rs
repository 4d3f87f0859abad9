use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use bytes::{Bytes, BytesMut};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::sync::{mpsc, oneshot};

use crate::backend::engine::OutputKind;

/// Pieces on their way out: enough to keep the thread busy, little enough that a slow reader slows the session.
const IN_FLIGHT: usize = 16;
/// Bytes that are put together to be written at once, at most.
const TOGETHER: usize = 64 << 10;

/// Standard output and error, written in the order in which the pieces came, by a thread of its own: a reader that
/// stalls must keep neither our signals nor our input from moving.
pub struct Writer {
    pieces: Option<mpsc::Sender<(OutputKind, Bytes)>>,
    ended: oneshot::Receiver<io::Result<()>>,
}

/// Why nothing more can be written.
#[derive(Debug)]
pub enum WriteError {
    /// The reader has closed its end, or its terminal is gone.
    ReaderGone,
    /// The disk is full, or worse.
    Failed(io::Error),
}

impl Writer {
    /// To this program's own standard output and error.
    pub fn standard() -> Self {
        Self::over(|pieces| write_all(pieces, io::stdout().as_fd(), io::stderr().as_fd()))
    }

    /// Over any way of writing.
    pub(super) fn over(write: impl FnOnce(mpsc::Receiver<(OutputKind, Bytes)>) -> io::Result<()> + Send + 'static) -> Self {
        let (pieces, receiver) = mpsc::channel(IN_FLIGHT);
        let (report, ended) = oneshot::channel();
        // Where no thread can be had, `receiver` and `report` are dropped with the closure, and the first send finds out.
        let _ = std::thread::Builder::new().name("stdout".into()).spawn(move || {
            let _ = report.send(write(receiver));
        });
        Self { pieces: Some(pieces), ended }
    }

    /// Queues a piece; waits while the reader is slow.
    pub async fn send(&mut self, kind: OutputKind, bytes: Bytes) -> Result<(), WriteError> {
        let sent = match &self.pieces {
            Some(pieces) => pieces.send((kind, bytes)).await.is_ok(),
            None => false,
        };
        if sent { Ok(()) } else { self.finish().await.and(Err(WriteError::ReaderGone)) }
    }

    /// Queues many, neighbours of one kind together: an engine's log comes line by line.
    pub async fn send_all(&mut self, pieces: impl IntoIterator<Item = (OutputKind, Bytes)>) -> Result<(), WriteError> {
        let mut pieces = pieces.into_iter().peekable();
        while let Some((kind, first)) = pieces.next() {
            let mut next = |taken: usize| pieces.next_if(|(next, bytes)| *next == kind && taken + bytes.len() <= TOGETHER);
            let Some((_, second)) = next(first.len()) else {
                self.send(kind, first).await?;
                continue;
            };
            let mut whole = BytesMut::with_capacity(TOGETHER);
            whole.extend_from_slice(&first);
            whole.extend_from_slice(&second);
            while let Some((_, more)) = next(whole.len()) {
                whole.extend_from_slice(&more);
            }
            self.send(kind, whole.freeze()).await?;
        }
        Ok(())
    }

    /// Waits until everything is written.
    pub async fn finish(&mut self) -> Result<(), WriteError> {
        self.pieces = None;
        match (&mut self.ended).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if is_reader_gone(&error) => Err(WriteError::ReaderGone),
            Ok(Err(error)) => Err(WriteError::Failed(error)),
            Err(_) => Err(WriteError::Failed(io::Error::other("the thread that writes it is gone"))),
        }
    }
}

/// `EPIPE` of a pipe or socket; `EIO` of a terminal that hung up.
fn is_reader_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error().map(Errno::from_raw), Some(Errno::EPIPE | Errno::EIO))
}

/// Writes until no more comes.
pub fn write_all(mut pieces: mpsc::Receiver<(OutputKind, Bytes)>, out: BorrowedFd<'_>, err: BorrowedFd<'_>) -> io::Result<()> {
    while let Some((kind, bytes)) = pieces.blocking_recv() {
        let to = match kind {
            OutputKind::Stdout => out,
            OutputKind::Stderr => err,
        };
        write_whole(to, &bytes)?;
    }
    Ok(())
}

/// Writes all of it, however long that takes.
pub fn write_whole(to: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match nix::unistd::write(to, rest) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            // Somebody who shares it has set O_NONBLOCK.
            Err(Errno::EAGAIN) => {
                let mut fds = [PollFd::new(to, PollFlags::POLLOUT)];
                match poll(&mut fds, PollTimeout::NONE) {
                    Ok(_) | Err(Errno::EINTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn over_pipes() -> (Writer, io::PipeReader, io::PipeReader) {
        let (out, out_end) = io::pipe().unwrap();
        let (err, err_end) = io::pipe().unwrap();
        (Writer::over(move |pieces| write_all(pieces, out_end.as_fd(), err_end.as_fd())), out, err)
    }

    #[tokio::test]
    async fn output_and_errors_stay_apart_and_whole() {
        let (mut writer, mut out, mut err) = over_pipes();
        let reading = std::thread::spawn(move || {
            let mut text = Vec::new();
            out.read_to_end(&mut text).unwrap();
            text
        });
        let big = Bytes::from(vec![7u8; 300_000]);
        writer.send(OutputKind::Stdout, big.clone()).await.unwrap();
        writer.send(OutputKind::Stderr, Bytes::from_static(b"oops\0")).await.unwrap();
        writer.send(OutputKind::Stdout, big).await.unwrap();
        writer.finish().await.unwrap();
        assert!(reading.join().unwrap() == vec![7u8; 600_000]);
        let mut errors = Vec::new();
        err.read_to_end(&mut errors).unwrap();
        assert_eq!(errors, b"oops\0");
    }

    #[tokio::test]
    async fn neighbours_of_one_kind_are_written_at_once_and_in_their_order() {
        use OutputKind::{Stderr, Stdout};
        let (told, written) = std::sync::mpsc::channel();
        let mut writer = Writer::over(move |mut pieces| {
            while let Some((kind, bytes)) = pieces.blocking_recv() {
                let _ = told.send((kind, bytes.len()));
            }
            Ok(())
        });
        let line = |kind| (kind, Bytes::from_static(b"a line\n"));
        let big = (Stdout, Bytes::from(vec![b'x'; TOGETHER - 7]));
        writer.send_all([line(Stdout), line(Stdout), line(Stderr), line(Stdout), big.clone(), line(Stdout), big]).await.unwrap();
        writer.send_all([]).await.unwrap();
        writer.finish().await.unwrap();
        let expected = [(Stdout, 14), (Stderr, 7), (Stdout, TOGETHER), (Stdout, TOGETHER)];
        assert_eq!(written.iter().collect::<Vec<_>>(), expected);
    }

    #[tokio::test]
    async fn a_reader_that_left_is_told_apart_from_a_full_disk() {
        let (mut writer, out, _err) = over_pipes();
        drop(out);
        let mut result = Ok(());
        while result.is_ok() {
            result = writer.send(OutputKind::Stdout, Bytes::from_static(b"x")).await;
        }
        assert!(matches!(result, Err(WriteError::ReaderGone)), "{result:?}");

        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut writer = Writer::over(move |pieces| write_all(pieces, full.as_fd(), full.as_fd()));
        writer.send(OutputKind::Stdout, Bytes::from_static(b"x")).await.unwrap();
        let result = writer.finish().await;
        assert!(matches!(&result, Err(WriteError::Failed(error)) if error.raw_os_error() == Some(28)), "{result:?}");
    }

    #[tokio::test]
    async fn a_stalled_reader_bounds_what_is_held() {
        let (mut writer, _out, _err) = over_pipes();
        let piece = Bytes::from(vec![0u8; 64 << 10]);
        let mut sent = 0;
        while let Ok(result) =
            tokio::time::timeout(std::time::Duration::from_millis(300), writer.send(OutputKind::Stdout, piece.clone())).await
        {
            result.unwrap();
            sent += 1;
        }
        assert!(sent <= IN_FLIGHT + 3, "{sent} pieces were taken with nobody reading");
    }
}
