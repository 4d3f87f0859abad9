//! What an archive has made so far: each name is one kind of thing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::OsString;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;

use sha2::{Digest, Sha256};

/// What stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Folder,
    File,
    Link,
}

/// By the names' digests: what is remembered of an entry is as long however long its name is.
#[derive(Default)]
pub(super) struct Tree(HashMap<Digested, What>);

type Digested = [u8; 16];

impl Tree {
    /// What stands there.
    pub(super) fn get(&self, path: &[OsString]) -> Option<What> {
        self.0.get(&digested(path).last().copied()?).copied()
    }

    /// Gives a path its kind, or says what stands in its way; the lengths of the paths that it implies as folders.
    pub(super) fn settle(&mut self, path: &[OsString], what: What) -> Result<Range<usize>, &'static str> {
        let all = digested(path);
        let Some((own, above)) = all.split_last() else { return Ok(0..0) };
        if above.iter().any(|folder| self.0.get(folder).is_some_and(|there| *there != What::Folder)) {
            return Err("a file or a link stands where a folder should");
        }
        if self.0.get(own).is_some_and(|there| *there != what) {
            return Err("something else of that name stands there");
        }
        let known = above.iter().take_while(|folder| self.0.contains_key(*folder)).count();
        for folder in above {
            if let Entry::Vacant(free) = self.0.entry(*folder) {
                free.insert(What::Folder);
            }
        }
        self.0.insert(*own, what);
        Ok(known + 1..all.len())
    }
}

/// The digest of each path on the way, the path's own last.
fn digested(path: &[OsString]) -> Vec<Digested> {
    let mut whole = Sha256::new();
    let each = path.iter().map(|part| {
        // No part has a slash.
        whole.update(part.as_bytes());
        whole.update(b"/");
        let mut short = Digested::default();
        short.copy_from_slice(&whole.clone().finalize()[..size_of::<Digested>()]);
        short
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<OsString> {
        text.split('/').map(OsString::from).collect()
    }

    #[test]
    fn a_name_stays_what_it_is_and_only_folders_have_something_below_them() {
        let mut tree = Tree::default();
        assert_eq!(tree.settle(&path("a/b/c"), What::File), Ok(1..3));
        assert_eq!(tree.settle(&path("a/b/c"), What::File), Ok(3..3));
        assert_eq!(tree.settle(&path("a/b/d"), What::Link), Ok(3..3));
        assert_eq!(tree.settle(&path("a"), What::Folder), Ok(1..1));
        for (way, what) in [("a/b", What::Link), ("a/b/d", What::File), ("a/b/c", What::Folder), ("a/b/d/x", What::File)] {
            assert!(tree.settle(&path(way), what).is_err(), "{way}");
        }
        assert_eq!((tree.get(&path("a/b")), tree.get(&path("a/b/d/x"))), (Some(What::Folder), None));
    }
}
