//! The read-only volume by which the supervisor reaches every sandbox, filled over the engine's API so that it
//! works with remote engines, and named by the content's hash.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Backend;
use super::engine::{Engine, OneShot, VolumeFacts, architecture, failure_in, own_architecture};
use super::leftovers::{Work, has_ended, is_at_work};
use crate::config::Paths;
use crate::failure::{Code, Failure, Result};
use crate::kernel::HostReader;
use crate::policy::plan::{SUPERVISOR, SUPERVISOR_DIR};
use crate::session::labels;
use crate::units::{Untrusted, hex};

/// Another manager that fills the volume takes about a second; one that was killed is waited for no longer than this. A probe, the slowest
/// of our helpers, gives up long before.
const ABANDONED_AFTER: Duration = Duration::from_mins(2);
/// A manager on this machine of which nothing is known, killed perhaps while it filled the volume, holds the next one up no longer than this.
const FILLED_HERE_WITHIN: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[expect(clippy::disallowed_methods, reason = "an age needs the present moment")]
fn older_than(created: jiff::Timestamp, age: Duration) -> bool {
    jiff::Timestamp::now().duration_since(created).unsigned_abs() > age
}

/// Which volumes were found whole, so that a launch need not read one back: engine, name and time of creation.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Verified(BTreeMap<String, String>);

impl Backend {
    /// The volume's name, once it exists and holds this very program.
    pub(super) async fn supervisor_volume(&self, image: &str) -> Result<String> {
        match self.ready_supervisor_volume().await? {
            Some(name) => Ok(name),
            None => self.fill_supervisor_volume(image).await,
        }
    }

    /// The volume's name where it is known to be whole.
    pub(super) async fn ready_supervisor_volume(&self) -> Result<Option<String>> {
        let name = self.planned_supervisor_volume()?;
        match self.engine.volume(&name).await {
            Ok(volume) => Ok(self.is_verified(&volume).then_some(name)),
            Err(failure) if failure.code == Code::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The name that the volume has or will have.
    pub(super) fn planned_supervisor_volume(&self) -> Result<String> {
        name(&self.kernel, &self.paths)
    }

    /// Writes this program to its volume, where it is not there already, and reads it back.
    pub(super) async fn fill_supervisor_volume(&self, image: &str) -> Result<String> {
        let digest = self.own_digest()?;
        let name = volume_name(&digest);
        let program = own_program()?;
        self.check_architecture().await?;
        let work = self.begin(Work::Helper { name: format!("{name}-fill") })?;
        let filled = async {
            let container = self.filling_container(&name, image, &work.label()).await?;
            let filled = fill(self.engine.as_ref(), &container, program, &digest).await;
            self.engine.remove(&container).await.and(filled)
        };
        let filled = filled.await;
        work.ended(&filled);
        filled?;
        let volume = self.engine.volume(&name).await?;
        self.remember_verified(&volume);
        Ok(name)
    }

    /// A never-started container that mounts the volume writable. Its name is the lock: who creates it, fills.
    async fn filling_container(&self, volume: &str, image: &str, maker: &str) -> Result<String> {
        let request = OneShot {
            name: format!("{volume}-fill"),
            image: image.to_owned(),
            entrypoint: vec![SUPERVISOR.to_owned()],
            user: "65534:65534".to_owned(),
            labels: BTreeMap::from([
                (labels::SCHEMA.to_owned(), labels::SCHEMA_VALUE.to_owned()),
                (labels::ROLE.to_owned(), labels::ROLE_SUPERVISOR.to_owned()),
                (labels::MAKER.to_owned(), maker.to_owned()),
            ]),
            cap_add: Vec::new(),
            pid_mode: String::new(),
            volumes_from: None,
            volumes: vec![(volume.to_owned(), SUPERVISOR_DIR.to_owned(), false)],
            binds: Vec::new(),
        };
        let volume_labels =
            [(labels::SCHEMA.to_owned(), labels::SCHEMA_VALUE.to_owned()), (labels::ROLE.to_owned(), labels::ROLE_SUPERVISOR.to_owned())];
        loop {
            self.engine.create_volume(volume, &volume_labels).await?;
            match self.engine.create_one_shot(&request).await {
                Ok(created) => return Ok(created.id),
                Err(failure) if failure.code == Code::Conflict => match self.engine.inspect(&request.name).await {
                    Ok(facts)
                        if has_ended(&facts.labels)
                            || facts.created.is_some_and(|made| older_than(made, self.filling_takes(&facts.labels))) =>
                    {
                        self.engine.remove(&request.name).await?;
                    }
                    Ok(_) => tokio::time::sleep(LOOK_AGAIN).await,
                    Err(failure) if failure.code == Code::NotFound => {}
                    Err(failure) => return Err(failure),
                },
                Err(failure) => return Err(failure),
            }
        }
    }

    pub(super) async fn check_architecture(&self) -> Result<()> {
        let engine = self.engine.version().await?.architecture;
        let ours = own_architecture();
        if architecture(&engine) == ours {
            return Ok(());
        }
        Err(Failure::new(Code::Refused, format!("this program is built for {ours}, the engine runs {engine}"))
            .hint("use a palisade built for the engine's architecture: the same binary is the supervisor inside the sandbox"))
    }

    /// The longest that filling takes: a second on this machine, as long as the line needs for a dozen megabytes elsewhere, and on a
    /// machine with too much to do as long as its maker, by these labels, is at work.
    pub(super) fn filling_takes(&self, labels: &BTreeMap<String, Untrusted>) -> Duration {
        let is_near = self.engine.endpoint().socket.is_some() && !is_at_work(labels);
        if is_near { FILLED_HERE_WITHIN } else { ABANDONED_AFTER }
    }

    /// SHA-256 of this running program.
    pub(super) fn own_digest(&self) -> Result<[u8; 32]> {
        own_digest(&self.kernel, &self.paths)
    }

    fn verified_key(&self, volume: &VolumeFacts) -> String {
        format!("{} {}", self.engine.endpoint().uri, volume.name)
    }

    /// By what was read back, not by labels: an engine makes a volume without any where one was removed meanwhile.
    fn is_verified(&self, volume: &VolumeFacts) -> bool {
        self.verified().0.get(&self.verified_key(volume)) == Some(&volume.created)
    }

    fn verified(&self) -> Verified {
        // A file that is gone or unreadable costs one more reading back, nothing else.
        crate::config::state::read(&self.paths.cache.join("supervisors.json")).unwrap_or_default()
    }

    fn remember_verified(&self, volume: &VolumeFacts) {
        let mut verified = self.verified();
        verified.0.insert(self.verified_key(volume), volume.created.clone());
        crate::config::state::write(&self.paths.cache.join("supervisors.json"), &verified);
    }
}

/// The name of the volume that this program lives in, or will.
pub(super) fn name(reader: &HostReader, paths: &Paths) -> Result<String> {
    Ok(volume_name(&own_digest(reader, paths)?))
}

/// SHA-256 of this running program.
pub(super) fn own_digest(reader: &HostReader, paths: &Paths) -> Result<[u8; 32]> {
    reader
        .exe_digest(std::process::id(), Some(&paths.cache.join("digests.json")))
        .map_err(|error| Failure::new(Code::Io, format!("cannot read this program's own file: {error}")))
}

fn volume_name(digest: &[u8; 32]) -> String {
    format!("palisade-supervisor-{}", &hex(digest)[..16])
}

/// Leaves the program in the volume. One that is whole is not touched: sessions may be running from it, and an
/// engine replaces a file by removing it first.
async fn fill(engine: &dyn Engine, container: &str, program: Vec<u8>, digest: &[u8; 32]) -> Result<()> {
    if read_back(engine, container).await? == Some(*digest) {
        return Ok(());
    }
    let archive = pack(&program).map_err(|error| Failure::io("pack the supervisor", &error))?;
    let chunks: Vec<std::io::Result<Bytes>> = archive.chunks(1 << 20).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    engine.upload(container, SUPERVISOR_DIR, stream::iter(chunks).boxed()).await?;
    if read_back(engine, container).await? == Some(*digest) {
        return Ok(());
    }
    Err(Failure::new(Code::AuditFailed, "the engine's volume does not hold the supervisor that was written to it")
        .hint("another program changes palisade's volumes, or the engine's storage is damaged"))
}

/// SHA-256 of the program in the volume; `None` where there is none, or not a whole one.
async fn read_back(engine: &dyn Engine, container: &str) -> Result<Option<[u8; 32]>> {
    let back: std::io::Result<Vec<Bytes>> = engine.download(container, SUPERVISOR).try_collect().await;
    match back {
        Ok(back) => Ok(unpack_digest(&back.concat()).ok()),
        Err(error) => match failure_in(&error) {
            Some(failure) if failure.code == Code::NotFound => Ok(None),
            Some(failure) => Err(failure.clone()),
            None => Err(Failure::new(Code::EngineError, format!("cannot read the supervisor back: {error}"))),
        },
    }
}

fn pack(program: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut header = tar::Header::new_gnu();
    header.set_size(program.len() as u64);
    header.set_mode(0o555);
    header.set_uid(0);
    header.set_gid(0);
    let mut archive = tar::Builder::new(Vec::with_capacity(program.len() + 4096));
    archive.append_data(&mut header, "palisade", program)?;
    archive.into_inner()
}

fn unpack_digest(archive: &[u8]) -> std::io::Result<[u8; 32]> {
    let mut archive = tar::Archive::new(archive);
    let mut entry = archive.entries()?.next().ok_or_else(|| std::io::Error::other("the archive is empty"))??;
    let mut content = Vec::new();
    entry.read_to_end(&mut content)?;
    Ok(Sha256::digest(&content).into())
}

#[expect(clippy::disallowed_methods, reason = "this program's own file, which the kernel keeps open even when it was replaced on disk")]
pub(super) fn own_program() -> Result<Vec<u8>> {
    std::fs::read("/proc/self/exe").map_err(|error| Failure::io("read this program's own file", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_unpacks_to_the_same_digest() {
        let program = b"\x7fELF and so on".repeat(1000);
        assert_eq!(unpack_digest(&pack(&program).unwrap()).unwrap(), <[u8; 32]>::from(Sha256::digest(&program)));
        assert!(unpack_digest(b"").is_err());
    }

    #[test]
    fn the_name_follows_the_content() {
        assert_eq!(volume_name(&[0xab; 32]), "palisade-supervisor-abababababababab");
    }
}
