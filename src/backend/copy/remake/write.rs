//! An archive as it is written: headers of our own making, in the form that every `tar` reads.

use std::io::{self, Write};

use tar::{EntryType, Header};

/// What a header has room for of a name, or of a link's target; a longer one goes before it.
pub(super) const SHORT: usize = 100;

const BLOCK: usize = 512;

const UNFINISHED: &[u8] = b"palisade: the archive ends here, unfinished";

/// One header.
pub(super) struct Head<'a> {
    pub(super) kind: EntryType,
    pub(super) mode: u32,
    pub(super) modified: u64,
    pub(super) owner: (u32, u32),
    pub(super) name: &'a [u8],
    pub(super) target: &'a [u8],
    pub(super) size: u64,
}

/// An archive that has no end until it is given one.
pub(super) struct Archive<W> {
    writer: W,
    begun: bool,
    /// Bytes until the next header's place.
    owed: u64,
}

impl<W: Write> Archive<W> {
    pub(super) const fn new(writer: W) -> Self {
        Self { writer, begun: false, owed: 0 }
    }

    pub(super) fn head(&mut self, head: &Head<'_>) -> io::Result<()> {
        self.begun = true;
        let slash: &[u8] = if head.kind.is_dir() { b"/" } else { b"" };
        let name = [head.name, slash].concat();
        self.long(EntryType::GNULongName, &name)?;
        self.long(EntryType::GNULongLink, head.target)?;
        let mut header = Header::new_gnu();
        header.set_mtime(head.modified);
        header.set_uid(head.owner.0.into());
        header.set_gid(head.owner.1.into());
        self.block(header, head.kind, head.mode, head.size, &name, head.target)?;
        self.owed = head.size.next_multiple_of(BLOCK as u64);
        Ok(())
    }

    /// A piece of the content that the last header promised.
    pub(super) fn content(&mut self, piece: &[u8]) -> io::Result<()> {
        self.owed = self.owed.saturating_sub(piece.len() as u64);
        self.writer.write_all(piece)
    }

    /// After the last piece.
    pub(super) fn pad(&mut self) -> io::Result<()> {
        let padding = usize::try_from(std::mem::take(&mut self.owed)).unwrap_or(BLOCK);
        self.writer.write_all([0; BLOCK].get(..padding).unwrap_or_default())
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.writer.write_all(&[0; 2 * BLOCK])?;
        self.writer.flush()
    }

    /// Where an archive merely stops between two entries, `tar` takes it for whole: by a block that is no header it knows that it is not.
    /// Whoever no longer listens need not hear it.
    pub(super) fn spoil(&mut self) {
        if !self.begun || self.owed > 0 {
            return;
        }
        let mut block = [b'!'; BLOCK];
        block.iter_mut().zip(UNFINISHED).for_each(|(to, from)| *to = *from);
        let _ = self.writer.write_all(&block).and_then(|()| self.writer.flush());
    }

    fn long(&mut self, kind: EntryType, text: &[u8]) -> io::Result<()> {
        if text.len() <= SHORT {
            return Ok(());
        }
        let size = text.len() as u64 + 1;
        self.block(Header::new_gnu(), kind, 0o644, size, b"././@LongLink", b"")?;
        self.writer.write_all(text)?;
        let padding = usize::try_from(size.next_multiple_of(BLOCK as u64) - size).unwrap_or(0);
        self.writer.write_all([0; BLOCK + 1].get(..=padding).unwrap_or_default())
    }

    fn block(&mut self, mut header: Header, kind: EntryType, mode: u32, size: u64, name: &[u8], target: &[u8]) -> io::Result<()> {
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        let old = header.as_old_mut();
        old.name.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
        old.linkname.iter_mut().zip(target).for_each(|(to, from)| *to = *from);
        header.set_cksum();
        self.writer.write_all(header.as_bytes())
    }
}
