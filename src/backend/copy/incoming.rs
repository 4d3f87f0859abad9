//! An archive that nobody vouches for, read entry by entry: bytes, entries and header lengths are counted as they come, whatever the
//! headers promise, and what is left out is written down.

use std::io::{self, Read};

use tar::EntryType;

use super::name::briefly;
use super::pipe::Rationed;
use crate::backend::CopyReport;
use crate::failure::{Code, Failure, Result};
use crate::units::{Bytes, Untrusted, sanitise};

/// Files and folders that any copy may have.
const FREE_ENTRIES: u64 = 1000;
/// What each further one counts against the size that is allowed: an empty one costs a disk a block and an inode.
const ENTRY: u64 = 4 << 10;
/// Bytes of headers for one entry: names, link targets and extended attributes.
const LONGEST_HEADER: u64 = 1 << 20;
/// Entries left out that are listed one by one.
const LISTED: usize = 100;
/// What is read and written at once.
const PIECE: usize = 64 * 1024;

/// Whose archive it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A session's, of this path.
    Session(String),
    /// Whatever standard input gives.
    Input,
}

impl Origin {
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Session(path) => format!("'{}'", sanitise(path)),
            Self::Input => "standard input".to_owned(),
        }
    }

    /// Refuses what a copy cannot begin with: the operator named one file or folder.
    pub(super) fn copyable(&self, kind: EntryType) -> Result<()> {
        if kind.is_dir() || kind.is_file() || kind.is_gnu_sparse() {
            return Ok(());
        }
        let what = if kind.is_symlink() { "a link: copy what it leads to" } else { "neither a file nor a folder" };
        Err(Failure::new(Code::Refused, format!("cannot copy {}: it is {what}", self.shown())))
    }

    /// There was not one entry.
    pub(super) fn silent(&self) -> Failure {
        Failure::new(Code::EngineError, format!("the engine sent nothing of {}", self.shown()))
    }

    fn damaged(&self, error: &io::Error) -> Failure {
        let code = match self {
            Self::Session(_) => Code::EngineError,
            Self::Input => Code::Io,
        };
        let failure =
            Failure::new(code, format!("the archive of {} is damaged or cut short", self.shown())).detail(sanitise(&error.to_string()));
        match self {
            Self::Session(_) => failure,
            Self::Input => failure.hint("it takes a plain tar archive, whole: 'tar c FOLDER | palisade cp - NAME:/PATH', 'zcat x.tgz | …'"),
        }
    }
}

/// Hands over each entry up to the archive's own end; one that ends without it is not whole.
pub(super) fn walk<R: Read, E: From<Failure>>(
    reader: R,
    origin: &Origin,
    mut each: impl FnMut(&mut tar::Entry<'_, Rationed<R>>) -> Result<(), E>,
) -> Result<(), E> {
    let (reader, ration) = Rationed::new(reader);
    let mut archive = tar::Archive::new(reader);
    let mut entries = archive.entries().map_err(|error| origin.damaged(&error))?;
    loop {
        ration.allow(LONGEST_HEADER);
        let Some(entry) = entries.next() else { break };
        let mut entry = entry.map_err(|error| origin.damaged(&error))?;
        // Content is bounded by what is left of the limit, and by one byte more, so that one too many is noticed.
        ration.allow(u64::MAX);
        each(&mut entry)?;
    }
    if ration.ran_dry() { Err(origin.damaged(&io::ErrorKind::UnexpectedEof.into()).into()) } else { Ok(()) }
}

/// What has come of a copy, and what still may.
pub(super) struct Tally {
    origin: Origin,
    max_size: Bytes,
    left: u64,
    /// Entries read, and folders made.
    pub(super) seen: u64,
    most: u64,
    report: CopyReport,
    left_out: u64,
}

impl Tally {
    pub(super) fn new(origin: &Origin, max_size: Bytes) -> Self {
        Self {
            origin: origin.clone(),
            max_size,
            left: max_size.get(),
            seen: 0,
            most: (max_size.get() / ENTRY).max(FREE_ENTRIES),
            report: CopyReport { entries: 0, bytes: 0, skipped: Vec::new() },
            left_out: 0,
        }
    }

    /// Another entry, which may be one too many.
    pub(super) fn entry(&mut self) -> Result<()> {
        self.seen += 1;
        if self.seen > self.most {
            return Err(self.too_much(&format!("it has more than {} files and folders", self.most)));
        }
        Ok(())
    }

    /// It arrived.
    pub(super) const fn taken(&mut self) {
        self.report.entries += 1;
    }

    /// It was left out.
    pub(super) fn skip(&mut self, name: &[u8], why: &str) {
        self.left_out += 1;
        if self.report.skipped.len() < LISTED {
            self.report.skipped.push(Untrusted::new(format!("{}: {why}", briefly(name))));
        }
    }

    /// Hands over an entry's content, piece by piece: as much as its header says, or it is a failure.
    pub(super) fn content<E: From<Failure>>(
        &mut self,
        entry: &mut tar::Entry<'_, impl Read>,
        mut put: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut piece = vec![0; PIECE];
        let mut expected = entry.size();
        loop {
            let count = self.read(entry, &mut piece)?;
            if count == 0 && expected == 0 {
                return Ok(());
            }
            // An archive that ends within a file ends without an error.
            let wrong = || self.origin.damaged(&io::ErrorKind::UnexpectedEof.into());
            expected = expected.checked_sub(count as u64).filter(|_| count > 0).ok_or_else(wrong)?;
            put(piece.get(..count).unwrap_or_default())?;
            self.report.bytes += count as u64;
        }
    }

    /// Reads over what is left out: it counts as well, since it had to come.
    pub(super) fn drain(&mut self, entry: &mut tar::Entry<'_, impl Read>) -> Result<()> {
        let mut piece = vec![0; PIECE];
        while self.read(entry, &mut piece)? > 0 {}
        Ok(())
    }

    fn read(&mut self, entry: &mut tar::Entry<'_, impl Read>, piece: &mut [u8]) -> Result<usize> {
        let count = entry.read(piece).map_err(|error| self.origin.damaged(&error))?;
        self.charge(count as u64)?;
        Ok(count)
    }

    /// Counts bytes against the limit.
    pub(super) fn charge(&mut self, bytes: u64) -> Result<()> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| self.too_much(&format!("it is larger than {}", self.max_size)))?;
        Ok(())
    }

    /// Refuses a file by what its header promises, before it is begun.
    pub(super) fn has_room_for(&self, bytes: u64) -> Result<()> {
        if bytes > self.left { Err(self.too_much(&format!("it is larger than {}", self.max_size))) } else { Ok(()) }
    }

    fn too_much(&self, why: &str) -> Failure {
        Failure::new(Code::Refused, format!("the copy of {} was stopped: {why}", self.origin.shown()))
            .detail(format!("written before that: {} files and folders, {}", self.report.entries, Bytes::new(self.report.bytes)))
            .hint("copy a part of it, or raise the limit")
    }

    pub(super) fn report(mut self) -> CopyReport {
        if self.left_out > LISTED as u64 {
            self.report.skipped.push(Untrusted::new(format!("and {} more", self.left_out - LISTED as u64)));
        }
        self.report
    }
}
