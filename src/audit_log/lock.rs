//! A lock on a file that is waited for, and not for good.

use std::fs::{File, TryLockError};
use std::io;
use std::sync::mpsc;
use std::time::Duration;

/// Whoever has it has it for a fraction of a millisecond, unless it was stopped: that must not hold up everybody else.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who else may have the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Nobody.
    Alone,
    /// Whoever reads too.
    Together,
}

/// Takes the lock; it is let go with the file.
pub fn wait(log: &File, held: Held) -> io::Result<()> {
    wait_for(log, held, PATIENCE)
}

fn wait_for(log: &File, held: Held, patience: Duration) -> io::Result<()> {
    let tried = match held {
        Held::Alone => log.try_lock(),
        Held::Together => log.try_lock_shared(),
    };
    match tried {
        Ok(()) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(error),
        Err(TryLockError::WouldBlock) => {}
    }
    // The kernel keeps the order of who waits, but knows no deadline. The lock is of what was opened, whichever descriptor asks.
    let (waiting, (tell, told)) = (log.try_clone()?, mpsc::channel());
    std::thread::Builder::new().name("audit-lock".to_owned()).spawn(move || {
        let locked = match held {
            Held::Alone => waiting.lock(),
            Held::Together => waiting.lock_shared(),
        };
        let _ = tell.send(locked);
    })?;
    let late = || io::Error::new(io::ErrorKind::TimedOut, "another palisade has held its lock for 5 s; is one stopped?");
    told.recv_timeout(patience).unwrap_or_else(|_| Err(late()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_it_for_good_holds_nobody_up_for_good() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let open = || File::options().create(true).append(true).read(true).open(&path).unwrap();
        let stopped = open();
        wait(&stopped, Held::Alone).unwrap();
        for held in [Held::Alone, Held::Together] {
            let late = wait_for(&open(), held, Duration::from_millis(20)).unwrap_err();
            assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        }
        drop(stopped);
        wait(&open(), Held::Alone).unwrap();
    }
}
