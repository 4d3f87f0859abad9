//! Files out of the depot's container, running or stopped, never larger than the reader is ready for. What the depot
//! wrote is not believed to be anything until it is read as that.

use std::io::Read;

use futures_util::StreamExt;

use crate::backend::Backend;
use crate::backend::engine::{Engine, failure_in};
use crate::failure::{Code, Failure, Result};
use crate::session::ContainerFacts;
use crate::units::sanitise;

/// Headers and padding of an archive with one file, extended headers included.
const AROUND: usize = 64 << 10;

impl Backend {
    /// A file of the depot's container: from this machine's kernel where the container runs here, which takes a fraction of a
    /// millisecond, else from the engine, which takes fifty.
    pub(super) async fn depot_file(&self, facts: &ContainerFacts, path: &str, most: usize) -> Result<Option<Vec<u8>>> {
        if let Some(pid) = facts.pid
            && let Ok(content) = self.kernel.file(&facts.id, pid, path, most)
        {
            return Ok(content);
        }
        file(self.engine.as_ref(), &facts.id, path, most).await
    }
}

/// A file's content; `None` where there is no such container or file.
pub async fn file(engine: &dyn Engine, container: &str, path: &str, most: usize) -> Result<Option<Vec<u8>>> {
    let mut archive = Vec::new();
    let mut chunks = engine.download(container, path);
    while let Some(chunk) = chunks.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => {
                return match failure_in(&error) {
                    Some(failure) if failure.code == Code::NotFound => Ok(None),
                    Some(failure) => Err(failure.clone()),
                    None => Err(Failure::new(Code::EngineError, format!("cannot read {path} of the depot: {error}"))),
                };
            }
        };
        if archive.len() + chunk.len() > most.saturating_add(AROUND) {
            return Err(not_it(path, &format!("it takes more than {most} bytes")));
        }
        archive.extend_from_slice(&chunk);
    }
    unpack(&archive, most).map(Some).map_err(|why| not_it(path, &why))
}

fn unpack(archive: &[u8], most: usize) -> Result<Vec<u8>, String> {
    let told = |error: std::io::Error| error.to_string();
    let mut archive = tar::Archive::new(archive);
    let mut entry = archive.entries().map_err(told)?.next().ok_or("the archive is empty")?.map_err(told)?;
    if entry.header().entry_type() != tar::EntryType::Regular {
        return Err("it is not a file".to_owned());
    }
    let size = entry.size();
    if size > most as u64 {
        return Err(format!("it takes {size} bytes, and at most {most} are read"));
    }
    let mut content = Vec::new();
    entry.read_to_end(&mut content).map_err(told)?;
    if content.len() as u64 == size { Ok(content) } else { Err("the archive ends within it".to_owned()) }
}

/// What the depot has at a path is not what a manager can read.
pub fn not_it(path: &str, why: &str) -> Failure {
    Failure::new(Code::EngineError, format!("the depot's {path} cannot be read: {}", sanitise(why)))
        .hint("palisade depot logs may tell why; stopping and starting the depot writes its files anew")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(kind: tar::EntryType, size: u64, content: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o400);
        header.set_size(size);
        header.set_path("summary.json").unwrap();
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend(content);
        bytes
    }

    #[test]
    fn one_whole_file_within_bounds_is_read_and_nothing_else() {
        let good = packed(tar::EntryType::Regular, 2, b"{}");
        assert_eq!(unpack(&good, 2).unwrap(), b"{}");
        assert!(unpack(&good, 1).is_err(), "too large");
        for bad in [
            packed(tar::EntryType::Regular, 3, b"{}"),
            packed(tar::EntryType::Regular, u64::MAX / 2, b"{}"),
            packed(tar::EntryType::Symlink, 0, b""),
            packed(tar::EntryType::Directory, 0, b""),
            Vec::new(),
            b"not an archive".to_vec(),
        ] {
            assert!(unpack(&bad, 1 << 20).is_err());
        }
    }
}
