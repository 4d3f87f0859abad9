//! An archive out of a sandbox onto this machine. Everything in it is taken for an attack.
//!
//! The rules, each of which holds by itself: every step down is an `openat` that follows no link, from a folder that
//! the operator named; a file is written under a name that nobody can guess and renamed into place, so that no link,
//! device or half a file is ever written through; a link is made only where every path through it stays inside;
//! bytes, entries and header lengths are counted as they come, whatever the headers promise.

mod folder;
mod link;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{Mode, SFlag, fchmod, fstat, fstatat, futimens};
use nix::sys::time::TimeSpec;
use nix::unistd::{LinkatFlags, linkat, symlinkat};
use tar::EntryType;

use super::pipe::Rationed;
use crate::backend::CopyReport;
use crate::failure::{Code, Failure, Result};
use crate::units::{Bytes, Untrusted, sanitise};
use folder::{Folder, Obstacle};

/// Files and folders that any copy may have.
const FREE_ENTRIES: u64 = 1000;
/// What each further one counts against the size that is allowed: an empty one costs a disk a block and an inode.
const ENTRY: u64 = 4 << 10;
/// Parts of a name at most: each is a folder on the way to the next, and is opened again for every entry below it.
const DEEPEST: usize = 256;
/// Bytes of headers for one entry: names, link targets and extended attributes.
const LONGEST_HEADER: u64 = 1 << 20;
/// Entries left out that are listed one by one.
const LISTED: usize = 100;
/// Bytes of a name that are listed.
const LONGEST_LISTED: usize = 500;
/// What is read and written at once.
const PIECE: usize = 64 * 1024;

/// What is copied where.
pub(super) struct Order {
    /// As the operator typed it.
    pub(super) local: PathBuf,
    /// Name of the thing in the container; `None` where only a folder's contents are wanted.
    pub(super) name: Option<OsString>,
    /// Its path there, for messages.
    pub(super) asked: String,
    /// Bytes of content at most.
    pub(super) max_size: Bytes,
}

/// Unpacks; what was written before a failure stays, and is whole file by file.
pub(super) fn unpack(reader: impl Read, order: &Order) -> Result<CopyReport> {
    let (reader, ration) = Rationed::new(reader);
    let mut archive = tar::Archive::new(reader);
    let mut entries = archive.entries().map_err(|error| broken(order, &error))?;
    let mut unpacker: Option<Unpacker<'_>> = None;
    loop {
        ration.set(LONGEST_HEADER);
        let Some(entry) = entries.next() else { break };
        let mut entry = entry.map_err(|error| broken(order, &error))?;
        // Content is bounded by what is left of the limit, and by one byte more, so that one too many is noticed.
        ration.set(u64::MAX);
        let unpacker = match &mut unpacker {
            Some(unpacker) => unpacker,
            none => none.insert(Unpacker::begin(order, &entry.path_bytes(), entry.header().entry_type())?),
        };
        unpacker.entry(&mut entry)?;
    }
    unpacker
        .map(Unpacker::report)
        .ok_or_else(|| Failure::new(Code::EngineError, format!("the engine sent nothing of '{}'", sanitise(&order.asked))))
}

struct Unpacker<'a> {
    order: &'a Order,
    anchor: Folder,
    /// First part of every name in the archive; `None` where its names begin at the contents.
    root: Option<OsString>,
    /// What that part is called here.
    renamed: Option<OsString>,
    left: u64,
    /// Entries read, and folders made.
    seen: u64,
    most: u64,
    /// Device and inode of each file written, the only ones that a hard link may name.
    written: HashSet<(u64, u64)>,
    report: CopyReport,
    left_out: u64,
}

impl<'a> Unpacker<'a> {
    /// Finds where to write, as `docker cp` does, once it is known whether the source is a folder.
    fn begin(order: &'a Order, first: &[u8], kind: EntryType) -> Result<Self> {
        let asked = sanitise(&order.asked);
        let local = if order.local.as_os_str().is_empty() { Path::new(".") } else { &order.local };
        let shown = sanitise(&local.to_string_lossy());
        let is_folder = kind.is_dir();
        if order.name.is_some() && !is_folder && !kind.is_file() && !kind.is_gnu_sparse() {
            let what = if kind.is_symlink() { "a link: copy what it leads to" } else { "neither a file nor a folder" };
            return Err(Failure::new(Code::Refused, format!("cannot copy '{asked}': it is {what}")));
        }
        let there = std::fs::metadata(local);
        let (anchor, renamed) = match (&there, &order.name) {
            (Ok(meta), name) if meta.is_dir() => (local, name.clone()),
            (Ok(_), _) if is_folder => {
                return Err(Failure::new(Code::Conflict, format!("cannot copy the folder '{asked}' over the file '{shown}'")));
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
        let root = match &order.name {
            Some(_) => parts(first).ok().and_then(|parts| parts.into_iter().next()),
            None => None,
        };
        Ok(Self {
            order,
            anchor,
            root,
            renamed,
            left: order.max_size.get(),
            seen: 0,
            most: (order.max_size.get() / ENTRY).max(FREE_ENTRIES),
            written: HashSet::new(),
            report: CopyReport { entries: 0, bytes: 0, skipped: Vec::new() },
            left_out: 0,
        })
    }

    fn report(mut self) -> CopyReport {
        if self.left_out > LISTED as u64 {
            self.report.skipped.push(Untrusted::new(format!("and {} more", self.left_out - LISTED as u64)));
        }
        self.report
    }

    fn entry(&mut self, entry: &mut tar::Entry<'_, impl Read>) -> Result<()> {
        self.seen += 1;
        if self.seen > self.most {
            return Err(self.too_much(&format!("it has more than {} files and folders", self.most)));
        }
        let raw = entry.path_bytes().into_owned();
        let outcome = match self.local_path(&raw) {
            Ok(path) => self.place(entry, &path),
            Err(why) => Err(Obstacle::Skip(why.into())),
        };
        match outcome {
            Ok(()) => {
                self.report.entries += 1;
                // A folder or a link has no content; one that says it has is read over, not into the next header.
                self.drain(entry)?;
            }
            Err(Obstacle::Skip(why)) => {
                self.left_out += 1;
                if self.report.skipped.len() < LISTED {
                    self.report.skipped.push(Untrusted::new(format!("{}: {why}", briefly(&raw))));
                }
                self.drain(entry)?;
            }
            Err(Obstacle::Stop(failure)) => return Err(failure),
        }
        Ok(())
    }

    /// A name in the archive as parts below the anchor; none for the contents' own folder.
    fn local_path(&self, name: &[u8]) -> Result<Vec<OsString>, &'static str> {
        let mut parts = parts(name)?;
        if self.order.name.is_none() {
            // The contents of a folder that is not there yet: it is made under its new name.
            if let Some(renamed) = &self.renamed {
                parts.insert(0, renamed.clone());
            }
            return Ok(parts);
        }
        if parts.first() != self.root.as_ref() {
            return Err("it is not part of what was asked for");
        }
        if let (Some(first), Some(renamed)) = (parts.first_mut(), &self.renamed) {
            first.clone_from(renamed);
        }
        Ok(parts)
    }

    fn place(&mut self, entry: &mut tar::Entry<'_, impl Read>, path: &[OsString]) -> Result<(), Obstacle> {
        let kind = entry.header().entry_type();
        let Some((name, above)) = path.split_last() else {
            return if kind.is_dir() { Ok(()) } else { Err(Obstacle::Skip("it stands where a folder should".into())) };
        };
        if kind.is_dir() {
            let mode = Mode::from_bits_truncate((entry.header().mode().unwrap_or(0o755) & 0o755) | 0o700);
            return self.anchor.make(path, mode, &mut self.seen).map(drop);
        }
        let folder = self.anchor.make(above, Mode::S_IRWXU, &mut self.seen)?;
        if kind.is_file() || kind.is_gnu_sparse() || kind == EntryType::Continuous {
            return self.file(entry, &folder, name);
        }
        let target = entry.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default();
        if kind.is_symlink() {
            // The renamed root, or the folder that takes the contents, is as far up as a link may lead.
            let depth = above.len() - usize::from(self.renamed.is_some() && !above.is_empty());
            let stays = link::stays_inside(&target, depth) && !(above.is_empty() && self.renamed.is_some());
            if !stays {
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
        let mut piece = vec![0; PIECE];
        let mut expected = entry.size();
        loop {
            let count = self.read(entry, &mut piece)?;
            if count == 0 {
                // An archive that ends within a file ends without an error.
                let cut = io::Error::from(io::ErrorKind::UnexpectedEof);
                return if expected == 0 { Ok(()) } else { Err(broken(self.order, &cut)) };
            }
            expected = expected.saturating_sub(count as u64);
            let bytes = piece.get(..count).unwrap_or_default();
            file.write_all(bytes).map_err(|error| Failure::io(format!("write to '{}'", self.order.local.display()), &error))?;
            self.report.bytes += count as u64;
        }
    }

    /// Reads over what is left out: it counts as well, since it had to come.
    fn drain(&mut self, entry: &mut tar::Entry<'_, impl Read>) -> Result<()> {
        let mut piece = vec![0; PIECE];
        while self.read(entry, &mut piece)? > 0 {}
        Ok(())
    }

    fn read(&mut self, entry: &mut tar::Entry<'_, impl Read>, piece: &mut [u8]) -> Result<usize> {
        let count = entry.read(piece).map_err(|error| broken(self.order, &error))?;
        self.left =
            self.left.checked_sub(count as u64).ok_or_else(|| self.too_much(&format!("it is larger than {}", self.order.max_size)))?;
        Ok(count)
    }

    fn hard_link(&self, folder: &Folder, name: &OsStr, target: &[u8]) -> Result<(), Obstacle> {
        let outside = || Obstacle::Skip("a hard link to something that is not in this copy".into());
        let path = self.local_path(target).map_err(|_| outside())?;
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

    fn too_much(&self, why: &str) -> Failure {
        Failure::new(Code::Refused, format!("the copy of '{}' was stopped: {why}", sanitise(&self.order.asked)))
            .detail(format!("written before that: {} files and folders, {}", self.report.entries, Bytes::new(self.report.bytes)))
            .hint("copy a part of it, or raise the limit")
    }
}

/// As much of a name as says which it is.
fn briefly(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name.get(..LONGEST_LISTED).unwrap_or(name)).into_owned();
    if name.len() > LONGEST_LISTED { text + "…" } else { text }
}

/// The parts of a name in an archive, or why it is not one.
fn parts(name: &[u8]) -> Result<Vec<OsString>, &'static str> {
    if name.starts_with(b"/") {
        return Err("its name is absolute");
    }
    let mut parts = Vec::new();
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return Err("its name leads out of the folder"),
            _ if has_control(part) => return Err("its name has control characters"),
            _ => parts.push(OsString::from_vec(part.to_vec())),
        }
        if parts.len() > DEEPEST {
            return Err("it lies too deep");
        }
    }
    Ok(parts)
}

/// Characters that a terminal obeys when the name is listed: controls, in UTF-8 or as single bytes, and those that turn the
/// writing around.
fn has_control(part: &[u8]) -> bool {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    part.iter().any(u8::is_ascii_control)
        || match std::str::from_utf8(part) {
            Ok(text) => text.chars().any(|c| c.is_control() || turns(c)),
            Err(_) => part.iter().any(|byte| matches!(byte, 0x80..=0x9f)),
        }
}

fn broken(order: &Order, error: &io::Error) -> Failure {
    Failure::new(Code::EngineError, format!("the archive of '{}' is damaged", sanitise(&order.asked))).detail(sanitise(&error.to_string()))
}

#[cfg(test)]
mod tests;
