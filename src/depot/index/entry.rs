#![expect(clippy::disallowed_methods, reason = "the index's own files on the depot's volume")]

use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::depot::names::Project;
use crate::depot::promise::Digest;
use crate::depot::upstream::Validators;

/// What is remembered of a project's page. The documents themselves are blobs in the store, named by digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose.
    pub project: Project,
    /// Which of the registry's documents.
    pub document: String,
    /// The registry's base address.
    pub upstream: String,
    /// Where the document came from.
    pub url: Url,
    /// What it is.
    pub media_type: String,
    /// To ask again with.
    pub validators: Validators,
    /// When the registry last confirmed it.
    pub confirmed: Timestamp,
    /// The document as it came.
    pub source: Digest,
    /// What it promises.
    pub catalogue: Digest,
    /// Whether the registry does not know it any more. It is remembered where a later registry could take the name over.
    #[serde(default)]
    pub is_gone: bool,
}

/// The file of an entry: its digest in front, so that damage is seen.
const SEPARATOR: u8 = b'\n';

/// The entry's file name: no name that a sandbox chose ever becomes a path.
pub fn key(project: &Project) -> String {
    hash(project.to_string().as_bytes())
}

/// SHA-256 in hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    crate::units::hex(&Sha256::digest(bytes))
}

/// Makes the folder and removes what a killed depot left half-written. How many entries there are.
pub fn prepare(folder: &Path) -> io::Result<usize> {
    std::fs::create_dir_all(folder)?;
    let mut count = 0;
    for file in std::fs::read_dir(folder)? {
        let file = file?;
        if file.file_name().as_encoded_bytes().ends_with(b".new") {
            std::fs::remove_file(file.path())?;
        } else {
            count += 1;
        }
    }
    Ok(count)
}

/// Removes entries until no more than so many are left: those that were written longest ago.
pub fn trim(folder: &Path, most: usize) -> io::Result<()> {
    let mut all = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let file = file?;
        // One that is just being renamed has no time any more.
        if let Ok(data) = file.metadata().and_then(|data| data.modified()) {
            all.push((data, file.file_name()));
        }
    }
    all.sort_unstable();
    for (_, name) in all.iter().take(all.len().saturating_sub(most)) {
        match std::fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn path(folder: &Path, key: &str) -> PathBuf {
    folder.join(key)
}

impl Entry {
    /// The entry as kept; `None` where there is none, or a damaged one.
    pub fn read(folder: &Path, key: &str) -> Option<Self> {
        let bytes = std::fs::read(path(folder, key)).ok()?;
        let (digest, body) = bytes.split_at_checked(64)?;
        let body = body.strip_prefix(&[SEPARATOR])?;
        (digest == hash(body).as_bytes()).then(|| serde_json::from_slice(body).ok())?
    }

    /// Keeps it: by rename, so that a reader finds the old one or the new one. Whether there was none.
    pub fn write(&self, folder: &Path, key: &str) -> io::Result<bool> {
        let body = serde_json::to_vec(self).map_err(io::Error::other)?;
        let mut bytes = hash(&body).into_bytes();
        bytes.push(SEPARATOR);
        bytes.extend(body);
        let new = folder.join(format!("{key}.new"));
        std::fs::write(&new, bytes)?;
        let target = path(folder, key);
        let is_first = std::fs::symlink_metadata(&target).is_err();
        std::fs::rename(new, target).map(|()| is_first)
    }

    /// Forgets it.
    pub fn remove(folder: &Path, key: &str) {
        // Gone already is as well.
        let _ = std::fs::remove_file(path(folder, key));
    }

    /// Whether the registry confirmed it within so long. A clock that was set back makes nothing young.
    pub fn is_younger_than(&self, age: SignedDuration, now: Timestamp) -> bool {
        let since = now.duration_since(self.confirmed);
        since < age && since > SignedDuration::from_mins(-1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::depot::promise::{Algorithm, Ecosystem};

    fn entry() -> Entry {
        let digest = Digest::new(Algorithm::Sha256, [1; 32]).unwrap();
        Entry {
            project: Project { ecosystem: Ecosystem::Npm, name: "@scope/name".to_owned() },
            document: "full".to_owned(),
            upstream: "https://registry.example/".to_owned(),
            url: Url::parse("https://registry.example/@scope%2fname").unwrap(),
            media_type: "application/json".to_owned(),
            validators: Validators::default(),
            confirmed: Timestamp::UNIX_EPOCH,
            source: digest.clone(),
            catalogue: digest,
            is_gone: false,
        }
    }

    #[test]
    fn an_entry_reads_back_and_a_changed_byte_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let key = key(&entry().project);
        entry().write(folder.path(), &key).unwrap();
        assert_eq!(Entry::read(folder.path(), &key), Some(entry()));
        let file = folder.path().join(&key);
        let whole = std::fs::read(&file).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(&file, changed).unwrap();
            assert_eq!(Entry::read(folder.path(), &key), None, "byte {at}");
        }
        assert_eq!(Entry::read(folder.path(), "none"), None);
    }

    #[test]
    fn what_a_killed_depot_left_half_written_goes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x.new"), b"half").unwrap();
        std::fs::write(folder.path().join("y"), b"whole").unwrap();
        prepare(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn age_counts_from_the_confirmation_and_the_future_is_not_young() {
        let entry = entry();
        let minute = SignedDuration::from_mins(1);
        assert!(entry.is_younger_than(minute, entry.confirmed + SignedDuration::from_secs(59)));
        assert!(!entry.is_younger_than(minute, entry.confirmed + minute));
        assert!(!entry.is_younger_than(minute, entry.confirmed - SignedDuration::from_hours(1)));
    }
}
