//! How much of a document may be read for one thing in it. A parser keeps a text whole, so a registry that sends one
//! without end would fill the memory; the document's length says nothing, because many small files are in order.

use std::cell::Cell;
use std::io::{self, BufRead, Read};

/// The most that is read for one file's entry, one version or whatever stands between them. Real entries take less
/// than 3 KiB.
const MOST: usize = 256 << 10;

/// What is left. The parser renews it at each step, the [`Guarded`] body draws on it.
pub(super) struct Allowance(Cell<usize>);

impl Allowance {
    pub(super) const fn new() -> Self {
        Self(Cell::new(MOST))
    }

    /// The parser holds nothing of what came before.
    pub(super) fn renew(&self) {
        self.0.set(MOST);
    }

    /// A body that draws on this.
    pub(super) const fn guard<'a>(&'a self, body: &'a mut dyn BufRead) -> Guarded<'a> {
        Guarded { allowance: self, body }
    }
}

/// A body that ends with an error when the allowance does.
pub(super) struct Guarded<'a> {
    allowance: &'a Allowance,
    body: &'a mut dyn BufRead,
}

impl Read for Guarded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(buffer)?;
        let left = self.allowance.0.get().checked_sub(read);
        self.allowance.0.set(left.ok_or_else(|| super::document::wrong("one entry goes on without end"))?);
        Ok(read)
    }
}
