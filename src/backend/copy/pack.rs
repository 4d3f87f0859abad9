//! A local file or folder into an archive. Links are packed as links and never followed, except the one that the
//! operator names: a folder may change under the copy, by the hand of a sandbox that has it as its workspace.

use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bytes::Bytes as Chunk;
use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};
use tokio::sync::mpsc;

use super::pipe::ChunkWriter;
use crate::backend::CopyReport;
use crate::failure::{Code, Failure, Result};
use crate::units::{Untrusted, sanitise};

/// Folders within folders; each costs a descriptor while it is open.
const DEEPEST: usize = 200;
/// Entries left out that are listed one by one.
const LISTED: usize = 100;
/// What fails where nothing else is to blame.
const PACKING: &str = "pack the files";

/// Why packing ended early.
#[derive(Debug)]
pub(super) enum Stopped {
    /// Nobody receives the archive any more: the engine knows why.
    Unheard,
    /// Something here failed.
    Failed(Failure),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Stopped {
    /// What could not be written, and where that was not the reader's doing, while doing what.
    pub(super) fn of(error: &io::Error, doing: &str) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Unheard } else { Self::Failed(Failure::io(doing, error)) }
    }
}

/// What is packed: open, so that it cannot be exchanged between being looked at and being read.
#[derive(Debug)]
pub(super) struct Source {
    file: File,
    stat: FileStat,
    path: PathBuf,
    name: Option<OsString>,
}

impl Source {
    /// Opens what the operator named.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let shown = sanitise(&path.to_string_lossy());
        let fail = |error: nix::Error| {
            let failure = Failure::io(format!("read '{shown}'"), &error.into());
            if error == nix::Error::ENOENT { Failure { code: Code::NotFound, ..failure } } else { failure }
        };
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
        let opened = nix::fcntl::open(path, flags, Mode::empty()).map_err(fail)?;
        let stat = fstat(&opened).map_err(fail)?;
        if !matches!(kind(&stat), SFlag::S_IFREG | SFlag::S_IFDIR) {
            return Err(Failure::new(Code::Usage, format!("'{shown}' is neither a file nor a folder")));
        }
        let contents = path.as_os_str().as_bytes().ends_with(b"/.");
        let name = if contents {
            None
        } else if let Some(name) = path.file_name() {
            Some(name.to_owned())
        } else {
            // `.` and `..` have a name only where they really are.
            let real = path.canonicalize().map_err(|error| Failure::io(format!("read '{shown}'"), &error))?;
            real.file_name().map(OsStr::to_owned)
        };
        Ok(Self { file: File::from(opened), stat, path: path.to_owned(), name })
    }

    pub(super) fn is_folder(&self) -> bool {
        kind(&self.stat) == SFlag::S_IFDIR
    }

    /// Its own name; `None` where only its contents are meant.
    pub(super) fn name(&self) -> Option<&OsStr> {
        self.name.as_deref()
    }

    /// Packs it under `root`, or its contents where that is `None`, as files of `owner`.
    pub(super) fn pack(
        self,
        root: Option<&OsStr>,
        owner: (u32, u32),
        sender: &mpsc::Sender<io::Result<Chunk>>,
    ) -> Result<CopyReport, Stopped> {
        let report = CopyReport { entries: 0, bytes: 0, skipped: Vec::new() };
        let mut packer = Packer { builder: tar::Builder::new(ChunkWriter::new(sender.clone())), owner, report, left_out: 0 };
        let outcome = packer.top(self, root).and_then(|()| packer.finish());
        if let Err(Stopped::Failed(failure)) = &outcome {
            // Before the builder ends the archive as if it were whole.
            let _ = sender.blocking_send(Err(io::Error::other(failure.clone())));
        }
        outcome.map(|()| packer.report)
    }
}

struct Packer {
    builder: tar::Builder<ChunkWriter>,
    owner: (u32, u32),
    report: CopyReport,
    left_out: u64,
}

impl Packer {
    fn top(&mut self, source: Source, root: Option<&OsStr>) -> Result<(), Stopped> {
        let inside = root.map_or_else(PathBuf::new, PathBuf::from);
        if !source.is_folder() {
            return self.file(source.file, &source.stat, &source.path, &inside);
        }
        if root.is_some() {
            self.header(tar::EntryType::Directory, &source.stat, 0, |builder, header| builder.append_data(header, &inside, io::empty()))?;
        }
        self.folder(&source.file.into(), &source.path, &inside, 0)
    }

    fn folder(&mut self, folder: &OwnedFd, local: &Path, inside: &Path, depth: usize) -> Result<(), Stopped> {
        if depth == DEEPEST {
            self.skip(local, "too many folders within each other");
            return Ok(());
        }
        for name in names(folder, local)? {
            let path = local.join(&name);
            let entry = inside.join(&name);
            let name = name.as_os_str();
            let stat = match fstatat(folder, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                // Gone since the folder was listed: it might as well never have been there.
                Err(nix::Error::ENOENT) => continue,
                Err(error) => return Err(unreadable(&path, error)),
            };
            match kind(&stat) {
                SFlag::S_IFREG => match open_in(folder, name, OFlag::O_NONBLOCK, &path)? {
                    Some((opened, stat)) if kind(&stat) == SFlag::S_IFREG => self.file(File::from(opened), &stat, &path, &entry)?,
                    _ => self.skip(&path, "it changed while it was copied"),
                },
                SFlag::S_IFDIR => match open_in(folder, name, OFlag::O_DIRECTORY, &path)? {
                    Some((opened, stat)) => {
                        self.header(tar::EntryType::Directory, &stat, 0, |builder, header| {
                            builder.append_data(header, &entry, io::empty())
                        })?;
                        self.folder(&opened, &path, &entry, depth + 1)?;
                    }
                    None => self.skip(&path, "it changed while it was copied"),
                },
                SFlag::S_IFLNK => match readlinkat(folder, name) {
                    Ok(target) => {
                        self.header(tar::EntryType::Symlink, &stat, 0, |builder, header| builder.append_link(header, &entry, &target))?;
                    }
                    Err(_) => self.skip(&path, "it changed while it was copied"),
                },
                _ => self.skip(&path, "it is a device, a pipe or a socket"),
            }
        }
        Ok(())
    }

    fn file(&mut self, file: File, stat: &FileStat, local: &Path, inside: &Path) -> Result<(), Stopped> {
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let mut exact = Exact { inner: file.take(size), left: size };
        let written = self.header(tar::EntryType::Regular, stat, size, |builder, header| builder.append_data(header, inside, &mut exact));
        match written {
            Err(Stopped::Failed(failure)) => Err(Stopped::Failed(failure.detail(format!("file: {}", sanitise(&local.to_string_lossy()))))),
            other => {
                self.report.bytes += size;
                other
            }
        }
    }

    fn header(
        &mut self,
        kind: tar::EntryType,
        stat: &FileStat,
        size: u64,
        append: impl FnOnce(&mut tar::Builder<ChunkWriter>, &mut tar::Header) -> io::Result<()>,
    ) -> Result<(), Stopped> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        // No set-id bit goes in.
        header.set_mode(stat.st_mode & 0o777);
        header.set_mtime(u64::try_from(stat.st_mtime).unwrap_or(0));
        header.set_uid(self.owner.0.into());
        header.set_gid(self.owner.1.into());
        append(&mut self.builder, &mut header).map_err(|error| Stopped::of(&error, PACKING))?;
        self.report.entries += 1;
        Ok(())
    }

    fn skip(&mut self, local: &Path, why: &str) {
        self.left_out += 1;
        if self.report.skipped.len() < LISTED {
            self.report.skipped.push(Untrusted::new(format!("{}: {why}", local.display())));
        }
    }

    fn finish(&mut self) -> Result<(), Stopped> {
        if self.left_out > LISTED as u64 {
            self.report.skipped.push(Untrusted::new(format!("and {} more", self.left_out - LISTED as u64)));
        }
        self.builder.finish().and_then(|()| io::Write::flush(self.builder.get_mut())).map_err(|error| Stopped::of(&error, PACKING))
    }
}

/// Reads exactly what the header promised: a file that shrinks must not shift all that follows it.
struct Exact<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Exact<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        if count == 0 && self.left > 0 && !into.is_empty() {
            return Err(io::Error::other("it became shorter while it was copied"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

fn kind(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

/// Opens an entry without following a link that may have taken its place since; `None` where something else has.
fn open_in(folder: &OwnedFd, name: &OsStr, flag: OFlag, path: &Path) -> Result<Option<(OwnedFd, FileStat)>, Stopped> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NOCTTY | flag;
    match openat(folder, name, flags, Mode::empty()) {
        Ok(opened) => {
            let stat = fstat(&opened).map_err(|error| unreadable(path, error))?;
            Ok(Some((opened, stat)))
        }
        Err(nix::Error::ELOOP | nix::Error::ENOTDIR | nix::Error::ENOENT | nix::Error::ENXIO) => Ok(None),
        Err(error) => Err(unreadable(path, error)),
    }
}

/// The names in a folder, in order, so that equal folders give equal archives.
fn names(folder: &OwnedFd, local: &Path) -> Result<Vec<OsString>, Stopped> {
    let own = openat(folder.as_fd(), ".", OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty());
    let mut listing = own.and_then(Dir::from_fd).map_err(|error| unreadable(local, error))?;
    let mut names = Vec::new();
    for entry in listing.iter() {
        let entry = entry.map_err(|error| unreadable(local, error))?;
        let name: &CStr = entry.file_name();
        if !matches!(name.to_bytes(), b"." | b"..") {
            names.push(OsStr::from_bytes(name.to_bytes()).to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn unreadable(path: &Path, error: nix::Error) -> Stopped {
    Stopped::Failed(Failure::io(format!("read '{}'", path.display()), &error.into()))
}
