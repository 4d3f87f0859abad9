//! Where things lie on the disk: `blobs/ab/<sha256>`, `aliases/<algorithm>/ab/<digest>`, `tmp/<number>`. Knows names and how to
//! open them without being led elsewhere; nothing of what is in them.
#![expect(clippy::disallowed_methods, reason = "the store's own folders are made and emptied here")]

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, DirEntry, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use nix::fcntl::OFlag;

use super::key::Key;
use super::signature::Signature;
use crate::depot::promise::{Algorithm, Digest};

/// Algorithms by which a promise is an alias of a blob.
pub(super) const ALIASED: [Algorithm; 3] = [Algorithm::Sha1, Algorithm::Sha384, Algorithm::Sha512];

pub(super) struct Places {
    root: PathBuf,
    next: AtomicU64,
}

impl Places {
    /// Makes what is not there. A link or a file where a folder belongs is removed, never followed.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let places = Self { root: root.to_owned(), next: AtomicU64::new(0) };
        for folder in [places.blobs(), places.temporaries(), places.root.join("aliases")] {
            make_folder(&folder)?;
        }
        for algorithm in ALIASED {
            make_folder(&places.aliases(algorithm))?;
        }
        Ok(places)
    }

    pub(super) fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    pub(super) fn temporaries(&self) -> PathBuf {
        self.root.join("tmp")
    }

    pub(super) fn aliases(&self, algorithm: Algorithm) -> PathBuf {
        self.root.join("aliases").join(algorithm.name())
    }

    /// When what was last used.
    pub(super) fn usage(&self) -> PathBuf {
        self.root.join("store.usage")
    }

    pub(super) fn blob(&self, key: &Key) -> PathBuf {
        sharded(&self.blobs(), &key.digest().hex())
    }

    pub(super) fn alias(&self, digest: &Digest) -> PathBuf {
        sharded(&self.aliases(digest.algorithm()), &digest.hex())
    }

    /// A blob's file as it is on the disk now.
    pub(super) fn open_blob(&self, key: &Key) -> io::Result<(File, Signature)> {
        open_plain(&self.blob(key))
    }

    /// A new file that nobody else knows.
    pub(super) fn temporary(&self) -> io::Result<(PathBuf, File)> {
        loop {
            let path = self.temporaries().join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
            match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                file => return Ok((path, file?)),
            }
        }
    }
}

/// Opens a plain file for reading: a link, a pipe or a folder is an error, and never waited for.
pub(super) fn open_plain(path: &Path) -> io::Result<(File, Signature)> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
    let data = file.metadata()?;
    if !data.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a plain file"));
    }
    Ok((file, Signature::of(&data)))
}

/// Gives a file its final name; the folder it belongs in is made when it is first needed.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(folder) = to.parent() {
                make_folder(folder)?;
            }
            fs::rename(from, to)
        }
        other => other,
    }
}

/// Removes whatever has this name, folders with all that is in them; links are removed, not followed. What cannot be removed stays.
pub(super) fn remove_anything(path: &Path) {
    // Failing is no reason not to serve: nothing here is ever read by a name that was not checked.
    if fs::remove_file(path).is_err() {
        let _ = fs::remove_dir_all(path);
    }
}

/// Removes a file; whether it was there.
pub(super) fn remove(path: &Path) -> bool {
    fs::remove_file(path).is_ok()
}

/// What is in a folder, one at a time; nothing where there is no folder.
pub(super) fn entries(folder: &Path) -> io::Result<impl Iterator<Item = io::Result<DirEntry>> + use<>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        entries => Some(entries?),
    };
    Ok(entries.into_iter().flatten())
}

/// Whether a folder's name is one of the 256 that spread files out.
pub(super) fn is_shard(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.len() == 2 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}

/// All 256 of them.
pub(super) fn shards() -> impl Iterator<Item = String> {
    (0..=u8::MAX).map(|byte| format!("{byte:02x}"))
}

fn sharded(folder: &Path, hex: &str) -> PathBuf {
    folder.join(hex.get(..2).unwrap_or_default()).join(hex)
}

fn make_folder(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => return Ok(()),
        Ok(_) => fs::remove_file(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // Another fetch made it first.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}
