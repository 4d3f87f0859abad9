//! What the operator's terminal was sent, written down as an asciicast (version 2): what any player of these shows is what was
//! drawn here, without anything that a session wrote itself.

#![expect(clippy::disallowed_methods, reason = "the recording is a file of the operator's own choosing")]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::failure::{Code, Failure, Result};
use crate::terminal::{Size, TERM};

/// Players read a line whole.
const LONGEST_PIECE: usize = 64 << 10;

/// Which file is written, and whether one that is there may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The file.
    pub path: PathBuf,
    /// Over one that is there.
    pub force: bool,
}

/// A recording that goes on.
#[derive(Debug)]
pub struct Recording {
    file: Option<File>,
    path: PathBuf,
    failure: Option<Failure>,
}

#[derive(Serialize)]
struct Head<'a> {
    version: u8,
    width: u16,
    height: u16,
    timestamp: i64,
    title: &'a str,
    env: Env,
}

#[derive(Serialize)]
struct Env {
    #[serde(rename = "TERM")]
    term: &'static str,
}

impl Recording {
    /// Begins one, for its owner's eyes only.
    pub fn begin(target: &Target, title: &str, size: Size, began: Timestamp) -> Result<Self> {
        let path = &target.path;
        let mut options = OpenOptions::new();
        options.write(true).mode(0o600);
        if target.force {
            options.create(true).truncate(true)
        } else {
            options.create_new(true)
        };
        let file = options.open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                Failure::new(Code::Conflict, format!("{} is there already", path.display())).hint("--force writes over it")
            }
            _ => failed(path, &error),
        })?;
        let mut recording = Self { file: Some(file), path: path.clone(), failure: None };
        let (width, height) = (size.columns(), size.rows());
        recording.line(&Head { version: 2, width, height, timestamp: began.as_second(), title, env: Env { term: TERM } });
        recording.failure.take().map_or(Ok(recording), Err)
    }

    /// The terminal was sent this.
    pub fn output(&mut self, at: Duration, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let mut rest = &*text;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(LONGEST_PIECE));
            self.line(&(seconds(at), "o", piece));
            rest = after;
        }
    }

    /// The terminal has this size.
    pub fn resize(&mut self, at: Duration, size: Size) {
        self.line(&(seconds(at), "r", format!("{}x{}", size.columns(), size.rows())));
    }

    /// Why it ended before its time, once.
    pub fn finish(&mut self) -> Option<Failure> {
        self.file = None;
        self.failure.take()
    }

    fn line(&mut self, line: &impl Serialize) {
        let Some(file) = &mut self.file else { return };
        if let Err(error) = file.write_all(&crate::headless::line(line)) {
            // The session goes on without it.
            self.file = None;
            self.failure = Some(failed(&self.path, &error));
        }
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::io(format_args!("record to {}", path.display()), error)
}

/// To the microsecond, as players expect it.
#[expect(clippy::cast_precision_loss, reason = "a recording is shorter than the 285 years that a float counts in microseconds")]
fn seconds(at: Duration) -> f64 {
    at.as_micros() as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn begin(path: &Path, force: bool) -> Result<Recording> {
        Recording::begin(&Target { path: path.to_owned(), force }, "web", Size::new(80, 24), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn a_recording_is_an_asciicast_that_only_its_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.cast");
        let mut recording = begin(&path, false).unwrap();
        recording.output(Duration::from_micros(1_500_001), "é\u{1b}[1m".as_bytes());
        recording.resize(Duration::from_secs(2), Size::new(100, 30));
        assert_eq!(recording.finish(), None);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["version"], &lines[0]["width"], &lines[0]["height"]), (&2.into(), &80.into(), &24.into()));
        assert_eq!(lines[1], serde_json::json!([1.500_001, "o", "é\u{1b}[1m"]));
        assert_eq!(lines[2], serde_json::json!([2.0, "r", "100x30"]));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(begin(&path, false).unwrap_err().code, Code::Conflict);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        drop(begin(&path, true).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
    }

    #[test]
    fn a_full_disk_ends_it_and_says_so_once() {
        let error = begin(Path::new("/dev/full"), true).unwrap_err();
        assert!(error.to_string().contains("/dev/full"), "{error}");
    }
}
