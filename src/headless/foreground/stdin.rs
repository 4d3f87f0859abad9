use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use bytes::{Bytes, BytesMut};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::sync::mpsc;

/// One read. A pipe holds 64 KiB; a file gives more at once.
const CHUNK: usize = 128 << 10;
/// Chunks in flight: what is read while the engine takes the one before, and no more.
const IN_FLIGHT: usize = 4;

/// What our standard input gives, until it ends.
///
/// It is read by a thread of its own, which nobody waits for: a read from a terminal may never return, and must not keep
/// the program from ending.
pub fn standard_input() -> mpsc::Receiver<Bytes> {
    let (sender, receiver) = mpsc::channel(IN_FLIGHT);
    // Without the thread there is no input, which the command sees as its end.
    let _ = std::thread::Builder::new().name("stdin".into()).spawn(move || copy(io::stdin().as_fd(), &sender));
    receiver
}

/// Until the end, an error (a terminal that is gone, a folder), or until nobody listens.
fn copy(from: BorrowedFd<'_>, to: &mpsc::Sender<Bytes>) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.resize(CHUNK, 0);
        match nix::unistd::read(from, &mut buffer) {
            Ok(0) => return,
            Ok(count) => {
                // A short read leaves the rest of the allocation for the next one.
                let piece = if count < CHUNK / 4 { Bytes::copy_from_slice(&buffer[..count]) } else { buffer.split_to(count).freeze() };
                if to.blocking_send(piece).is_err() {
                    return;
                }
            }
            Err(Errno::EINTR) => {}
            // Somebody who shares it has set O_NONBLOCK.
            Err(Errno::EAGAIN) => {
                let mut fds = [PollFd::new(from, PollFlags::POLLIN)];
                if matches!(poll(&mut fds, PollTimeout::NONE), Err(error) if error != Errno::EINTR) {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn input_arrives_whole_from_a_pipe_and_ends_with_it() {
        let (reader, mut writer) = io::pipe().unwrap();
        let (sender, mut receiver) = mpsc::channel(IN_FLIGHT);
        let sent: Vec<u8> = (0..1_000_003u32).map(|n| (n % 251) as u8).collect();
        let copying = std::thread::spawn(move || copy(reader.as_fd(), &sender));
        let feeding = {
            let sent = sent.clone();
            std::thread::spawn(move || writer.write_all(&sent).unwrap())
        };
        let mut got = Vec::new();
        while let Some(piece) = receiver.blocking_recv() {
            got.extend_from_slice(&piece);
        }
        feeding.join().unwrap();
        copying.join().unwrap();
        assert!(got == sent);
    }

    #[test]
    fn a_folder_as_input_is_an_input_that_has_ended() {
        let (sender, mut receiver) = mpsc::channel(IN_FLIGHT);
        copy(std::fs::OpenOptions::new().read(true).open("/").unwrap().as_fd(), &sender);
        drop(sender);
        assert!(receiver.blocking_recv().is_none());
    }
}
