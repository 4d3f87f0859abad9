#![expect(clippy::disallowed_methods, reason = "the log's own files")]

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::chain::{self, Deed, Entry, Link};
use super::head::{self, Head, Kept};
use super::lock;
use super::verify::{Verdict, verify};

/// The log of one operator: any number of processes write to it at once.
#[derive(Debug, Clone)]
pub struct AuditLog {
    path: PathBuf,
    by: String,
}

impl AuditLog {
    /// The log in a state folder, written by `by`. Nothing is made before the first entry.
    pub fn new(state: &Path, by: impl Into<String>) -> Self {
        Self { path: state.join("audit.jsonl"), by: by.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one entry, after whatever other processes have written, and gives the end of the chain.
    ///
    /// Fails where the log cannot be read to its end: nothing is ever appended to a log that does not hold together there.
    pub fn append(&self, deed: &Deed, now: Timestamp) -> io::Result<Link> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut log = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path)?;
        // Let go with the file.
        lock::wait(&log, lock::Held::Alone)?;
        let end = self.end(&mut log)?;
        let (mut written, link) = end.link.next(deed, now, &self.by, std::process::id())?;
        written.push('\n');
        let head = Head { link, length: end.length + written.len() as u64 };
        if let Err(error) = log.write_all(written.as_bytes()).and_then(|()| head::write(&self.head(), &head)) {
            // Half a line, on a disk that is full, is no one's to wonder at; nor are several that the head does not know of.
            let _ = log.set_len(end.length);
            return Err(error);
        }
        Ok(head.link)
    }

    /// Looks at every line, and at where the log ends.
    pub fn verify(&self) -> io::Result<Verdict> {
        let log = match File::open(&self.path) {
            Ok(log) => log,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let empty = io::empty();
                return verify(empty, head::read(&self.head())?);
            }
            Err(error) => return Err(error),
        };
        // Nobody is in the middle of a line then.
        lock::wait(&log, lock::Held::Together)?;
        verify(BufReader::new(&log), head::read(&self.head())?)
    }

    /// The entries that are wanted, the last so many of them where that is said. Lines that are not as they were written are left out:
    /// [`Self::verify`] finds them.
    pub fn entries(&self, wanted: impl Fn(&Entry) -> bool, last: Option<usize>) -> io::Result<Vec<Entry>> {
        let log = match File::open(&self.path) {
            Ok(log) => log,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        lock::wait(&log, lock::Held::Together)?;
        let mut kept = VecDeque::new();
        for line in BufReader::new(&log).split(b'\n') {
            let line = line?;
            let entry = std::str::from_utf8(&line).ok().and_then(chain::read).map(|(entry, _)| entry);
            if let Some(entry) = entry.filter(|entry| wanted(entry)) {
                kept.push_back(entry);
                if last.is_some_and(|last| kept.len() > last) {
                    kept.pop_front();
                }
            }
        }
        Ok(kept.into())
    }

    fn head(&self) -> PathBuf {
        head::beside(&self.path)
    }

    /// Where the chain ends. A process that was killed as it wrote may have left a line that its head does not know of: a whole one counts,
    /// half a one is set aside.
    fn end(&self, log: &mut File) -> io::Result<Head> {
        let length = log.metadata()?.len();
        let known = match head::read(&self.head())? {
            Kept::Head(head) => head,
            Kept::Nothing => Head::default(),
            Kept::Damaged => return Err(broken("its head file is damaged")),
        };
        if length < known.length {
            return Err(broken("lines at its end are missing"));
        }
        log.seek(SeekFrom::Start(known.length))?;
        let mut rest = Vec::new();
        log.read_to_end(&mut rest)?;
        let mut end = known;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            let entry = std::str::from_utf8(&rest[..at]).ok().and_then(chain::read);
            let Some((entry, hash)) = entry.filter(|(entry, _)| entry.seq == end.link.entries + 1 && entry.prev == end.link.hash) else {
                return Err(broken("its last line does not follow from the one before"));
            };
            end = Head { link: Link { entries: entry.seq, hash }, length: end.length + at as u64 + 1 };
            rest.drain(..=at);
        }
        if !rest.is_empty() {
            let aside = self.path.with_extension(format!("torn-{}", end.link.entries + 1));
            std::fs::write(aside, &rest)?;
            log.set_len(end.length)?;
        }
        Ok(end)
    }
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the audit log does not hold together: {why}; palisade audit verify says more"))
}
