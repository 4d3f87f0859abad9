//! What is typed at the operator's terminal, read by whoever waits for it and no key more than that takes: whatever is typed after the
//! keys that leave is for the operator's shell.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::unix::AsyncFd;
#[cfg(test)]
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::tty;
use crate::failure::{Failure, Result};
use crate::terminal::typed::{Typed, Typing};

/// A sequence that a terminal sends comes within this, also over a slow line; what a person types does not.
const PAUSE: Duration = Duration::from_millis(25);
/// At most, in one read.
const PIECE: usize = 4096;

/// The operator's keys.
#[derive(Debug)]
pub struct Keyboard {
    from: From,
    typing: Typing,
    /// When a sequence that has begun is all that there is of it.
    pause_at: Option<Instant>,
    has_ended: bool,
}

#[derive(Debug)]
enum From {
    /// A terminal. Where its description is not our own, each read is asked for first: it must not wait, and must not be set not to.
    Terminal { terminal: AsyncFd<OwnedFd>, is_own: bool },
    #[cfg(test)]
    Test(mpsc::Receiver<Vec<Typed>>),
}

impl Keyboard {
    /// Of standard input.
    pub fn read(typing: Typing) -> Result<Self> {
        let own = tty::own_input();
        let is_own = own.is_ok();
        let terminal = own.or_else(|_| io::stdin().as_fd().try_clone_to_owned());
        terminal.and_then(|terminal| Self::of(terminal, is_own, typing)).map_err(|error| Failure::io("read the terminal", &error))
    }

    fn of(terminal: OwnedFd, is_own: bool, typing: Typing) -> io::Result<Self> {
        #[expect(deprecated, reason = "its successor is unsafe; the descriptor is its own, and lives as long")]
        let terminal = AsyncFd::with_interest(terminal, tokio::io::Interest::READABLE)?;
        Ok(Self { from: From::Terminal { terminal, is_own }, typing, pause_at: None, has_ended: false })
    }

    /// What a test types.
    #[cfg(test)]
    pub fn scripted() -> (mpsc::Sender<Vec<Typed>>, Self) {
        let (sender, typed) = mpsc::channel(64);
        let typing = Typing::new(&crate::terminal::typed::DetachKeys::default());
        (sender, Self { from: From::Test(typed), typing, pause_at: None, has_ended: false })
    }

    /// The next pieces; `None` when the terminal is gone. Nothing is read while nobody waits, and nothing is lost of who waits no more.
    pub async fn next(&mut self) -> Option<Vec<Typed>> {
        let (terminal, is_own) = match &mut self.from {
            From::Terminal { terminal, is_own } => (terminal, *is_own),
            #[cfg(test)]
            From::Test(typed) => return typed.recv().await,
        };
        loop {
            if self.has_ended {
                return None;
            }
            let mut out = Vec::new();
            let ready = match self.pause_at {
                Some(at) => timeout_at(at, terminal.readable()).await,
                None => Ok(terminal.readable().await),
            };
            match ready {
                Ok(Ok(mut ready)) => match take(terminal.get_ref(), is_own, &mut self.typing, &mut out) {
                    Come::Some => {}
                    Come::All => ready.clear_ready(),
                    Come::End => self.has_ended = true,
                },
                Ok(Err(_)) => self.has_ended = true,
                Err(_) => self.typing.pause(&mut out),
            }
            self.pause_at = self.typing.waits().then(|| Instant::now() + PAUSE);
            if !out.is_empty() {
                return Some(out);
            }
        }
    }
}

/// What became of a terminal's input when it was taken from.
enum Come {
    /// There may be more.
    Some,
    /// There is no more for now.
    All,
    /// There never will be: it is gone, or the keys that leave were typed.
    End,
}

/// Takes what is there.
fn take(terminal: &OwnedFd, is_own: bool, typing: &mut Typing, out: &mut Vec<Typed>) -> Come {
    let mut buffer = [0; PIECE];
    let mut taken = 0;
    while taken < PIECE {
        if !is_own && !has_some(terminal) {
            return Come::All;
        }
        // Byte for byte, so that nothing after the detach keys is taken; in a paste there are none.
        let most = if typing.is_paste() { PIECE } else { 1 };
        match nix::unistd::read(terminal, &mut buffer[..most]) {
            Ok(0) => return Come::End,
            Ok(count) => {
                taken += count;
                typing.push(&buffer[..count], out);
                if out.last() == Some(&Typed::Leave) {
                    return Come::End;
                }
            }
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => return Come::All,
            Err(_) => return Come::End,
        }
    }
    Come::Some
}

fn has_some(terminal: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(terminal.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count > 0)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use nix::fcntl::{FcntlArg, OFlag, fcntl};

    use super::*;
    use crate::terminal::typed::DetachKeys;

    /// A keyboard, whose keys are written into a pipe; and what reads after it.
    fn keyboard(is_own: bool) -> (io::PipeWriter, io::PipeReader, Keyboard) {
        let (shell, keys) = io::pipe().unwrap();
        let from = OwnedFd::from(shell.try_clone().unwrap());
        if is_own {
            fcntl(&from, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        }
        (keys, shell, Keyboard::of(from, is_own, Typing::new(&DetachKeys::default())).unwrap())
    }

    fn rest(mut shell: io::PipeReader) -> String {
        fcntl(&shell, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
        let mut rest = String::new();
        shell.read_to_string(&mut rest).unwrap();
        rest
    }

    #[tokio::test]
    async fn what_is_typed_after_the_detach_keys_stays_for_the_shell() {
        for is_own in [true, false] {
            let (mut keys, shell, mut keyboard) = keyboard(is_own);
            keys.write_all(b"vim\x10\x11ls -l\n").unwrap();
            assert_eq!(keyboard.next().await.unwrap(), [Typed::Keys(b"vim".to_vec()), Typed::Leave]);
            assert_eq!(keyboard.next().await, None, "it reads no more");
            drop((keys, keyboard));
            assert_eq!(rest(shell), "ls -l\n");
        }
    }

    #[tokio::test]
    async fn nothing_is_taken_while_nobody_waits_nor_lost_by_who_waits_no_more() {
        for is_own in [true, false] {
            let (mut keys, shell, mut keyboard) = keyboard(is_own);
            for _ in 0..3 {
                let waited = tokio::time::timeout(Duration::from_millis(5), keyboard.next()).await;
                assert!(waited.is_err(), "{waited:?}");
            }
            keys.write_all(b"a").unwrap();
            assert_eq!(keyboard.next().await.unwrap(), [Typed::Keys(b"a".to_vec())]);
            keys.write_all(b"mine").unwrap();
            drop((keys, keyboard));
            assert_eq!(rest(shell), "mine");
        }
    }

    #[tokio::test]
    async fn a_lone_escape_arrives_though_nothing_follows_and_whoever_is_heard_meanwhile() {
        let (mut keys, _shell, mut keyboard) = keyboard(true);
        keys.write_all(b"\x1b").unwrap();
        // As in a loop in which other things happen all the time.
        let typed = loop {
            tokio::select! {
                biased;
                typed = keyboard.next() => break typed,
                () = tokio::time::sleep(Duration::from_millis(2)) => {}
            }
        };
        assert_eq!(typed.unwrap(), [Typed::Keys(b"\x1b".to_vec())]);
        drop(keys);
        assert_eq!(keyboard.next().await, None, "the terminal is gone");
    }

    #[tokio::test]
    async fn all_of_a_long_paste_arrives() {
        let (mut keys, _shell, mut keyboard) = keyboard(true);
        let pasted = vec![b'x'; 50_000];
        let writing = std::thread::spawn(move || {
            keys.write_all(b"\x1b[200~").unwrap();
            keys.write_all(&vec![b'x'; 50_000]).unwrap();
            keys.write_all(b"\x1b[201~").unwrap();
            keys
        });
        let mut got = Vec::new();
        loop {
            for typed in keyboard.next().await.unwrap() {
                match typed {
                    Typed::Pasted(bytes) => got.extend(bytes),
                    Typed::PasteBegins => {}
                    Typed::PasteEnds => {
                        assert!(got == pasted);
                        drop(writing.join().unwrap());
                        return;
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}
