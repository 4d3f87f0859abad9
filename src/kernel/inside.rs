use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};

use super::Unreadable;
use super::procfs::Procfs;

/// A file as the processes of a container see it, of at most so many bytes; `None` where there is none. Links are not
/// followed: whoever writes in the container must not choose what is read here.
pub fn read(proc: &Procfs, pid: u32, path: &str, most: usize) -> Result<Option<Vec<u8>>, Unreadable> {
    let unreadable = |error: std::io::Error| match Unreadable::from_io("read its file", &error) {
        Unreadable::Gone => Unreadable::NotLocal,
        other => other,
    };
    #[expect(clippy::disallowed_methods, reason = "the container's own root, by the kernel's link to it")]
    let root = File::open(proc.path(pid, "root")).map_err(unreadable)?;
    // Not to wait for a pipe's other end.
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW;
    let how = OpenHow::new().flags(flags).resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_SYMLINKS);
    let file = match openat2(root.as_fd(), Path::new(path.trim_start_matches('/')), how) {
        Ok(file) => File::from(file),
        Err(Errno::ENOENT) => return Ok(None),
        Err(errno) => return Err(Unreadable::from_io("read its file", &errno.into())),
    };
    let told = |error: std::io::Error| Unreadable::from_io("read its file", &error);
    let metadata = file.metadata().map_err(told)?;
    if !metadata.is_file() || metadata.len() > most as u64 {
        return Err(Unreadable::Other(format!("{path} is no file of at most {most} bytes")));
    }
    let mut content = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut content).map_err(told)?;
    if content.len() > most {
        return Err(Unreadable::Other(format!("{path} is no file of at most {most} bytes")));
    }
    Ok(Some(content))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests write the files that are read")]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_and_links_pipes_and_giants_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("7/root");
        std::fs::create_dir_all(root.join("depot")).unwrap();
        std::fs::write(root.join("depot/file"), b"content").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("depot/link")).unwrap();
        std::os::unix::fs::symlink("depot", root.join("folder")).unwrap();
        nix::unistd::mkfifo(&root.join("depot/pipe"), nix::sys::stat::Mode::S_IRUSR).unwrap();
        let proc = Procfs::new(folder.path().to_owned());
        assert_eq!(read(&proc, 7, "/depot/file", 7).unwrap().unwrap(), b"content");
        assert_eq!(read(&proc, 7, "/depot/none", 7).unwrap(), None);
        for (path, most) in [
            ("/depot/file", 6),
            ("/depot/link", 9_999),
            ("/folder/file", 9),
            ("/depot/pipe", 9),
            ("/depot", 9),
            ("/../../etc/passwd", 9_999),
        ] {
            assert!(!matches!(read(&proc, 7, path, most), Ok(Some(_))), "{path}");
        }
        assert_eq!(read(&proc, 8, "/depot/file", 7), Err(Unreadable::NotLocal));
    }
}
