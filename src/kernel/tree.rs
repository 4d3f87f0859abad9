//! What a folder takes on disk, counted a little at a time.
//!
//! Whoever filled it may be hostile, so it costs what whoever counts gives it: one name at a time is looked at, by its own folder, through no
//! link and in no other file system; two descriptors are open and a bounded number of folders is remembered, however many files there are and
//! however deep they lie. Of a file with several names each counts its share, so none needs to be remembered. A hole in a file takes nothing.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use nix::dir::{Dir, OwningIter};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};

/// Folders that are remembered to be looked into. Of one with more below it the rest is read once these are done.
const MOST_PENDING: usize = 4096;
/// What lies deeper is not counted: each step down costs one call for each step above it.
const DEEPEST: usize = 2048;
/// Names between two looks at the clock.
const AT_ONCE: usize = 64;
/// The kernel counts in these, whatever the file system's blocks are.
const BLOCK: u64 = 512;

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// On disk.
    pub bytes: u64,
    /// Files and folders.
    pub files: u64,
    /// Whether a part could not be looked at: closed to who counts, or too deep.
    pub is_part: bool,
}

/// Which folder on which file system.
pub type Identity = (u64, u64);

/// A folder that is being counted.
#[derive(Debug)]
pub struct Tree {
    root: OwnedFd,
    /// Its file system.
    device: u64,
    /// Folders in it that are counted by themselves.
    others: Vec<Identity>,
    pending: Vec<Pending>,
    listing: Option<Listing>,
    counted: Counted,
}

/// A folder below the root, by its name in its own.
#[derive(Debug)]
struct Node {
    above: Option<Arc<Self>>,
    name: CString,
    depth: usize,
}

#[derive(Debug)]
struct Pending {
    node: Option<Arc<Node>>,
    /// Names of it that are counted.
    done: usize,
}

#[derive(Debug)]
struct Listing {
    node: Option<Arc<Node>>,
    folder: OwnedFd,
    names: OwningIter,
    /// Names of it that are read.
    read: usize,
    /// Where what is pending of it begins.
    base: usize,
}

const DOWN: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

impl Tree {
    /// Begins. Folders that are `others` count by themselves.
    pub fn open(path: &Path, others: &[Identity]) -> Result<Self, Errno> {
        let root = open(path, DOWN | OFlag::O_RDONLY, Mode::empty())?;
        let known = fstat(&root)?;
        let counted = Counted { bytes: on_disk(&known), files: 1, is_part: false };
        Ok(Self {
            root,
            device: known.st_dev,
            others: others.iter().copied().filter(|other| *other != identity(&known)).collect(),
            pending: vec![Pending { node: None, done: 0 }],
            listing: None,
            counted,
        })
    }

    /// What was counted so far.
    pub fn so_far(&self) -> Counted {
        self.counted
    }

    /// Goes on until this moment; whether all of it is counted.
    pub fn go(&mut self, until: Instant) -> bool {
        loop {
            if self.listing.is_none() {
                let Some(next) = self.pending.pop() else { return true };
                self.listing = self.list(next);
            }
            for _ in 0..AT_ONCE {
                if !self.next_name() {
                    self.listing = None;
                    break;
                }
            }
            if Instant::now() >= until {
                return false;
            }
        }
    }

    fn list(&mut self, Pending { node, done }: Pending) -> Option<Listing> {
        match self.enter(node.as_deref()) {
            Ok((folder, names)) => Some(Listing { node, folder, names: skip(names, done), read: done, base: self.pending.len() }),
            // Removed or replaced since.
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::EXDEV) => None,
            Err(_) => {
                self.counted.is_part = true;
                None
            }
        }
    }

    fn enter(&self, node: Option<&Node>) -> Result<(OwnedFd, OwningIter), Errno> {
        let mut names: Vec<&CStr> = Vec::new();
        let mut at = node;
        while let Some(Node { above, name, .. }) = at {
            names.push(name);
            at = above.as_deref();
        }
        let mut folder = openat(&self.root, c".", DOWN | OFlag::O_PATH, Mode::empty())?;
        while let Some(name) = names.pop() {
            folder = openat(&folder, name, DOWN | OFlag::O_PATH, Mode::empty())?;
        }
        // A moved folder is still of this file system, or nothing of ours.
        if fstat(&folder)?.st_dev != self.device {
            return Err(Errno::EXDEV);
        }
        let names = Dir::from_fd(openat(&folder, c".", DOWN | OFlag::O_RDONLY, Mode::empty())?)?;
        Ok((folder, names.into_iter()))
    }

    /// Counts one name; whether there was one.
    fn next_name(&mut self) -> bool {
        let Some(listing) = self.listing.as_mut() else { return false };
        // What cannot be read of a folder ends it.
        let Some(Ok(entry)) = listing.names.next() else { return false };
        let name = entry.file_name();
        if name == c"." || name == c".." {
            listing.read += 1;
            return true;
        }
        let known = match fstatat(listing.folder.as_fd(), name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(known) if known.st_dev == self.device && !self.others.contains(&identity(&known)) => known,
            failed => {
                self.counted.is_part |= !matches!(failed, Ok(_) | Err(Errno::ENOENT));
                listing.read += 1;
                return true;
            }
        };
        if SFlag::from_bits_truncate(known.st_mode & SFlag::S_IFMT.bits()) == SFlag::S_IFDIR {
            let depth = listing.node.as_ref().map_or(0, |node| node.depth) + 1;
            if self.pending.len() >= MOST_PENDING && self.pending.len() > listing.base {
                // Its folders so far come first, then it is listed again from here.
                let rest = Pending { node: listing.node.clone(), done: listing.read };
                self.pending.insert(listing.base, rest);
                return false;
            }
            if depth > DEEPEST {
                self.counted.is_part = true;
            } else {
                let node = Node { above: listing.node.clone(), name: name.to_owned(), depth };
                self.pending.push(Pending { node: Some(Arc::new(node)), done: 0 });
            }
        }
        listing.read += 1;
        self.counted.files += 1;
        self.counted.bytes = self.counted.bytes.saturating_add(on_disk(&known));
        true
    }
}

/// What is at this path, where it is a folder.
pub fn identity_of(path: &Path) -> Option<Identity> {
    fstat(open(path, DOWN | OFlag::O_PATH, Mode::empty()).ok()?).ok().as_ref().map(identity)
}

const fn identity(known: &FileStat) -> Identity {
    (known.st_dev, known.st_ino)
}

/// This name's share of what the file takes.
fn on_disk(known: &FileStat) -> u64 {
    let bytes = u64::try_from(known.st_blocks).unwrap_or(0).saturating_mul(BLOCK);
    let is_folder = known.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFDIR.bits();
    if is_folder { bytes } else { bytes / known.st_nlink.max(1) }
}

fn skip(mut names: OwningIter, done: usize) -> OwningIter {
    for _ in 0..done {
        if names.next().is_none() {
            break;
        }
    }
    names
}

/// A long chain is let go link by link: each alone would call itself once for each step down.
impl Drop for Node {
    fn drop(&mut self) {
        let mut above = self.above.take();
        while let Some(node) = above.and_then(Arc::into_inner) {
            let mut node = node;
            above = node.above.take();
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a folder of the test's own")]

    use std::fs::{File, create_dir, create_dir_all, hard_link, write};
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use super::*;

    fn counted(path: &Path) -> Counted {
        let mut tree = Tree::open(path, &[]).unwrap();
        while !tree.go(Instant::now()) {}
        tree.so_far()
    }

    #[test]
    fn files_count_once_by_what_they_take_and_links_lead_nowhere() {
        let outside = tempfile::tempdir().unwrap();
        write(outside.path().join("big"), vec![1; 4 << 20]).unwrap();
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        let empty = counted(home.path()).bytes;
        write(at("a"), vec![1; 1 << 20]).unwrap();
        File::open(at("a")).unwrap().sync_all().unwrap();
        hard_link(at("a"), at("b")).unwrap();
        File::create(at("sparse")).unwrap().set_len(1 << 40).unwrap();
        symlink(outside.path(), at("out")).unwrap();
        symlink(".", at("loop")).unwrap();
        create_dir(at("c")).unwrap();
        hard_link(at("a"), at("c/d")).unwrap();
        let now = counted(home.path());
        let taken = now.bytes - empty;
        // Of a share that is no whole number the rest is lost; folders take nothing on some file systems.
        assert!(((1 << 20) - 16..(1 << 20) + (64 << 10)).contains(&taken), "{taken}");
        assert_eq!((now.files, now.is_part), (8, false));
    }

    #[test]
    fn what_is_deep_and_what_is_wide_is_counted_with_little_at_a_time() {
        let home = tempfile::tempdir().unwrap();
        for wide in 0..MOST_PENDING + 500 {
            create_dir(home.path().join(format!("w{wide}"))).unwrap();
        }
        let deep = (0..200).fold(home.path().join("w7"), |path, _| path.join("d"));
        create_dir_all(&deep).unwrap();
        write(deep.join("x"), vec![1; 1 << 16]).unwrap();
        let mut tree = Tree::open(home.path(), &[]).unwrap();
        while !tree.go(Instant::now() + Duration::from_micros(50)) {
            assert!(tree.pending.len() <= MOST_PENDING + 2);
        }
        let expected = 1 + MOST_PENDING as u64 + 500 + 200 + 1;
        assert_eq!((tree.so_far().files, tree.so_far().is_part), (expected, false));
    }

    #[test]
    fn a_folder_that_counts_by_itself_is_left_out() {
        let home = tempfile::tempdir().unwrap();
        create_dir_all(home.path().join("other/x")).unwrap();
        let other = identity_of(&home.path().join("other")).unwrap();
        let mut tree = Tree::open(home.path(), &[other, identity_of(home.path()).unwrap()]).unwrap();
        assert!(tree.go(Instant::now() + Duration::from_mins(1)));
        assert_eq!(tree.so_far().files, 1);
        assert!(identity_of(&home.path().join("none")).is_none());
    }
}
