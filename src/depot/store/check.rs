//! Finding a blob by what was promised, and proving it: all of it is read and hashed when it is first asked for, and again
//! whenever its file has changed since. Whoever asks meanwhile waits for the same proof. What fails is removed.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use super::Found;
use super::alias::Alias;
use super::blob::Blob;
use super::core::{Core, lock};
use super::key::Key;
use super::places;
use super::signature::Signature;
use super::sums::Sums;
use crate::depot::promise::Digest;

/// A proof under way.
pub(super) type Check = Shared<BoxFuture<'static, Result<Found, Arc<io::Error>>>>;

/// Read and hashed in one go on a blocking thread: a few milliseconds, so that others get their turn.
const STEP: u64 = 1024 * 1024;
const BUFFER: usize = 64 * 1024;

/// What a promise leads to before anything is read.
pub(super) enum Seen {
    Missing,
    Damaged,
    Proved(Blob),
    Unproved(Suspect),
}

/// A blob that may or may not be what its names say.
pub(super) struct Suspect {
    pub(super) key: Key,
    file: Arc<File>,
    signature: Signature,
}

impl Core {
    pub(super) async fn get(self: &Arc<Self>, digest: &Digest) -> io::Result<Found> {
        let wanted = digest.clone();
        match self.blocking(move |core| core.see(&wanted)).await? {
            Seen::Missing => Ok(Found::Missing),
            Seen::Damaged => Ok(Found::Damaged),
            Seen::Proved(blob) => Ok(Found::Whole(blob)),
            Seen::Unproved(_) => self.check(digest).await.map_err(|error| io::Error::new(error.kind(), error)),
        }
    }

    /// The proof under way, or a new one. It goes on when who asked for it leaves.
    fn check(self: &Arc<Self>, digest: &Digest) -> Check {
        let mut checks = lock(&self.checks);
        if let Some(check) = checks.get(digest) {
            return check.clone();
        }
        let ending = Ending { core: Arc::clone(self), digest: digest.clone() };
        let task = tokio::spawn(async move {
            let _permit = ending.core.permits.acquire().await.map_err(io::Error::other)?;
            let wanted = ending.digest.clone();
            match ending.core.blocking(move |core| core.see(&wanted)).await? {
                Seen::Missing => Ok(Found::Missing),
                Seen::Damaged => Ok(Found::Damaged),
                Seen::Proved(blob) => Ok(Found::Whole(blob)),
                Seen::Unproved(suspect) => ending.core.examine(suspect, &ending.digest).await,
            }
        });
        let check = async move { task.await.map_err(io::Error::other).and_then(|done| done).map_err(Arc::new) };
        let check = check.boxed().shared();
        checks.insert(digest.clone(), check.clone());
        check
    }

    /// What a promise leads to, by one look at the disk. Blocks.
    pub(super) fn see(self: &Arc<Self>, digest: &Digest) -> io::Result<Seen> {
        let seen = self.suspect(digest)?;
        let Seen::Unproved(suspect) = seen else { return Ok(seen) };
        if !lock(&self.stock).is_proved(&suspect.key, &suspect.signature, digest) {
            return Ok(Seen::Unproved(suspect));
        }
        self.touch(&suspect.key);
        Ok(Seen::Proved(self.blob(&suspect)))
    }

    /// The same, but takes no proof for granted.
    pub(super) fn suspect(&self, digest: &Digest) -> io::Result<Seen> {
        let (key, size) = match Key::of(digest) {
            Some(key) => (key, None),
            None => match Alias::read(&self.places, digest) {
                Ok(alias) => (alias.key, Some(alias.size)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Seen::Missing),
                Err(error) if is_passing(&error) => return Err(error),
                Err(_) => return Ok(self.wrong_alias(digest)),
            },
        };
        let Some(known) = lock(&self.stock).size(&key) else {
            if size.is_some() {
                self.remove_stray(digest);
            }
            return Ok(Seen::Missing);
        };
        if size.is_some_and(|size| size != known) {
            return Ok(self.wrong_alias(digest));
        }
        match self.places.open_blob(&key) {
            Ok((file, signature)) => Ok(Seen::Unproved(Suspect { key, file: Arc::new(file), signature })),
            Err(error) if is_passing(&error) => Err(error),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.forget(&key);
                Ok(Seen::Missing)
            }
            Err(_) => {
                self.remove_damaged(&key, None, digest);
                Ok(Seen::Damaged)
            }
        }
    }

    /// Reads all of a blob and compares it with its name and with the promise.
    pub(super) async fn examine(self: &Arc<Self>, suspect: Suspect, digest: &Digest) -> io::Result<Found> {
        let (mut sums, mut at) = (Sums::new(digest.algorithm()), 0);
        let is_readable = loop {
            let file = Arc::clone(&suspect.file);
            let step;
            (sums, step) = self.blocking(move |_| Ok(read_some(&file, at, sums))).await?;
            match step {
                Ok(0) => break true,
                Ok(count) => at += count,
                // A medium that cannot read it will not serve it either.
                Err(_) => break false,
            }
        };
        let wanted = digest.clone();
        self.blocking(move |core| {
            let (key, got) = sums.finish();
            let is_still = is_readable && suspect.file.metadata().is_ok_and(|data| suspect.signature.holds(&data));
            if !is_still || key != suspect.key {
                core.remove_damaged(&suspect.key, Some(suspect.signature.inode), &wanted);
                return Ok(Found::Damaged);
            }
            if got != wanted {
                lock(&core.stock).prove(&key, suspect.signature, &key.digest());
                core.wrong_alias(&wanted);
                return Ok(Found::Damaged);
            }
            lock(&core.stock).prove(&key, suspect.signature, &wanted);
            core.touch(&key);
            Ok(Found::Whole(core.blob(&suspect)))
        })
        .await
    }

    fn blob(&self, suspect: &Suspect) -> Blob {
        Blob::at_hand(Arc::clone(&suspect.file), &suspect.key, suspect.signature, Arc::clone(&self.pace))
    }

    /// A promise leads to what it does not describe: it alone is wrong.
    fn wrong_alias(&self, digest: &Digest) -> Seen {
        let _names = lock(&self.names);
        self.remove_alias(digest);
        lock(&self.stock).damaged += 1;
        Seen::Damaged
    }

    /// Removes a blob, and the alias that led to it, unless another fetch has replaced it meanwhile.
    fn remove_damaged(&self, key: &Key, inode: Option<u64>, digest: &Digest) {
        let _names = lock(&self.names);
        lock(&self.stock).damaged += 1;
        let now = self.places.open_blob(key).ok().map(|(_, signature)| signature.inode);
        if inode.is_some() && now.is_some() && inode != now {
            return;
        }
        let victim = lock(&self.stock).remove(key);
        places::remove_anything(&self.places.blob(key));
        if let Some(victim) = victim {
            self.unlink(&victim);
        }
        if Key::of(digest).is_none() {
            self.remove_alias(digest);
        }
    }

    /// A blob that is no longer on the disk.
    fn forget(&self, key: &Key) {
        let _names = lock(&self.names);
        if self.places.open_blob(key).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            lock(&self.stock).remove(key);
        }
    }
}

/// Whether an error says nothing about the file.
fn is_passing(error: &io::Error) -> bool {
    use nix::errno::Errno;
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(errno, Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::EINTR | Errno::EAGAIN))
}

/// One step; how many bytes it read, 0 at the end.
fn read_some(file: &File, from: u64, mut sums: Sums) -> (Sums, io::Result<u64>) {
    let mut buffer = vec![0; BUFFER];
    let mut done = 0;
    while done < STEP {
        match file.read_at(&mut buffer, from.saturating_add(done)) {
            Ok(0) => break,
            Ok(count) => {
                sums.update(buffer.get(..count).unwrap_or_default());
                done += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (sums, Err(error)),
        }
    }
    (sums, Ok(done))
}

/// Takes a proof off the list however it ends.
struct Ending {
    core: Arc<Core>,
    digest: Digest,
}

impl Drop for Ending {
    fn drop(&mut self) {
        lock(&self.core.checks).remove(&self.digest);
    }
}
