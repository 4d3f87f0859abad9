//! A root file system as a tar archive on its way to the engine: what a bootstrapped tree holds, less what only
//! its making left behind.
#![expect(clippy::disallowed_methods, reason = "packs a folder that this program had made")]

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use bytes::Bytes as Chunk;
use futures_util::StreamExt;
use tokio::sync::mpsc;

use crate::backend::engine::ByteStream;

/// One piece of the archive, and how many may wait for the engine: a megabyte in all.
const CHUNK: usize = 64 << 10;
const WAITING: usize = 16;

/// Folders that go along empty: the engine mounts over them, or they hold caches.
const EMPTIED: [&str; 12] = [
    "dev",
    "proc",
    "run",
    "sys",
    "tmp",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
    "var/tmp",
];
/// Files that tell of the machine on which the tree was made.
const LEFT_OUT: [&str; 4] = ["etc/hostname", "etc/machine-id", "etc/resolv.conf", "var/cache/ldconfig/aux-cache"];

/// The archive of `root`, packed as it is read. An error on the way is the stream's last item.
pub fn archive(root: PathBuf) -> ByteStream {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        let mut archive = tar::Builder::new(io::BufWriter::with_capacity(CHUNK, Pieces(Some(sender))));
        let packed = pack(&root, &mut archive).and_then(|()| archive.finish()).and_then(|()| archive.get_mut().flush());
        if let Err(error) = packed {
            archive.get_mut().get_mut().fail(error);
        }
    });
    futures_util::stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|piece| (piece, receiver)) }).boxed()
}

/// Hands on what is written, until it fails: an archive that is dropped ends itself properly, and half a system
/// must not look like a whole one.
struct Pieces(Option<mpsc::Sender<io::Result<Chunk>>>);

impl Pieces {
    fn fail(&mut self, error: io::Error) {
        if let Some(sender) = self.0.take() {
            // The receiver is gone where the engine gave up first: it has said why.
            let _ = sender.blocking_send(Err(error));
        }
    }
}

impl Write for Pieces {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let sender = self.0.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        sender.blocking_send(Ok(Chunk::copy_from_slice(buffer))).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn pack<W: Write>(root: &Path, archive: &mut tar::Builder<W>) -> io::Result<()> {
    let mut linked = HashMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let mut entries = fs::read_dir(root.join(&folder))?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = folder.join(entry.file_name());
            if is_left_out(&path) {
                continue;
            }
            let metadata = entry.metadata()?;
            append(archive, &entry.path(), &path, &metadata, &mut linked)?;
            if metadata.is_dir() {
                folders.push(path);
            }
        }
    }
    Ok(())
}

fn is_left_out(path: &Path) -> bool {
    let emptied = path.parent().is_some_and(|folder| EMPTIED.iter().any(|name| folder == Path::new(name)));
    // Licences stay with what they license.
    let manual =
        path.starts_with("usr/share/doc") && path.components().count() > 4 && path.file_name().is_some_and(|name| name != "copyright");
    emptied || manual || LEFT_OUT.iter().any(|name| path == Path::new(name))
}

fn append<W: Write>(
    archive: &mut tar::Builder<W>,
    source: &Path,
    path: &Path,
    metadata: &Metadata,
    linked: &mut HashMap<(u64, u64), PathBuf>,
) -> io::Result<()> {
    let kind = metadata.file_type();
    let mut header = tar::Header::new_gnu();
    header.set_metadata(metadata);
    if kind.is_dir() {
        archive.append_data(&mut header, path, io::empty())
    } else if kind.is_symlink() {
        header.set_size(0);
        archive.append_link(&mut header, path, fs::read_link(source)?)
    } else if kind.is_file() {
        if metadata.nlink() > 1 {
            match linked.entry((metadata.dev(), metadata.ino())) {
                Entry::Occupied(first) => {
                    header.set_entry_type(tar::EntryType::Link);
                    header.set_size(0);
                    return archive.append_link(&mut header, path, first.get());
                }
                Entry::Vacant(first) => first.insert(path.to_owned()),
            };
        }
        archive.append_data(&mut header, path, File::open(source)?)
    } else {
        // Devices, pipes and sockets: no package has one, and the engine makes its own.
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn packed(root: &Path) -> BTreeMap<String, (tar::EntryType, u32, String)> {
        let mut archive = tar::Builder::new(Vec::new());
        pack(root, &mut archive).unwrap();
        let bytes = archive.into_inner().unwrap();
        let mut found = BTreeMap::new();
        for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
            let entry = entry.unwrap();
            let path = entry.path().unwrap().to_string_lossy().trim_end_matches('/').to_owned();
            let link = entry.link_name().unwrap().map_or_else(String::new, |link| link.to_string_lossy().into_owned());
            found.insert(path, (entry.header().entry_type(), entry.header().mode().unwrap() & 0o7777, link));
        }
        found
    }

    #[test]
    fn a_tree_keeps_its_modes_and_links_and_loses_its_leavings() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for folder in ["usr/bin", "var/cache/apt/archives", "usr/share/doc/tar/examples", "usr/share/man/man1", "tmp", "etc"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        for file in [
            "usr/bin/perl",
            "var/cache/apt/archives/perl.deb",
            "usr/share/doc/tar/copyright",
            "usr/share/doc/tar/changelog.gz",
            "etc/resolv.conf",
            "tmp/left",
        ] {
            fs::write(at(file), file).unwrap();
        }
        fs::set_permissions(at("usr/bin/perl"), fs::Permissions::from_mode(0o4755)).unwrap();
        fs::set_permissions(at("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
        fs::hard_link(at("usr/bin/perl"), at("usr/bin/perl5")).unwrap();
        symlink("usr/bin", at("bin")).unwrap();

        let found = packed(root.path());
        assert_eq!(found["usr/bin/perl"], (tar::EntryType::Regular, 0o4755, String::new()));
        assert_eq!(found["usr/bin/perl5"].0, tar::EntryType::Link);
        assert_eq!(found["usr/bin/perl5"].2, "usr/bin/perl");
        assert_eq!(found["bin"], (tar::EntryType::Symlink, 0o777, "usr/bin".to_owned()));
        assert_eq!(found["tmp"], (tar::EntryType::Directory, 0o1777, String::new()));
        assert!(found.contains_key("usr/share/doc/tar/copyright") && found.contains_key("var/cache/apt"));
        for gone in ["var/cache/apt/archives", "usr/share/doc/tar/changelog.gz", "usr/share/man/man1", "etc/resolv.conf", "tmp/left"] {
            assert!(!found.contains_key(gone), "{gone}");
        }
    }

    #[tokio::test]
    async fn a_tree_that_cannot_be_read_ends_the_stream_with_its_error() {
        let mut stream = archive(PathBuf::from("/nonexistent"));
        assert!(stream.next().await.unwrap().is_err());
        assert!(stream.next().await.is_none());
    }
}
