//! An archive made anew from the checked entries of another, so that nobody's own bytes reach whoever unpacks it.
//!
//! What is written holds for any program that unpacks it into an empty folder, one that follows every link included: names are relative
//! and go down only, a name is one kind of thing from first to last, nothing lies below a link, a link leads nowhere but into the archive,
//! a hard link names a file that came before it. There are no devices and pipes, no set-id bits, no write permission for others, no
//! extended attributes, and one owner that is not the sender's to choose.

mod tree;
mod write;

use std::ffi::OsString;
use std::io::{self, Read, Write};

use tar::EntryType;

use super::incoming::{Origin, Tally, walk};
use super::name::{Naming, briefly, joined};
use super::pack::Stopped;
use crate::backend::CopyReport;
use crate::failure::{Failure, Result};
use crate::units::Bytes;
use tree::{Tree, What};
use write::{Archive, Head, SHORT};

/// The longest name and link target that a kernel takes.
const LONGEST: usize = 4095;
/// The longest part of one.
const LONGEST_PART: usize = 255;
/// The last second that a header can hold in digits; what is later is a lie, or a sender's joke.
const LATEST: u64 = 0o77_777_777_777;

/// What is made of what.
pub(super) struct Order {
    /// What the archive's root is called; `None` where its names are kept.
    pub(super) name: Option<OsString>,
    /// Whose it is.
    pub(super) origin: Origin,
    /// Bytes of content at most.
    pub(super) max_size: Bytes,
    /// Whose everything in it will be.
    pub(super) owner: (u32, u32),
}

/// Reads one archive and writes the other; one that is not whole is left so that it cannot be taken for a whole one.
pub(super) fn remake(reader: impl Read, order: &Order, writer: impl Write) -> Result<CopyReport, Stopped> {
    let naming = order.name.is_none().then_some(Naming::Contents { made: None });
    let mut maker =
        Maker { order, naming, tally: Tally::new(&order.origin, order.max_size), tree: Tree::default(), archive: Archive::new(writer) };
    let outcome = walk(reader, &order.origin, |entry| maker.entry(entry)).and_then(|()| match maker.naming {
        Some(_) => maker.archive.finish().map_err(|error| unwritten(&error)),
        None => Err(order.origin.silent().into()),
    });
    if let Err(Stopped::Failed(_)) = &outcome {
        maker.archive.spoil();
    }
    outcome.map(|()| maker.tally.report())
}

struct Maker<'a, W: Write> {
    order: &'a Order,
    naming: Option<Naming>,
    tally: Tally,
    tree: Tree,
    archive: Archive<W>,
}

/// Why an entry is not in the new archive.
enum Obstacle {
    Skip(String),
    Stop(Stopped),
}

impl From<&str> for Obstacle {
    fn from(why: &str) -> Self {
        Self::Skip(why.to_owned())
    }
}

impl From<Failure> for Obstacle {
    fn from(failure: Failure) -> Self {
        Self::Stop(Stopped::Failed(failure))
    }
}

impl From<io::Error> for Obstacle {
    fn from(error: io::Error) -> Self {
        Self::Stop(unwritten(&error))
    }
}

impl<W: Write> Maker<'_, W> {
    fn entry(&mut self, entry: &mut tar::Entry<'_, impl Read>) -> Result<(), Stopped> {
        self.tally.entry()?;
        let raw = entry.path_bytes().into_owned();
        if self.naming.is_none() {
            self.order.origin.copyable(entry.header().entry_type())?;
            self.naming = Some(Naming::under(&raw, self.order.name.clone()));
        }
        match self.place(entry, &raw) {
            Ok(()) => {}
            Err(Obstacle::Skip(why)) => self.tally.skip(&raw, &why),
            Err(Obstacle::Stop(stopped)) => return Err(stopped),
        }
        // A folder or a link has no content; one that says it has is read over, not into the next header.
        Ok(self.tally.drain(entry)?)
    }

    fn place(&mut self, entry: &mut tar::Entry<'_, impl Read>, raw: &[u8]) -> Result<(), Obstacle> {
        let Some(naming) = &self.naming else { return Ok(()) };
        let path = naming.place(raw)?;
        let kind = entry.header().entry_type();
        let Some((_, above)) = path.split_last() else {
            // The folder that takes the contents is not theirs to change.
            return if kind.is_dir() { Ok(()) } else { Err("it stands where a folder should".into()) };
        };
        let name = joined(&path);
        if name.len() > LONGEST || path.iter().any(|part| part.len() > LONGEST_PART) {
            return Err("its name is too long".into());
        }
        let target = entry.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default();
        let mode = entry.header().mode().unwrap_or(0o755) & 0o755;
        let mut head = Head {
            kind: EntryType::Regular,
            mode,
            modified: entry.header().mtime().map_or(0, |at| at.min(LATEST)),
            owner: self.order.owner,
            name: &name,
            target: &[],
            size: 0,
        };
        if kind.is_dir() {
            self.settle(&path, head.modified, What::Folder)?;
            head = Head { kind: EntryType::Directory, mode: mode | 0o700, ..head };
        } else if kind.is_file() || kind.is_gnu_sparse() || kind == EntryType::Continuous {
            self.tally.has_room_for(entry.size())?;
            self.settle(&path, head.modified, What::File)?;
            head = Head { mode: mode | 0o600, size: entry.size(), ..head };
        } else if kind.is_symlink() {
            if target.len() > LONGEST || !naming.may_lead(above, &target) {
                return Err(Obstacle::Skip(format!("a link that leads outside, to {}", briefly(&target))));
            }
            self.settle(&path, head.modified, What::Link)?;
            head = Head { kind: EntryType::Symlink, mode: 0o777, target: &target, ..head };
        } else if kind.is_hard_link() {
            let file = naming.place(&target).ok().filter(|file| *file != path && self.tree.get(file) == Some(What::File));
            let Some(file) = file else { return Err("a hard link to something that is not in this copy".into()) };
            self.settle(&path, head.modified, What::File)?;
            return self.head(&Head { kind: EntryType::Link, mode: mode | 0o600, target: &joined(&file), ..head });
        } else {
            return Err("it is a device, a pipe or nothing that this program knows".into());
        }
        self.head(&head)?;
        if head.kind == EntryType::Regular {
            let archive = &mut self.archive;
            self.tally.content(entry, |piece| archive.content(piece).map_err(Obstacle::from))?;
            self.archive.pad()?;
        }
        Ok(())
    }

    /// Gives a thing its place; the folders that its name implies are made, or whoever unpacks it would make them as somebody else's.
    fn settle(&mut self, path: &[OsString], modified: u64, what: What) -> Result<(), Obstacle> {
        for depth in self.tree.settle(path, what)? {
            self.tally.seen += 1;
            let implied = joined(path.get(..depth).unwrap_or_default());
            self.charge(&implied)?;
            let owner = self.order.owner;
            let head = Head { kind: EntryType::Directory, mode: 0o755, modified, owner, name: &implied, target: &[], size: 0 };
            self.archive.head(&head)?;
        }
        Ok(())
    }

    fn head(&mut self, head: &Head<'_>) -> Result<(), Obstacle> {
        self.charge(head.name)?;
        self.charge(head.target)?;
        self.archive.head(head)?;
        self.tally.taken();
        Ok(())
    }

    /// A name that is longer than a header has room for is content to whoever stores it.
    fn charge(&mut self, name: &[u8]) -> Result<()> {
        if name.len() > SHORT { self.tally.charge(name.len() as u64) } else { Ok(()) }
    }
}

fn unwritten(error: &io::Error) -> Stopped {
    Stopped::of(error, "write the archive")
}

#[cfg(test)]
mod tests;
