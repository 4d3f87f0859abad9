//! Files of the operator's own, read whole within a bound.
#![expect(clippy::disallowed_methods, reason = "config is where files are read")]

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::failure::{Code, Failure, Result};

/// More than any configuration is; less than what hurts.
const LARGEST: u64 = 1 << 20;
/// More than any token is.
const LARGEST_SECRET: u64 = 16 << 10;

/// The text of a file; `None` where there is none.
pub(super) fn read(path: &Path) -> Result<Option<String>> {
    let doing = || format!("read {}", path.display());
    match std::fs::metadata(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(Failure::io(doing(), &error)),
        // Opening a pipe or a device could wait for ever.
        Ok(kind) if !kind.is_file() => return Err(Failure::new(Code::InvalidConfig, format!("{} is not a file", path.display()))),
        Ok(_) => {}
    }
    text(path, File::open(path).map_err(|error| Failure::io(doing(), &error))?, LARGEST).map(Some)
}

/// The text of a file that holds a secret: this user's own, and nobody else's to read.
pub(super) fn secret(path: &Path, uid: u32) -> Result<String> {
    let refuse = |why: String, hint: String| Failure::new(Code::InvalidConfig, format!("{} {why}", path.display())).hint(hint);
    let doing = || format!("read {}", path.display());
    let is_file = match std::fs::metadata(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(refuse("is not there".to_owned(), "write the secret to it, and chmod 600 it".to_owned()));
        }
        Err(error) => return Err(Failure::io(doing(), &error)),
        Ok(kind) => kind.is_file(),
    };
    if !is_file {
        return Err(refuse("is not a file".to_owned(), "give the path of a file with the secret in it".to_owned()));
    }
    let file = File::open(path).map_err(|error| Failure::io(doing(), &error))?;
    // Of the file that was opened, whatever its name leads to by now.
    let facts = file.metadata().map_err(|error| Failure::io(doing(), &error))?;
    if facts.uid() != uid {
        return Err(refuse(
            format!("belongs to user {} and not to you", facts.uid()),
            format!("make one of your own: chmod 600 {}", path.display()),
        ));
    }
    if facts.mode() & 0o077 != 0 {
        return Err(refuse(
            format!("is open to other users (mode {:04o})", facts.mode() & 0o7777),
            format!("chmod 600 {}", path.display()),
        ));
    }
    text(path, file, LARGEST_SECRET)
}

/// The text of an open file, if it is UTF-8 and not larger than `largest` bytes.
pub(super) fn text(path: &Path, file: File, largest: u64) -> Result<String> {
    let mut bytes = Vec::new();
    file.take(largest + 1).read_to_end(&mut bytes).map_err(|error| Failure::io(format!("read {}", path.display()), &error))?;
    if bytes.len() as u64 > largest {
        let failure = Failure::new(Code::InvalidConfig, format!("{} is larger than {} KiB", path.display(), largest >> 10));
        return Err(failure.hint("a configuration file holds settings and nothing else"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::new(Code::InvalidConfig, format!("{} is not UTF-8 text: byte {} cannot be read", path.display(), at + 1))
            .hint("save it as UTF-8")
    })
}

/// The names of what stands in a folder, sorted; none where there is no such folder.
pub(super) fn names_in(folder: &Path) -> Result<Vec<String>> {
    let doing = || format!("list {}", folder.display());
    let entries = match std::fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(error) => return Err(Failure::io(doing(), &error)),
        Ok(entries) => entries,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Failure::io(doing(), &error))?;
        names.extend(entry.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_absent_is_none_and_one_that_is_no_text_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        assert_eq!(read(&path).unwrap(), None);
        assert!(read(folder.path()).unwrap_err().to_string().contains("is not a file"));
        std::fs::write(&path, b"profile = \"\xff\"").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("byte 12"));
        std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("larger than 1024 KiB"));
        std::fs::write(&path, "a").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("a"));
    }
}
