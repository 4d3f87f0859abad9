//! A project's `.palisade.toml`: written by whoever wrote the project, so it is opened as something hostile.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat, openat2};
use nix::sys::stat::Mode;

use super::text_file;
use crate::failure::{Code, Failure, Result};

/// What it is called.
pub(super) const NAME: &str = ".palisade.toml";
/// A profile is a page of text.
const LARGEST: u64 = 64 << 10;

/// Its text; `None` where the folder has none. A link may lead within the folder and nowhere else; what is no
/// regular file, or is larger than 64 KiB, is refused.
pub(super) fn read(folder: &Path) -> Result<Option<String>> {
    let path = folder.join(NAME);
    let refuse = |why: &str| {
        Failure::new(Code::Refused, "this project's profile cannot be used")
            .detail(format!("{}: {why}", path.display()))
            .hint("make it a file of its own in the project's folder, or leave it out")
    };
    let file = match open_beneath(folder) {
        Ok(file) => file,
        Err(Errno::ENOENT | Errno::ENOTDIR) if !path.is_symlink() => return Ok(None),
        Err(Errno::ENOENT) => return Err(refuse("it is a link that leads nowhere")),
        Err(Errno::EXDEV) => return Err(refuse("it is a link that leads out of the folder")),
        Err(Errno::ELOOP) => return Err(refuse("it is a link that cannot be followed safely")),
        // A socket, or a device without a driver.
        Err(Errno::ENXIO | Errno::ENODEV) => return Err(refuse("it is not a regular file")),
        Err(error) => return Err(Failure::io(format!("read {}", path.display()), &io::Error::from(error))),
    };
    match file.metadata() {
        Ok(kind) if kind.is_file() => {}
        Ok(_) => return Err(refuse("it is not a regular file")),
        Err(error) => return Err(Failure::io(format!("read {}", path.display()), &error)),
    }
    text_file::text(&path, file, LARGEST).map(Some)
}

/// Opens it without ever leaving the folder and without waiting for the other end of a pipe.
fn open_beneath(folder: &Path) -> Result<File, Errno> {
    let folder = open(folder, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let how = OpenHow::new().flags(flags).resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let file = match openat2(folder.as_fd(), NAME, how) {
        // Kernels before 5.6, and sandboxes around us that do not know the call: then no link at all.
        Err(Errno::ENOSYS | Errno::EPERM) => openat(folder.as_fd(), NAME, flags | OFlag::O_NOFOLLOW, Mode::empty()),
        opened => opened,
    };
    file.map(File::from)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests write the files that are read")]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_project_may_have_one_or_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
        assert_eq!(read(&folder.path().join("absent")).unwrap(), None);
        fs::write(folder.path().join(NAME), "memory = '1GiB'").unwrap();
        assert_eq!(read(folder.path()).unwrap().as_deref(), Some("memory = '1GiB'"));
    }

    #[test]
    fn a_link_may_lead_within_the_folder_and_nowhere_else() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "secret").unwrap();
        let folder = outside.path().join("project");
        fs::create_dir_all(folder.join("sub")).unwrap();
        fs::write(folder.join("sub/inner.toml"), "").unwrap();
        symlink("..", folder.join("up")).unwrap();
        let link = folder.join(NAME);
        symlink("sub/inner.toml", &link).unwrap();
        assert_eq!(read(&folder).unwrap().as_deref(), Some(""));
        for target in ["../secret", "up/secret", "/etc/passwd", "/proc/self/environ", "absent", NAME] {
            fs::remove_file(&link).unwrap();
            symlink(target, &link).unwrap();
            let error = read(&folder).unwrap_err();
            assert_eq!(error.code, Code::Refused, "{target}");
            assert!(error.to_string().contains("it is a link that"), "{error}");
        }
    }

    #[test]
    fn pipes_sockets_folders_and_floods_are_refused_without_waiting() {
        let refused = |make: &dyn Fn(&Path)| {
            let folder = tempfile::tempdir().unwrap();
            make(&folder.path().join(NAME));
            read(folder.path()).unwrap_err().to_string()
        };
        assert!(refused(&|path| nix::unistd::mkfifo(path, Mode::S_IRWXU).unwrap()).contains("not a regular file"));
        assert!(refused(&|path| drop(UnixListener::bind(path).unwrap())).contains("not a regular file"));
        assert!(refused(&|path| fs::create_dir(path).unwrap()).contains("not a regular file"));
        assert!(refused(&|path| fs::write(path, vec![b'#'; (64 << 10) + 1]).unwrap()).contains("larger than 64 KiB"));
        assert!(refused(&|path| fs::write(path, [0xff]).unwrap()).contains("not UTF-8"));
    }
}
