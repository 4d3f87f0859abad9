//! An archive out of a sandbox onto this machine. Everything in it is taken for an attack.
//!
//! The rules, each of which holds by itself: every step down is an `openat` that follows no link, from a folder that
//! the operator named; a file is written under a name that nobody can guess and renamed into place, so that no link,
//! device or half a file is ever written through; a link is made only where every path through it stays inside;
//! bytes, entries and header lengths are counted as they come, whatever the headers promise.

mod folder;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{Mode, SFlag, fchmod, fstat, fstatat, futimens};
use nix::sys::time::TimeSpec;
use nix::unistd::{LinkatFlags, linkat, symlinkat};
use tar::EntryType;

use super::incoming::{Origin, Tally, walk};
use super::name::{Naming, briefly};
use crate::backend::CopyReport;
use crate::failure::{Code, Failure, Result};
use crate::units::{Bytes, sanitise};
use folder::{Folder, Obstacle};

/// What is copied where.
pub(super) struct Order {
    /// As the operator typed it.
    pub(super) local: PathBuf,
    /// Name of the thing in the container; `None` where only a folder's contents are wanted.
    pub(super) name: Option<OsString>,
    /// Whose it is.
    pub(super) origin: Origin,
    /// Bytes of content at most.
    pub(super) max_size: Bytes,
}

/// Unpacks; what was written before a failure stays, and is whole file by file.
pub(super) fn unpack(reader: impl Read, order: &Order) -> Result<CopyReport> {
    let mut unpacker: Option<Unpacker<'_>> = None;
    walk(reader, &order.origin, |entry| {
        let unpacker = match &mut unpacker {
            Some(unpacker) => unpacker,
            none => none.insert(Unpacker::begin(order, &entry.path_bytes(), entry.header().entry_type())?),
        };
        unpacker.entry(entry)
    })?;
    unpacker.map(|unpacker| unpacker.tally.report()).ok_or_else(|| order.origin.silent())
}

struct Unpacker<'a> {
    order: &'a Order,
    anchor: Folder,
    naming: Naming,
    tally: Tally,
    /// Device and inode of each file written, the only ones that a hard link may name.
    written: HashSet<(u64, u64)>,
}

impl<'a> Unpacker<'a> {
    /// Finds where to write, as `docker cp` does, once it is known whether the source is a folder.
    fn begin(order: &'a Order, first: &[u8], kind: EntryType) -> Result<Self> {
        let asked = order.origin.shown();
        let local = if order.local.as_os_str().is_empty() { Path::new(".") } else { &order.local };
        let shown = sanitise(&local.to_string_lossy());
        let is_folder = kind.is_dir();
        if order.name.is_some() {
            order.origin.copyable(kind)?;
        }
        let there = std::fs::metadata(local);
        let (anchor, renamed) = match (&there, &order.name) {
            (Ok(meta), name) if meta.is_dir() => (local, name.clone()),
            (Ok(_), _) if is_folder => {
                return Err(Failure::new(Code::Conflict, format!("cannot copy the folder {asked} over the file '{shown}'")));
            }
            (Ok(meta), _) if !meta.is_file() => {
                return Err(Failure::new(Code::Conflict, format!("'{shown}' is neither a file nor a folder")));
            }
            (Err(error), _) if error.kind() != io::ErrorKind::NotFound => return Err(Failure::io(format!("look at '{shown}'"), error)),
            (Err(_), _) if !is_folder && local.as_os_str().as_bytes().ends_with(b"/") => {
                return Err(Failure::new(Code::NotFound, format!("there is no folder '{shown}'")));
            }
            _ => {
                let Some(name) = local.file_name() else {
                    return Err(Failure::new(Code::NotFound, format!("there is no folder '{shown}'")));
                };
                let parent = local.parent().filter(|parent| !parent.as_os_str().is_empty());
                (parent.unwrap_or(Path::new(".")), Some(name.to_owned()))
            }
        };
        let anchor = Folder::open(anchor).map_err(|error| Failure::io(format!("open the folder '{}'", anchor.display()), &error.into()))?;
        let naming = if order.name.is_some() { Naming::under(first, renamed) } else { Naming::Contents { made: renamed } };
        Ok(Self { order, anchor, naming, tally: Tally::new(&order.origin, order.max_size), written: HashSet::new() })
    }

    fn entry(&mut self, entry: &mut tar::Entry<'_, impl Read>) -> Result<()> {
        self.tally.entry()?;
        let raw = entry.path_bytes().into_owned();
        let outcome = match self.naming.place(&raw) {
            Ok(path) => self.place(entry, &path),
            Err(why) => Err(Obstacle::Skip(why.into())),
        };
        match outcome {
            Ok(()) => self.tally.taken(),
            Err(Obstacle::Skip(why)) => self.tally.skip(&raw, &why),
            Err(Obstacle::Stop(failure)) => return Err(failure),
        }
        // A folder or a link has no content; one that says it has is read over, not into the next header.
        self.tally.drain(entry)
    }

    fn place(&mut self, entry: &mut tar::Entry<'_, impl Read>, path: &[OsString]) -> Result<(), Obstacle> {
        let kind = entry.header().entry_type();
        let Some((name, above)) = path.split_last() else {
            return if kind.is_dir() { Ok(()) } else { Err(Obstacle::Skip("it stands where a folder should".into())) };
        };
        if kind.is_dir() {
            let mode = Mode::from_bits_truncate((entry.header().mode().unwrap_or(0o755) & 0o755) | 0o700);
            return self.anchor.make(path, mode, &mut self.tally.seen).map(drop);
        }
        let folder = self.anchor.make(above, Mode::S_IRWXU, &mut self.tally.seen)?;
        if kind.is_file() || kind.is_gnu_sparse() || kind == EntryType::Continuous {
            return self.file(entry, &folder, name);
        }
        let target = entry.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default();
        if kind.is_symlink() {
            if !self.naming.may_lead(above, &target) {
                return Err(Obstacle::Skip(format!("a link that leads outside, to {}", briefly(&target))));
            }
            return folder.put(name, |temporary| symlinkat(OsStr::from_bytes(&target), folder.fd(), temporary));
        }
        if kind.is_hard_link() {
            return self.hard_link(&folder, name, &target);
        }
        Err(Obstacle::Skip("it is a device, a pipe or nothing that this program knows".into()))
    }

    fn file(&mut self, entry: &mut tar::Entry<'_, impl Read>, folder: &Folder, name: &OsStr) -> Result<(), Obstacle> {
        let mode = Mode::from_bits_truncate((entry.header().mode().unwrap_or(0o644) & 0o755) | 0o600);
        let modified = i64::try_from(entry.header().mtime().unwrap_or(0)).unwrap_or(0);
        let mut written = None;
        let mut stopped = None;
        let put = folder.put(name, |temporary| {
            let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            let mut file = File::from(nix::fcntl::openat(folder.fd(), temporary, flags, Mode::S_IRUSR | Mode::S_IWUSR)?);
            if let Err(failure) = self.content(entry, &mut file) {
                stopped = Some(failure);
                return Err(nix::Error::ECANCELED);
            }
            fchmod(&file, mode)?;
            // A time that this file system cannot hold is no reason to lose the file.
            let _ = futimens(&file, &TimeSpec::new(modified, 0), &TimeSpec::new(modified, 0));
            let stat = fstat(&file)?;
            written = Some((stat.st_dev, stat.st_ino));
            Ok(())
        });
        if let Some(failure) = stopped {
            return Err(Obstacle::Stop(failure));
        }
        put?;
        self.written.extend(written);
        Ok(())
    }

    fn content(&mut self, entry: &mut tar::Entry<'_, impl Read>, file: &mut File) -> Result<()> {
        let failed = |error| Failure::io(format!("write to '{}'", self.order.local.display()), &error);
        self.tally.content(entry, |piece| file.write_all(piece).map_err(failed))
    }

    fn hard_link(&self, folder: &Folder, name: &OsStr, target: &[u8]) -> Result<(), Obstacle> {
        let outside = || Obstacle::Skip("a hard link to something that is not in this copy".into());
        let path = self.naming.place(target).map_err(|_| outside())?;
        let Some((file, above)) = path.split_last() else { return Err(outside()) };
        let from = self.anchor.find(above).map_err(|_| outside())?;
        let mine = |folder: &Folder, name: &OsStr| {
            fstatat(folder.fd(), name, AtFlags::AT_SYMLINK_NOFOLLOW).is_ok_and(|stat| {
                stat.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFREG.bits() && self.written.contains(&(stat.st_dev, stat.st_ino))
            })
        };
        if !mine(&from, file) {
            return Err(outside());
        }
        folder.put(name, |temporary| {
            linkat(from.fd(), file.as_os_str(), folder.fd(), temporary, LinkatFlags::empty())?;
            // Exchanged in between, by someone who may write here too.
            if mine(folder, temporary) { Ok(()) } else { Err(nix::Error::ELOOP) }
        })
    }
}

#[cfg(test)]
mod tests;
