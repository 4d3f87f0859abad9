//! Copying files into and out of a container over the engine's archive calls, as `docker cp` does.
//!
//! What comes out of a sandbox is hostile, and `unpack` treats it so; what goes in is read without following
//! links, so that a folder which a sandbox may write cannot name files of the operator. An archive that passes through (`cp NAME:PATH -`,
//! `cp - NAME:DIR`) is made anew by `remake`, in either direction. The engine's archive
//! calls see a container's image, volumes and binds, but not what is mounted inside its own namespace: a tmpfs
//! is out of their reach, on every engine. Such a path is refused in words rather than copied beside it; nothing
//! is run in the sandbox to get around that.

mod carry;
#[cfg(test)]
mod hostile;
mod incoming;
mod link;
mod name;
mod pack;
mod pipe;
mod place;
mod remake;
mod unpack;

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::engine::{ByteStream, Engine, failure_in};
use super::{CopyReport, Reporter};
use crate::failure::{Code, Failure, Result};
use crate::session::{ContainerFacts, labels};
use crate::units::{Bytes, sanitise};
use carry::{Blame, QUEUE};
use incoming::Origin;
use pack::Stopped;
use pipe::ChunkReader;
use place::Inside;

/// What may follow an archive's end in a pipe: `tar` fills its last record.
const FILLING: u64 = 1 << 20;

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
    let (sender, packed) = mpsc::channel(QUEUE);
    let packing = spawn_blocking(move || source.pack(name.as_deref(), run_as, &sender));
    let sent = carry::send((engine, &facts.id, &folder), packed, packing, reporter, || Blame::Packing).await;
    sent.map_err(|failure| match failure.code {
        Code::NotFound => absent(&facts, &folder, &format!("mkdir -p {folder}")),
        _ => failure,
    })
}

/// Unpacks an archive that a stream brings in a folder of a container, made anew as [`archive_out`] does; everything in it will be `run_as`'s.
pub async fn archive_in(
    engine: &dyn Engine,
    container: &str,
    run_as: (u32, u32),
    mut archive: ByteStream,
    inside: &str,
    max_size: u64,
    reporter: &dyn Reporter,
) -> Result<CopyReport> {
    let facts = engine.inspect(container).await?;
    let inside = Inside::parse(inside);
    let path = sanitise(&inside.path);
    match kind(engine, &facts.id, &inside.path).await? {
        Kind::Folder => {}
        Kind::Other => return Err(Failure::new(Code::Conflict, format!("cannot unpack an archive in '{path}': it is no folder"))),
        Kind::Missing => return Err(absent(&facts, &inside.path, &format!("mkdir -p {}", inside.path))),
    }
    place::writable(&facts, &inside.path)?;
    let (feeder, fed) = mpsc::channel(QUEUE);
    let feeding = tokio::spawn(async move {
        while let Some(chunk) = archive.next().await {
            if feeder.send(chunk).await.is_err() {
                break;
            }
        }
    });
    let (sender, packed) = mpsc::channel(QUEUE);
    let order = remake::Order { name: None, origin: Origin::Input, max_size: Bytes::new(max_size), owner: run_as };
    let failed = Arc::new(AtomicBool::new(false));
    let own_fault = Arc::clone(&failed);
    let packing = spawn_blocking(move || {
        let mut reader = ChunkReader::new(fed);
        let remade = remake::remake(&mut reader, &order, pipe::ChunkWriter::new(sender.clone()));
        if let Err(Stopped::Failed(failure)) = &remade {
            own_fault.store(true, Ordering::SeqCst);
            let _ = sender.blocking_send(Err(io::Error::other(failure.clone())));
        }
        drop(sender);
        // What fills the archive's last record is read, too, or its writer would be told that nobody listens.
        if remade.is_ok() {
            let _ = io::copy(&mut reader.take(FILLING), &mut io::sink());
        }
        remade
    });
    // Once the engine takes no more, nothing further need come: whoever writes it may take forever.
    let cut = || {
        feeding.abort();
        if failed.load(Ordering::SeqCst) { Blame::Packing } else { Blame::Engine }
    };
    carry::send((engine, &facts.id, &inside.path), packed, packing, reporter, cut).await
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
    let leaving = Leaving::of(engine, container, inside).await?;
    let order = order(&leaving.inside, local, max_size);
    carry::fetch(leaving.archive(engine), reporter, move |archive| unpack::unpack(archive, &order)).await
}

/// Writes an archive of a path of a container, made anew from what the engine's holds, with `owner` for everything in it; `None` where
/// its reader left before its end.
pub async fn archive_out(
    engine: &dyn Engine,
    container: &str,
    inside: &str,
    owner: (u32, u32),
    to: impl Write + Send + 'static,
    max_size: u64,
    reporter: &dyn Reporter,
) -> Result<Option<CopyReport>> {
    let leaving = Leaving::of(engine, container, inside).await?;
    let order = passing(&leaving.inside, max_size, owner);
    match carry::fetch(leaving.archive(engine), reporter, move |archive| remake::remake(archive, &order, to)).await {
        Ok(report) => Ok(Some(report)),
        Err(Stopped::Unheard) => Ok(None),
        Err(Stopped::Failed(failure)) => Err(failure),
    }
}

/// What is copied out of a container.
struct Leaving {
    facts: ContainerFacts,
    inside: Inside,
}

impl Leaving {
    async fn of(engine: &dyn Engine, container: &str, inside: &str) -> Result<Self> {
        let facts = engine.inspect(container).await?;
        let inside = Inside::parse(inside);
        place::visible(&facts, &inside.path)?;
        Ok(Self { facts, inside })
    }

    fn archive(&self, engine: &dyn Engine) -> ByteStream {
        let path = &self.inside.path;
        let asked = if self.inside.contents { place::join(path, ".") } else { path.clone() };
        let gone = absent(&self.facts, path, &format!("ls {}", self.inside.parent()));
        let named = move |error: io::Error| match failure_in(&error) {
            Some(failure) if failure.code == Code::NotFound => io::Error::other(gone.clone()),
            _ => error,
        };
        engine.download(&self.facts.id, &asked).map(move |chunk| chunk.map_err(&named)).boxed()
    }
}

/// Unpacks an archive of a path of a container, as [`copy_out`] does with the engine's.
pub fn extract(archive: impl Read, inside: &str, local: &Path, max_size: u64) -> Result<CopyReport> {
    unpack::unpack(archive, &order(&Inside::parse(inside), local, max_size))
}

/// Makes an archive of a path of a container anew, as [`archive_out`] does with the engine's.
pub fn remake(archive: impl Read, inside: &str, owner: (u32, u32), to: impl Write, max_size: u64) -> Result<Option<CopyReport>> {
    match remake::remake(archive, &passing(&Inside::parse(inside), max_size, owner), to) {
        Ok(report) => Ok(Some(report)),
        Err(Stopped::Unheard) => Ok(None),
        Err(Stopped::Failed(failure)) => Err(failure),
    }
}

fn order(inside: &Inside, local: &Path, max_size: u64) -> unpack::Order {
    unpack::Order { local: local.to_owned(), name: root(inside), origin: origin(inside), max_size: Bytes::new(max_size) }
}

fn passing(inside: &Inside, max_size: u64, owner: (u32, u32)) -> remake::Order {
    remake::Order { name: root(inside), origin: origin(inside), max_size: Bytes::new(max_size), owner }
}

/// The name of the thing in the container; `None` where only a folder's contents are wanted.
fn root(inside: &Inside) -> Option<OsString> {
    (!inside.contents).then(|| OsString::from(inside.name()))
}

fn origin(inside: &Inside) -> Origin {
    Origin::Session(inside.path.clone())
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
