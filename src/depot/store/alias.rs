//! A promise by another algorithm than the store's own: a small file, named by the promised digest, that holds the
//! blob's name and size. It is a hint and no proof: what it leads to is checked against the promise itself.
#![expect(clippy::disallowed_methods, reason = "alias files are removed here when they cannot be written")]

use std::fs;
use std::io::{self, Read, Write};

use super::key::Key;
use super::places::{Places, open_plain, rename};
use crate::depot::promise::Digest;

/// More than the longest alias has.
const LONGEST: u64 = 256;

/// What an alias says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alias {
    pub(super) key: Key,
    pub(super) size: u64,
}

impl Alias {
    fn parse(text: &str) -> Option<Self> {
        let (digest, size) = text.strip_suffix('\n')?.split_once(' ')?;
        let key = Key::from_name(digest.strip_prefix("sha256:")?)?;
        Some(Self { key, size: size.bytes().all(|byte| byte.is_ascii_digit()).then(|| size.parse().ok())?? })
    }

    /// What a promise leads to: `NotFound` where there is none, `InvalidData` where it makes no sense.
    pub(super) fn read(places: &Places, digest: &Digest) -> io::Result<Self> {
        let (file, _) = open_plain(&places.alias(digest))?;
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text)?;
        Self::parse(&text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not an alias"))
    }

    /// Written beside and renamed, so that it is whole or not there. Whether it is a new one.
    pub(super) fn write(&self, places: &Places, digest: &Digest) -> io::Result<bool> {
        let (path, mut file) = places.temporary()?;
        let target = places.alias(digest);
        let is_new = fs::symlink_metadata(&target).is_err();
        let done = writeln!(file, "{} {}", self.key.digest(), self.size).and_then(|()| rename(&path, &target));
        if done.is_err() {
            // The error is what matters; the next start removes what stays.
            let _ = fs::remove_file(&path);
        }
        done.map(|()| is_new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_one_strict_line() {
        let name = Key::new([7; 32]).digest();
        assert_eq!(Alias::parse(&format!("{name} 12\n")), Some(Alias { key: Key::new([7; 32]), size: 12 }));
        for text in [
            String::new(),
            format!("{name} 12"),
            format!("{name} +12\n"),
            format!("{name} \n"),
            format!("{name}  1\n"),
            format!("{} 12\n", name.hex()),
            format!("{name} 99999999999999999999\n"),
        ] {
            assert_eq!(Alias::parse(&text), None, "{text:?}");
        }
    }
}
