//! Copying files into and out of a container over the engine's archive calls, as `docker cp` does.
//!
//! What comes out of a sandbox is hostile, and `unpack` treats it so; what goes in is read without following
//! links, so that a folder which a sandbox may write cannot name files of the operator. The engine's archive
//! calls see a container's image, volumes and binds, but not what is mounted inside its own namespace: a tmpfs
//! is out of their reach, on every engine. Such a path is refused in words rather than copied beside it; nothing
//! is run in the sandbox to get around that.

mod pack;
mod pipe;
mod place;
mod unpack;

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::Path;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::task::{JoinError, spawn_blocking};

use super::engine::{Engine, Progress, failure_in};
use super::{CopyReport, Reporter};
use crate::failure::{Code, Failure, Result};
use crate::session::{ContainerFacts, labels};
use crate::units::{Bytes, sanitise};
use pack::Stopped;
use place::Inside;

/// Pieces between the engine's stream and the thread that reads or writes files: a few hundred kilobytes.
const QUEUE: usize = 4;
/// What is less is done before anybody looks; of more, each of these is told.
const TOLD: u64 = 1 << 20;

/// Copies a local file or folder to a path in a container, its files owned by `run_as`.
pub async fn copy_in(
    engine: &dyn Engine,
    container: &str,
    run_as: (u32, u32),
    local: &Path,
    inside: &str,
    reporter: &dyn Reporter,
) -> Result<CopyReport> {
    let facts = engine.inspect(container).await?;
    let inside = Inside::parse(inside);
    let source = pack::Source::open(local)?;
    let (folder, name) = landing(engine, &facts.id, &inside, &source).await?;
    place::writable(&facts, &inside.path)?;
    if let Some(name) = &name {
        place::writable(&facts, &place::join(&folder, &name.to_string_lossy()))?;
    }
    let (sender, mut receiver) = mpsc::channel(QUEUE);
    let packing = spawn_blocking(move || source.pack(name.as_deref(), run_as, &sender));
    let (passing, passed) = mpsc::channel(1);
    let counting = async move {
        let mut meter = Meter::new(reporter);
        while let Some(piece) = receiver.recv().await {
            meter.count(&piece);
            if passing.send(piece).await.is_err() {
                break;
            }
        }
    };
    let (sent, packed, ()) = tokio::join!(engine.upload(&facts.id, &folder, pipe::stream(passed)), packing, counting);
    let sent = sent.map_err(|failure| match failure.code {
        Code::NotFound => absent(&facts, &folder, &format!("mkdir -p {folder}")),
        _ => failure,
    });
    match packed.map_err(|error| died(&error))? {
        Ok(report) => sent.map(|()| report),
        Err(Stopped::Failed(failure)) => Err(failure),
        Err(Stopped::Unheard) => match sent {
            Err(failure) => Err(failure),
            Ok(()) => {
                Err(Failure::new(Code::EngineError, format!("the engine took only a part of '{}'", sanitise(&local.to_string_lossy()))))
            }
        },
    }
}

/// Copies a path of a container to a local file or folder; stops at `max_size` bytes of content.
///
/// Set-id bits, write permission for others, devices, pipes, and links that lead out of the copied folder are left
/// behind; what was left out stands in the report.
pub async fn copy_out(
    engine: &dyn Engine,
    container: &str,
    inside: &str,
    local: &Path,
    max_size: u64,
    reporter: &dyn Reporter,
) -> Result<CopyReport> {
    let facts = engine.inspect(container).await?;
    let inside = Inside::parse(inside);
    place::visible(&facts, &inside.path)?;
    let asked = if inside.contents { place::join(&inside.path, ".") } else { inside.path.clone() };
    let mut archive = engine.download(&facts.id, &asked);
    let (sender, receiver) = mpsc::channel(QUEUE);
    let order = order(&inside, local, max_size);
    let unpacking = spawn_blocking(move || unpack::unpack(pipe::ChunkReader::new(receiver), &order));
    let mut fault = None;
    let mut meter = Meter::new(reporter);
    while let Some(chunk) = archive.next().await {
        meter.count(&chunk);
        if let Err(error) = &chunk {
            fault = Some(match failure_in(error) {
                Some(failure) if failure.code == Code::NotFound => absent(&facts, &inside.path, &format!("ls {}", inside.parent())),
                Some(failure) => failure.clone(),
                None => Failure::io("read the engine's archive", error),
            });
        }
        if sender.send(chunk).await.is_err() {
            break;
        }
    }
    drop(sender);
    let unpacked = unpacking.await.map_err(|error| died(&error))?;
    // An archive that was unpacked to its end is whole, whatever became of the connection after it.
    match (unpacked, fault) {
        (Err(_), Some(fault)) => Err(fault),
        (unpacked, _) => unpacked,
    }
}

/// Tells how much has passed.
struct Meter<'a> {
    reporter: &'a dyn Reporter,
    passed: u64,
    told: u64,
}

impl<'a> Meter<'a> {
    fn new(reporter: &'a dyn Reporter) -> Self {
        Self { reporter, passed: 0, told: 0 }
    }

    fn count(&mut self, piece: &std::io::Result<bytes::Bytes>) {
        self.passed += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        if self.passed - self.told >= TOLD {
            self.told = self.passed;
            self.reporter.progress(&Progress { item: "copied".into(), text: "".into(), amount: Some((self.passed, None)) });
        }
    }
}

/// Unpacks an archive of a path of a container, as [`copy_out`] does with the engine's.
pub fn extract(archive: impl Read, inside: &str, local: &Path, max_size: u64) -> Result<CopyReport> {
    unpack::unpack(archive, &order(&Inside::parse(inside), local, max_size))
}

fn order(inside: &Inside, local: &Path, max_size: u64) -> unpack::Order {
    unpack::Order {
        local: local.to_owned(),
        name: (!inside.contents).then(|| OsString::from(inside.name())),
        asked: inside.path.clone(),
        max_size: Bytes::new(max_size),
    }
}

/// What the engine says of a container's id, which the operator has never seen, said of the session.
fn absent(facts: &ContainerFacts, path: &str, command: &str) -> Failure {
    let container = facts.name.raw();
    let who = sanitise(container.strip_prefix(labels::CONTAINER_PREFIX).unwrap_or(container));
    Failure::new(Code::NotFound, format!("there is no '{}' in '{who}'", sanitise(path)))
        .hint(format!("palisade exec {who} -- {}", sanitise(command)))
}

/// Where an archive is unpacked and what its root is called there; `None` for the contents alone.
async fn landing(engine: &dyn Engine, id: &str, inside: &Inside, source: &pack::Source) -> Result<(String, Option<OsString>)> {
    let path = &inside.path;
    match kind(engine, id, path).await? {
        Kind::Folder => Ok((path.clone(), source.name().map(OsStr::to_owned))),
        Kind::Other if source.is_folder() => {
            Err(Failure::new(Code::Conflict, format!("cannot copy a folder over the file '{}'", sanitise(path))))
        }
        Kind::Other | Kind::Missing if inside.must_be_folder && !source.is_folder() => {
            Err(Failure::new(Code::NotFound, format!("there is no folder '{}' in the container", sanitise(path)))
                .hint("without the trailing slash the file would be copied under that name"))
        }
        Kind::Other | Kind::Missing => Ok((inside.parent(), Some(OsString::from(inside.name())))),
    }
}

enum Kind {
    Folder,
    /// A file, a device, a link to one.
    Other,
    Missing,
}

/// What stands at a path, links followed: the engine packs `PATH/.` only where that is a folder.
async fn kind(engine: &dyn Engine, id: &str, path: &str) -> Result<Kind> {
    if path == "/" {
        return Ok(Kind::Folder);
    }
    match engine.download(id, &place::join(path, ".")).next().await {
        Some(Ok(_)) => Ok(Kind::Folder),
        None => Ok(Kind::Missing),
        Some(Err(error)) => match failure_in(&error) {
            Some(failure) if failure.code == Code::NotFound => Ok(Kind::Missing),
            Some(failure) if failure.code == Code::EngineError => Ok(Kind::Other),
            Some(failure) => Err(failure.clone()),
            None => Err(Failure::io("read the engine's archive", &error)),
        },
    }
}

fn died(error: &JoinError) -> Failure {
    Failure::new(Code::Internal, format!("the copying thread ended: {error}"))
}
