//! How the ledger's files are written: whole, by rename, or not at all.
#![expect(clippy::disallowed_methods, reason = "the ledger owns its folder")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::units::SessionId;

/// What a file is called until it is whole.
const UNFINISHED: &str = "new";
/// The ending of journals.
const JOURNAL: &str = "jsonl";

/// Replaces a file, so that whoever reads it sees the old or the new. `Lasting::Yes` puts it on the disk first:
/// needed where something else is removed because of it.
pub(super) fn replace(path: &Path, lasting: Lasting, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let written = begin(path).and_then(|mut file| {
        write(&mut file)?;
        finish(path, file, lasting)
    });
    if written.is_err() {
        abandon(path);
    }
    written
}

/// Whether a file must be on the disk before its name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasting {
    /// It can be made again.
    No,
    /// It cannot.
    Yes,
}

/// A file that is to take the place of another.
pub(super) fn begin(path: &Path) -> io::Result<BufWriter<File>> {
    let unfinished = path.with_added_extension(UNFINISHED);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    Ok(BufWriter::new(file))
}

/// Gives it the other's name.
pub(super) fn finish(path: &Path, file: BufWriter<File>, lasting: Lasting) -> io::Result<()> {
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    if lasting == Lasting::Yes {
        file.sync_data()?;
    }
    fs::rename(path.with_added_extension(UNFINISHED), path)
}

/// Removes what [`begin`] began.
pub(super) fn abandon(path: &Path) {
    let _ = fs::remove_file(path.with_added_extension(UNFINISHED));
}

/// Adds to a file by one write: what the kernel has taken outlives this process. Says how much it took.
pub(super) fn append(path: &Path, bytes: &[u8]) -> io::Result<usize> {
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    loop {
        match file.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            taken => return taken,
        }
    }
}

/// Opens a file to read it; `None` where it is not there.
pub(super) fn read(path: &Path) -> io::Result<Option<BufReader<File>>> {
    match File::open(path) {
        Ok(file) => Ok(Some(BufReader::with_capacity(64 * 1024, file))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes a file, gone or not.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the folder, clears what an earlier end left unfinished, and finds the journals.
pub(super) fn journals(folder: &Path) -> io::Result<Vec<(SessionId, PathBuf)>> {
    fs::create_dir_all(folder)?;
    let mut journals = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_file() {
            continue;
        }
        let path = entry.path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some(UNFINISHED) => remove(&path)?,
            Some(JOURNAL) => {
                // Only in the one spelling that we write: another would be a second journal of the same session.
                let session = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<SessionId>().ok());
                if let Some(session) = session.filter(|&session| path.ends_with(super::journal_file(session))) {
                    journals.push((session, path));
                }
            }
            _ => {}
        }
    }
    Ok(journals)
}
