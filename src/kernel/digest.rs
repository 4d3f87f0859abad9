#![expect(clippy::disallowed_methods, reason = "the cache of digests is a file that the caller names")]

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::procfs::{Procfs, read_text};
use crate::units::hex;

/// More files than this are not worth remembering.
const MOST: usize = 64;

/// What a file was when it was read: a change of its content changes the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct FileKey {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    key: FileKey,
    sha256: String,
}

/// Digests of executables, remembered for the process's life and, where the caller has a place, beyond it.
#[derive(Debug, Default)]
pub(super) struct Digests {
    known: Mutex<BTreeMap<FileKey, [u8; 32]>>,
}

impl Digests {
    /// SHA-256 of the file that a process runs, whatever stands at its path now.
    pub(super) fn of_exe(&self, proc: &Procfs, pid: u32, cache: Option<&Path>) -> io::Result<[u8; 32]> {
        let mut file = proc.open_exe(pid)?;
        let data = file.metadata()?;
        let key = FileKey {
            device: data.dev(),
            inode: data.ino(),
            size: data.size(),
            modified: (data.mtime(), data.mtime_nsec()),
            changed: (data.ctime(), data.ctime_nsec()),
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains_key(&key) {
            known.extend(cache.map(load).unwrap_or_default());
        }
        if let Some(digest) = known.get(&key) {
            return Ok(*digest);
        }
        let digest = hash(&mut file)?;
        known.insert(key, digest);
        if let Some(cache) = cache {
            // Only time is lost with it.
            let _ = save(cache, &known, key);
        }
        Ok(digest)
    }
}

fn hash(file: &mut impl Read) -> io::Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().into()),
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// An unreadable or damaged cache is an empty one.
fn load(cache: &Path) -> BTreeMap<FileKey, [u8; 32]> {
    let entries: Vec<Entry> = read_text(cache).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    entries.into_iter().filter_map(|entry| Some((entry.key, from_hex(&entry.sha256)?))).collect()
}

/// Written beside and renamed over, so that a reader sees the old or the new one.
fn save(cache: &Path, known: &BTreeMap<FileKey, [u8; 32]>, newest: FileKey) -> io::Result<()> {
    let others = known.iter().filter(|(key, _)| **key != newest).take(MOST - 1);
    let entries: Vec<Entry> =
        known.get_key_value(&newest).into_iter().chain(others).map(|(key, digest)| Entry { key: *key, sha256: hex(digest) }).collect();
    let beside = cache.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&beside, serde_json::to_vec(&entries)?)?;
    std::fs::rename(&beside, cache)
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_remembered_in_the_callers_file_and_a_changed_executable_is_not_taken_for_it() {
        let root = tempfile::tempdir().unwrap();
        let (exe, cache) = (root.path().join("7/exe"), root.path().join("digests.json"));
        std::fs::create_dir(root.path().join("7")).unwrap();
        std::fs::write(&exe, "palisade").unwrap();
        let proc = Procfs::new(root.path().to_owned());
        let expected: [u8; 32] = Sha256::digest("palisade").into();
        assert_eq!(Digests::default().of_exe(&proc, 7, Some(&cache)).unwrap(), expected);
        assert_eq!(load(&cache).values().collect::<Vec<_>>(), [&expected]);
        // A second program takes it from the file.
        assert_eq!(Digests::default().of_exe(&proc, 7, Some(&cache)).unwrap(), expected);

        std::fs::write(&exe, "palisade, with a guest").unwrap();
        assert_ne!(Digests::default().of_exe(&proc, 7, Some(&cache)).unwrap(), expected);
    }

    #[test]
    fn a_damaged_cache_is_an_empty_one() {
        let cache = tempfile::NamedTempFile::new().unwrap();
        for text in ["", "{}", "[{\"device\":1}]", "\u{0}"] {
            std::fs::write(cache.path(), text).unwrap();
            assert!(load(cache.path()).is_empty(), "{text}");
        }
        assert_eq!(from_hex("zz"), None);
        assert_eq!(from_hex(&hex(&[0xa5; 32])), Some([0xa5; 32]));
    }
}
