//! A database that cannot be used is set aside, never thrown away.

#![expect(clippy::disallowed_methods, reason = "the database's own files")]

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::Unkept;

/// Why it is set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It does not hold together, or is none of ours.
    Corrupt,
    /// A newer program made it.
    Newer,
}

/// Moves the database and its log to another name, and gives the sentence that tells of it. Only by who holds the gate alone.
pub fn set(database: &Path, why: Why, now: Timestamp) -> Result<String, Unkept> {
    let (mark, reason) = match why {
        Why::Corrupt => ("corrupt", "is damaged"),
        Why::Newer => ("newer", "is of a newer palisade"),
    };
    let time = now.strftime("%Y%m%dT%H%M%SZ");
    // Two in one second are two.
    let names = (1..).map(|n| if n == 1 { String::new() } else { format!("-{n}") });
    let aside = names.map(|n| with(database, &format!(".{mark}-{time}{n}"))).find(|path| !path.exists());
    let aside = aside.unwrap_or_else(|| with(database, ".aside"));
    std::fs::rename(database, &aside).map_err(|error| Unkept::file("cannot set aside", database, error))?;
    // What was written last is in the log still: the two belong together.
    rename_if_there(&with(database, "-wal"), &with(&aside, "-wal"))?;
    Ok(format!(
        "the state database {} {reason}: it is set aside as {}, and a new one begins; what only it knew is gone (when sessions were last used, \
         the keys that renew them)",
        database.display(),
        aside.display()
    ))
}

/// Takes away what belongs to a database that is not there any more: a new one would be confused by it.
pub fn clear_leftovers(database: &Path) -> Result<(), Unkept> {
    for end in ["-wal", "-shm"] {
        let path = with(database, end);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Unkept::file("cannot remove", &path, error)),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn rename_if_there(from: &Path, to: &Path) -> Result<(), Unkept> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Unkept::file("cannot set aside", from, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}
