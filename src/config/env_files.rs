//! Reads the files of `--env-file`; what their lines mean is `policy::env`'s.
#![expect(clippy::disallowed_methods, reason = "config is where files are read")]

use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;

use super::text_file;
use crate::failure::{Code, Failure, Result};

/// More than the kernel would hand to any program.
const LARGEST: u64 = 1 << 20;

/// Path and text of each, in the order given, for [`crate::policy::env::environment`]. A pipe will do: the
/// operator named it, and `--env-file <(command)` keeps secrets off the disk.
pub fn env_files(paths: &[PathBuf]) -> Result<Vec<(String, String)>> {
    let read = |path: &PathBuf| {
        let shown = path.display().to_string();
        let file = File::open(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                Failure::new(Code::NotFound, format!("there is no env file {shown}")).hint("correct the path after --env-file")
            }
            _ => Failure::io(format!("read {shown}"), &error),
        })?;
        Ok((shown, text_file::text(path, file, LARGEST)?))
    };
    paths.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_pipes_are_read_in_the_order_given_and_a_missing_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (file, pipe) = (folder.path().join("a.env"), folder.path().join("pipe"));
        std::fs::write(&file, "A=1\n").unwrap();
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::write(pipe, "B=2").unwrap()
        });
        let texts: Vec<String> = env_files(&[pipe, file]).unwrap().into_iter().map(|(_, text)| text).collect();
        writer.join().unwrap();
        assert_eq!(texts, ["B=2", "A=1\n"]);
        let error = env_files(&[folder.path().join("absent.env")]).unwrap_err();
        assert!(error.code == Code::NotFound && error.message.ends_with("absent.env"));
        assert_eq!(env_files(&[folder.path().to_owned()]).unwrap_err().code, Code::Io);
    }
}
