//! The first line of a connection, read in as few steps as it came in. What came behind it is HTTP's, and kept for it.

use std::io;
use std::os::fd::AsRawFd;

use bytes::{Buf, Bytes};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use tokio::net::UnixStream;

use crate::depot::wire;

/// A connection that has not said its line yet.
pub struct Stranger {
    stream: UnixStream,
    heard: Vec<u8>,
}

/// One that has, or that never will.
pub struct Greeted {
    /// The connection.
    pub stream: UnixStream,
    /// The line without its line feed; `None` where it ended or was too long before it had one.
    pub line: Option<Vec<u8>>,
    /// What came behind the line.
    pub rest: Bytes,
}

impl Stranger {
    /// Nothing is heard of it yet.
    pub const fn new(stream: UnixStream) -> Self {
        Self { stream, heard: Vec::new() }
    }

    /// With what is there already, asking the kernel and not the runtime, which has not looked yet. Whoever says all of its
    /// line at once waits for nobody and is never one of many who have not.
    pub fn hear_at_once(mut self) -> Result<Greeted, Self> {
        let mut buffer = [0; wire::LONGEST];
        let got = match recv(self.stream.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
            Ok(got) => got,
            Err(Errno::EAGAIN | Errno::EINTR) => return Err(self),
            Err(_) => 0,
        };
        if self.hears(buffer.get(..got).unwrap_or_default()) { Ok(self.greeted()) } else { Err(self) }
    }

    /// Waits for the line's end, or the connection's.
    pub async fn hear(mut self) -> Greeted {
        let mut buffer = [0; 512];
        loop {
            let got = match self.stream.readable().await.and_then(|()| self.stream.try_read(&mut buffer)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                got => got.unwrap_or(0),
            };
            if self.hears(buffer.get(..got).unwrap_or_default()) {
                return self.greeted();
            }
        }
    }

    /// Whether that was enough: there is a line, or there will be none.
    fn hears(&mut self, bytes: &[u8]) -> bool {
        self.heard.extend_from_slice(bytes);
        bytes.is_empty() || bytes.contains(&b'\n') || self.heard.len() >= wire::LONGEST
    }

    fn greeted(self) -> Greeted {
        let end = self.heard.iter().take(wire::LONGEST).position(|byte| *byte == b'\n');
        let mut rest = Bytes::from(self.heard);
        let line = end.map(|end| {
            let line = rest.split_to(end).to_vec();
            rest.advance(1);
            line
        });
        Greeted { stream: self.stream, line, rest }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    type Heard = (Option<Vec<u8>>, Vec<u8>);

    async fn heard(pieces: &[&[u8]]) -> Heard {
        let (mut theirs, ours) = UnixStream::pair().unwrap();
        let mut pieces = pieces.iter();
        theirs.write_all(pieces.next().unwrap()).await.unwrap();
        let greeted = match Stranger::new(ours).hear_at_once() {
            Ok(greeted) => greeted,
            Err(stranger) => {
                let rest = async {
                    for piece in pieces {
                        // One that has heard enough hangs up.
                        let _ = theirs.write_all(piece).await;
                    }
                    drop(theirs);
                };
                tokio::join!(stranger.hear(), rest).0
            }
        };
        (greeted.line, greeted.rest.to_vec())
    }

    #[tokio::test]
    async fn a_line_is_heard_whole_or_in_pieces_and_what_follows_it_is_kept() {
        let line = Some(b"hello".to_vec());
        assert_eq!(heard(&[b"hello\nGET / HTTP/1.1\r\n"]).await, (line.clone(), b"GET / HTTP/1.1\r\n".to_vec()));
        assert_eq!(heard(&[b"hello\n"]).await, (line.clone(), Vec::new()));
        assert_eq!(heard(&[b"he", b"llo\nGET"]).await, (line, b"GET".to_vec()));
        assert_eq!(heard(&[b"\n"]).await.0, Some(Vec::new()));
    }

    #[tokio::test]
    async fn what_ends_or_goes_on_without_a_line_has_none() {
        assert_eq!(heard(&[b"hel"]).await.0, None);
        assert_eq!(heard(&[&[b'x'; wire::LONGEST * 2]]).await.0, None);
        assert_eq!(heard(&[b"x", &[b'x'; wire::LONGEST], b"\n"]).await.0, None);
        let (theirs, ours) = UnixStream::pair().unwrap();
        drop(theirs);
        assert_eq!(Stranger::new(ours).hear_at_once().ok().map(|greeted| greeted.line), Some(None));
    }
}
