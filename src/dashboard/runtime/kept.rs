//! What outlives a run, as a file in the state folder. One that cannot be read is set aside, never lost, and never fatal.

#![expect(clippy::disallowed_methods, reason = "the dashboard's own state file")]

use std::path::{Path, PathBuf};

use crate::config::state;
use crate::dashboard::app::state::Kept;

/// A state of some kilobytes.
const LARGEST: u64 = 1 << 20;

/// Where it is.
pub fn file(folder: &Path) -> PathBuf {
    folder.join("dashboard.json")
}

/// What was kept; and a sentence where a file was set aside.
pub fn read(path: &Path) -> (Kept, Option<String>) {
    let is_large = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > LARGEST);
    let text = match std::fs::read_to_string(path) {
        Ok(text) if !is_large => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (Kept::default(), None),
        Ok(_) | Err(_) => return (Kept::default(), Some(set_aside(path, "it cannot be read"))),
    };
    match serde_json::from_str(&text) {
        Ok(kept) => (kept, None),
        Err(error) => (Kept::default(), Some(set_aside(path, &error.to_string()))),
    }
}

fn set_aside(path: &Path, why: &str) -> String {
    let aside = path.with_extension("json.corrupt");
    let what = match std::fs::rename(path, &aside) {
        Ok(()) => format!("it is set aside as {}", aside.display()),
        Err(error) => format!("it could not be set aside: {error}"),
    };
    format!("what was kept from the last run is not what this version reads ({why}); {what}")
}

/// Keeps it.
pub fn write(path: &Path, kept: &Kept) {
    state::write(path, kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::app::list::{Column, Sort};

    #[test]
    fn what_is_kept_reads_back_and_what_is_corrupt_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path());
        assert_eq!(read(&path), (Kept::default(), None));
        let kept = Kept { sort: Sort { column: Column::Cpu, reverse: true }, ..Kept::default() };
        write(&path, &kept);
        assert_eq!(read(&path), (kept, None));
        std::fs::write(&path, "{\"sort\":{\"column\":\"nothing\"").unwrap();
        let (again, told) = read(&path);
        assert!(again == Kept::default() && told.unwrap().contains("set aside as"));
        assert!(!path.exists() && path.with_extension("json.corrupt").exists());
    }
}
