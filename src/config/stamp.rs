//! Whether the files that plans are made of have changed, told by their names, times and sizes: nothing of them is read.
#![expect(clippy::disallowed_methods, reason = "looks at the operator's own configuration files")]

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Paths;

/// Files of a folder that are looked at.
const MOST: usize = 1000;

/// The configuration at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stamp(Vec<(PathBuf, i64, i64, u64, u64)>);

impl Stamp {
    /// Of the profiles.
    pub fn of(paths: &Paths) -> Self {
        let mut files = Vec::new();
        let mut add = |path: &Path, metadata: &Metadata| {
            files.push((path.to_owned(), metadata.mtime(), metadata.mtime_nsec(), metadata.len(), metadata.ino()));
        };
        let folder = paths.profiles();
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten().take(MOST) {
            // Behind a link, too: a profile may be one into a repository.
            if let Ok(metadata) = fs::metadata(entry.path()) {
                add(&entry.path(), &metadata);
            }
        }
        files.sort();
        Self(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_that_is_written_or_removed_makes_another_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        assert_eq!(Stamp::of(&paths), Stamp::default());
        fs::create_dir_all(paths.profiles()).unwrap();
        let file = paths.profiles().join("mine.toml");
        fs::write(&file, "pids_limit = 64").unwrap();
        let one = Stamp::of(&paths);
        assert_eq!(Stamp::of(&paths), one);
        fs::write(&file, "pids_limit = 640").unwrap();
        assert_ne!(Stamp::of(&paths), one);
        fs::remove_file(&file).unwrap();
        assert_eq!(Stamp::of(&paths), Stamp::default());
    }
}
