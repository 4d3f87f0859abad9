//! The file: version 2 of the asciicast format, a line of JSON for its head and one for each event. Read by a thread of its own, a
//! few lines ahead.

#![expect(clippy::disallowed_methods, reason = "the recording is a file that the operator names")]

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};

use super::size;
use crate::failure::{Code, Failure, Result};
use crate::terminal::Size;

/// A line of a recording, at most; ours are a tenth of it.
const LONGEST_LINE: u64 = 4 << 20;
/// Lines read ahead.
const AHEAD: usize = 4;
/// No recording is longer: beyond this a time is a lie, or has no meaning.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Since the beginning.
    pub at: Duration,
    /// What.
    pub what: What,
}

/// What may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The terminal was sent this.
    Output(Vec<u8>),
    /// It had this size from then on.
    Resize(Size),
}

#[derive(Deserialize)]
struct Head {
    version: u64,
    #[serde(default)]
    width: u64,
    #[serde(default)]
    height: u64,
}

/// What a recording holds, in order: one head, then events.
pub enum Came {
    /// The size that it begins with.
    Head(Size),
    /// Something that happened.
    Event(Event),
}

/// Opens a file: the size it begins with, and its events as they are read.
pub async fn open(path: &Path) -> Result<(Size, mpsc::Receiver<Result<Event>>)> {
    let (head, told) = oneshot::channel();
    let (events, receiver) = mpsc::channel(AHEAD);
    let path = path.to_owned();
    let thread = std::thread::Builder::new().name("recording".into()).spawn(move || send(&path, head, &events));
    thread.map_err(|error| Failure::io("read the recording", &error))?;
    let size = told.await.map_err(|_| Failure::new(Code::Internal, "the recording could not be read"))??;
    Ok((size, receiver))
}

fn send(path: &Path, head: oneshot::Sender<Result<Size>>, events: &mpsc::Sender<Result<Event>>) {
    let mut head = Some(head);
    let read = File::open(path).map_err(|error| Failure::io(format_args!("read {}", path.display()), &error)).and_then(|file| {
        read(BufReader::new(file), path, |came| match came {
            Came::Head(size) => head.take().is_some_and(|head| head.send(Ok(size)).is_ok()),
            Came::Event(event) => events.blocking_send(Ok(event)).is_ok(),
        })
    });
    if let Err(failure) = read {
        match head {
            Some(head) => drop(head.send(Err(failure))),
            None => drop(events.blocking_send(Err(failure))),
        }
    }
}

/// Reads a recording, as long as `tell` wants to hear more. `path` is for messages.
pub fn read(mut file: impl BufRead, path: &Path, mut tell: impl FnMut(Came) -> bool) -> Result<()> {
    let mut number = 1;
    let Some(first) = next_line(&mut file, number, path)? else { return Err(no_cast(path)) };
    let mut goes_on = tell(Came::Head(parse_head(&first, path)?));
    while goes_on {
        number += 1;
        let Some(line) = next_line(&mut file, number, path)? else { return Ok(()) };
        if line.trim_ascii().is_empty() {
            continue;
        }
        let event = parse(&line)
            .map_err(|()| Failure::new(Code::Usage, format!("line {number} of {} is no event of a recording", path.display())))?;
        if let Some(event) = event {
            goes_on = tell(Came::Event(event));
        }
    }
    Ok(())
}

fn next_line(file: &mut impl BufRead, number: u64, path: &Path) -> Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
    read.map_err(|error| Failure::io(format_args!("read {}", path.display()), &error))?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') && line.len() as u64 == LONGEST_LINE {
        return Err(Failure::new(Code::Usage, format!("line {number} of {} is longer than 4 MiB", path.display())));
    }
    Ok(Some(line))
}

fn no_cast(path: &Path) -> Failure {
    Failure::new(Code::Usage, format!("{} is no asciicast", path.display())).hint("'--record FILE' of attach, shell and exec -t writes one")
}

fn parse_head(line: &[u8], path: &Path) -> Result<Size> {
    let head: Head = serde_json::from_slice(line).map_err(|_| no_cast(path))?;
    if head.version != 2 {
        let message = format!("{} is an asciicast of version {}, and version 2 is what can be played", path.display(), head.version);
        return Err(Failure::new(Code::Usage, message));
    }
    Ok(if head.width == 0 || head.height == 0 { Size::USUAL } else { size(head.width, head.height) })
}

/// An event that is not shown is `None`: what was typed, marks, and what later versions may add.
fn parse(line: &[u8]) -> std::result::Result<Option<Event>, ()> {
    let (at, kind, data): (f64, String, serde_json::Value) = serde_json::from_slice(line).map_err(drop)?;
    let at = Duration::try_from_secs_f64(at.max(0.0)).unwrap_or(LONGEST).min(LONGEST);
    let what = match (kind.as_str(), data) {
        ("o", serde_json::Value::String(text)) => What::Output(text.into_bytes()),
        ("r", serde_json::Value::String(text)) => {
            let (columns, rows) = text.split_once('x').ok_or(())?;
            What::Resize(size(columns.parse().map_err(drop)?, rows.parse().map_err(drop)?))
        }
        ("o" | "r", _) => return Err(()),
        _ => return Ok(None),
    };
    Ok(Some(Event { at, what }))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(content: &[u8]) -> Result<(Size, Vec<Event>)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.cast");
        std::fs::write(&path, content).unwrap();
        let (size, mut events) = open(&path).await?;
        let mut all = Vec::new();
        while let Some(event) = events.recv().await {
            all.push(event?);
        }
        Ok((size, all))
    }

    #[tokio::test]
    async fn a_recording_is_read_and_what_is_not_shown_left_out() {
        let cast =
            b"{\"version\": 2, \"width\": 80, \"height\": 24, \"env\": {}}\n[0.5, \"o\", \"hi\\u001b[1m\"]\n\n[1, \"i\", \"typed\"]\n\
            [1.25, \"r\", \"100x30\"]\n[2, \"m\", \"\"]\n[3, \"x\", {}]";
        let (size, events) = all(cast).await.unwrap();
        assert_eq!(size, Size::new(80, 24));
        let at = Duration::from_millis;
        assert_eq!(
            events,
            [
                Event { at: at(500), what: What::Output(b"hi\x1b[1m".to_vec()) },
                Event { at: at(1250), what: What::Resize(Size::new(100, 30)) }
            ]
        );
    }

    #[tokio::test]
    async fn times_and_sizes_that_lie_are_bounded() {
        let cast = "{\"version\":2,\"width\":18446744073709551615,\"height\":3}\n[1e308,\"o\",\"\"]\n[-5,\"r\",\"99999999x1\"]\n";
        let (size, events) = all(cast.as_bytes()).await.unwrap();
        assert_eq!(size, Size::new(1000, 3));
        assert_eq!(events[0].at, LONGEST);
        assert_eq!(events[1], Event { at: Duration::ZERO, what: What::Resize(Size::new(1000, 2)) });
    }

    #[tokio::test]
    async fn what_is_no_recording_is_refused_by_its_line() {
        for wrong in [
            &b""[..],
            b"hello\n",
            b"{\"version\":3}\n",
            b"{\"version\":2}\nnonsense\n",
            b"{\"version\":2}\n[\"o\"]\n",
            b"{\"version\":2}\n[0,\"r\",\"1\"]\n",
            b"{\"version\":2}\n[0,\"o\",7]\n",
            &b"x".repeat(5 << 20),
            &[&b"{\"version\":2}\n[0,\"o\",\""[..], &b"y".repeat(5 << 20), b"\"]\n"].concat(),
        ] {
            let failure = all(wrong).await.unwrap_err();
            assert_eq!(failure.code, Code::Usage, "{failure}");
        }
    }
}
