//! Small JSON files that this program keeps for itself: caches that may be lost at any time.
#![expect(clippy::disallowed_methods, reason = "config is where files are read and written")]

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What was last written there; `None` where there is nothing, or nothing that can be read.
pub fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_str(&super::text_file::read(path).ok()??).ok()
}

/// Replaces the file whole, by a rename, so that no reader finds half of it. Best effort: what is kept here is only
/// ever a shortcut, and a folder that cannot be written costs time, not correctness.
pub fn write<T: Serialize>(path: &Path, value: &T) {
    let Some(folder) = path.parent() else { return };
    let Ok(text) = serde_json::to_vec(value) else { return };
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&temporary, text));
    if written.and_then(|()| std::fs::rename(&temporary, path)).is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_reads_back_and_what_is_damaged_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/cache.json");
        assert_eq!(read::<Vec<u32>>(&path), None);
        write(&path, &vec![1, 2]);
        assert_eq!(read::<Vec<u32>>(&path), Some(vec![1, 2]));
        std::fs::write(&path, "[1,").unwrap();
        assert_eq!(read::<Vec<u32>>(&path), None);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
