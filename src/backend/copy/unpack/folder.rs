//! An open folder of this machine, and the only ways down from it: one name at a time, following no link.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{Mode, SFlag, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::failure::Failure;

/// Names tried for a file before it has its own.
const TRIES: u32 = 100;

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Why an entry was not written.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// This one only.
    Skip(String),
    /// And so nothing further.
    Stop(Failure),
}

impl From<nix::Error> for Obstacle {
    /// What the archive or the folder it goes to can bring about is an entry's matter; a full disk is not.
    fn from(error: nix::Error) -> Self {
        match error {
            nix::Error::ELOOP | nix::Error::ENOTDIR => Self::Skip("a file or a link stands where a folder should".into()),
            nix::Error::EISDIR | nix::Error::EEXIST | nix::Error::ENOTEMPTY => {
                Self::Skip("something else of that name stands there".into())
            }
            nix::Error::ENAMETOOLONG => Self::Skip("its name is too long for this file system".into()),
            nix::Error::EINVAL | nix::Error::EILSEQ => Self::Skip("this file system does not take its name".into()),
            nix::Error::EMLINK | nix::Error::EXDEV => Self::Skip("this file system does not take such a link".into()),
            other => Self::Stop(Failure::io("write the copy", &other.into())),
        }
    }
}

/// An open folder.
pub(super) struct Folder(OwnedFd);

const DOWN: OFlag = OFlag::O_PATH.union(OFlag::O_DIRECTORY).union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

impl Folder {
    /// The folder that the operator named: links on the way to it are the operator's own.
    pub(super) fn open(path: &Path) -> nix::Result<Self> {
        nix::fcntl::open(path, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty()).map(Self)
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// A folder further down that is there.
    pub(super) fn find(&self, path: &[OsString]) -> nix::Result<Self> {
        let mut folder = Self(openat(&self.0, ".", DOWN, Mode::empty())?);
        for name in path {
            folder = Self(openat(&folder.0, name.as_os_str(), DOWN, Mode::empty())?);
        }
        Ok(folder)
    }

    /// A folder further down, made where it is not there; each that is made counts, also where it comes to nothing.
    pub(super) fn make(&self, path: &[OsString], mode: Mode, count: &mut u64) -> Result<Self, Obstacle> {
        let mut folder = Self(openat(&self.0, ".", DOWN, Mode::empty())?);
        for name in path {
            let name = name.as_os_str();
            let below = match openat(&folder.0, name, DOWN, Mode::empty()) {
                Err(nix::Error::ENOENT) => {
                    match mkdirat(&folder.0, name, mode) {
                        Ok(()) => *count += 1,
                        Err(nix::Error::EEXIST) => {}
                        Err(error) => return Err(error.into()),
                    }
                    openat(&folder.0, name, DOWN, Mode::empty())
                }
                other => other,
            };
            folder = Self(below?);
        }
        Ok(folder)
    }

    /// Makes something under a name of its own and renames it into place: whole, or not at all, and never through
    /// what stood there before.
    pub(super) fn put(&self, name: &OsStr, make: impl FnMut(&OsStr) -> nix::Result<()>) -> Result<(), Obstacle> {
        if !self.may_replace(name) {
            return Err(Obstacle::Skip("a folder, a device or a pipe of that name stands there".into()));
        }
        let temporary = self.fresh(make)?;
        let renamed = renameat(&self.0, temporary.as_os_str(), &self.0, name);
        // Where both are one file already, a rename does nothing and leaves both.
        if renamed.is_err() || self.exists(&temporary) {
            let _ = unlinkat(&self.0, temporary.as_os_str(), UnlinkatFlags::NoRemoveDir);
        }
        renamed.map_err(Obstacle::from)
    }

    fn fresh(&self, mut make: impl FnMut(&OsStr) -> nix::Result<()>) -> Result<OsString, Obstacle> {
        for _ in 0..TRIES {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let temporary = OsString::from(format!(".palisade-{}-{number}.part", std::process::id()));
            match make(&temporary) {
                Ok(()) => return Ok(temporary),
                Err(nix::Error::EEXIST) => {}
                Err(error) => {
                    let _ = unlinkat(&self.0, temporary.as_os_str(), UnlinkatFlags::NoRemoveDir);
                    return Err(error.into());
                }
            }
        }
        Err(nix::Error::EEXIST.into())
    }

    fn exists(&self, name: &OsStr) -> bool {
        fstatat(&self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW).is_ok()
    }

    /// Nothing there, a file, or a link: `/dev/null` is not to become a file.
    fn may_replace(&self, name: &OsStr) -> bool {
        fstatat(&self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW)
            .map_or(true, |stat| matches!(SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT, SFlag::S_IFREG | SFlag::S_IFLNK))
    }
}
