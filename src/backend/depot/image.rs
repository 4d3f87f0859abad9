//! The depot's image: this very program and the certificates that it is to trust, and nothing else. It is handed to
//! the engine over its own API, so no registry is asked for it.

use std::io;

use bytes::Bytes as Chunk;
use futures_util::{StreamExt, stream};
use sha2::{Digest, Sha256};

use super::Blueprint;
use crate::backend::engine::{ByteStream, Engine, ImageSummary};
use crate::backend::supervisor_volume::own_program;
use crate::backend::{Backend, Reporter};
use crate::depot::{CA_FILE, ROOT, SOCKET_DIR};
use crate::failure::{Code, Failure, Result};
use crate::kernel::hex;
use crate::policy::plan::{SUPERVISOR, SUPERVISOR_DIR};
use crate::session::labels;
use crate::units::Untrusted;

/// What every tag of ours begins with.
const REPOSITORY: &str = "palisade-depot";
/// The program in the image: where every sandbox has it, so that a probe of the depot, which brings its own there, runs
/// in this image too.
pub const PROGRAM: &str = SUPERVISOR;
/// Who the depot is: no user of any image of ours, so that nothing that it owns is a sandbox's.
pub const OWNER: u64 = 65532;
const CHUNK: usize = 1 << 20;

/// The image, and what it took.
pub struct Image {
    /// Its content id.
    pub id: String,
    /// Other depot images of ours, if this one was made now.
    pub superseded: Vec<String>,
}

/// The name of the image with this program and these certificates.
pub fn reference(program: &[u8; 32], authorities: &[u8]) -> String {
    let digest = Sha256::new().chain_update(program).chain_update(authorities).finalize();
    format!("{REPOSITORY}:{}", &hex(&digest.into())[..16])
}

impl Backend {
    /// The image, made where the engine does not have it.
    pub(super) async fn depot_image(&self, blueprint: &Blueprint<'_>, reporter: &dyn Reporter) -> Result<Image> {
        let engine = self.engine.as_ref();
        if let Some(there) = find(&ours(engine).await?, &blueprint.image) {
            return Ok(Image { id: there, superseded: Vec::new() });
        }
        self.check_architecture().await?;
        reporter.step(&format!("importing {}", blueprint.image));
        self.import_depot(blueprint, reporter).await?;
        let images = ours(engine).await?;
        let id = find(&images, &blueprint.image).ok_or_else(|| {
            Failure::new(Code::EngineError, format!("the engine does not have {} after its import", blueprint.image))
                .hint("if this is no Docker Engine, it may not import as one does: palisade doctor says what it lacks")
        })?;
        let superseded = images.into_iter().map(|image| image.id).filter(|other| *other != id).collect();
        Ok(Image { id, superseded })
    }

    async fn import_depot(&self, blueprint: &Blueprint<'_>, reporter: &dyn Reporter) -> Result<()> {
        let archive = archive(&own_program()?, &blueprint.authorities).map_err(|error| Failure::io("pack the depot's image", &error))?;
        let changes = [
            format!("LABEL {}={} {}={}", labels::SCHEMA, labels::SCHEMA_VALUE, labels::ROLE, labels::ROLE_DEPOT),
            format!("USER {OWNER}:{OWNER}"),
        ];
        let mut progress = self.engine.import(&blueprint.image, &changes, chunks(archive));
        loop {
            tokio::select! {
                step = progress.next() => match step {
                    Some(step) => reporter.progress(&step?),
                    None => return Ok(()),
                },
                () = self.interrupt.cancelled() => return Err(super::super::prepare::interrupted()),
            }
        }
    }

    /// Removes depot images that nothing needs any more. The engine refuses for one that a container stands on, and
    /// for that reason its refusal is no failure.
    pub(super) async fn sweep_depot_images(&self, superseded: &[String]) {
        for id in superseded {
            let _ = self.engine.remove_image(id).await;
        }
    }
}

async fn ours(engine: &dyn Engine) -> Result<Vec<ImageSummary>> {
    let is_ours = |image: &ImageSummary| image.labels.get(labels::ROLE).map(Untrusted::raw) == Some(labels::ROLE_DEPOT);
    Ok(engine.our_images().await?.into_iter().filter(is_ours).collect())
}

fn find(images: &[ImageSummary], reference: &str) -> Option<String> {
    images.iter().find(|image| image.tags.iter().any(|tag| tag.raw() == reference)).map(|image| image.id.clone())
}

/// An archive as the engine takes it.
pub fn chunks(archive: Vec<u8>) -> ByteStream {
    let archive = Chunk::from(archive);
    stream::iter((0..archive.len()).step_by(CHUNK).map(move |at| Ok(archive.slice(at..archive.len().min(at + CHUNK))))).boxed()
}

/// The image's root file system.
fn archive(program: &[u8], authorities: &[u8]) -> io::Result<Vec<u8>> {
    const PASSWD: &str = "root:x:0:0::/:/\ndepot:x:65532:65532::/:/\n";
    const GROUP: &str = "root:x:0:\ndepot:x:65532:\n";
    let mut tree = Tree(tar::Builder::new(Vec::with_capacity(program.len() + authorities.len() + (64 << 10))));
    tree.folder("etc", 0o755, 0)?;
    tree.file("etc/passwd", 0o444, PASSWD.as_bytes())?;
    tree.file("etc/group", 0o444, GROUP.as_bytes())?;
    for folder in ["etc/ssl", "etc/ssl/certs"] {
        tree.folder(folder, 0o755, 0)?;
    }
    if !authorities.is_empty() {
        tree.file(below_root(CA_FILE), 0o444, authorities)?;
    }
    // A fresh volume takes the owner of the folder that it is laid over.
    tree.folder(below_root(ROOT), 0o700, OWNER)?;
    tree.folder("run", 0o755, 0)?;
    tree.folder(below_root(SOCKET_DIR), 0o755, OWNER)?;
    tree.folder("tmp", 0o1777, OWNER)?;
    for (at, _) in below_root(SUPERVISOR_DIR).match_indices('/') {
        tree.folder(&below_root(SUPERVISOR_DIR)[..at], 0o755, 0)?;
    }
    tree.folder(below_root(SUPERVISOR_DIR), 0o755, 0)?;
    tree.file(below_root(PROGRAM), 0o555, program)?;
    tree.0.into_inner()
}

fn below_root(path: &str) -> &str {
    path.trim_start_matches('/')
}

struct Tree(tar::Builder<Vec<u8>>);

impl Tree {
    fn folder(&mut self, path: &str, mode: u32, owner: u64) -> io::Result<()> {
        let mut header = entry(tar::EntryType::Directory, mode, owner, 0);
        self.0.append_data(&mut header, format!("{path}/"), io::empty())
    }

    fn file(&mut self, path: &str, mode: u32, content: &[u8]) -> io::Result<()> {
        let mut header = entry(tar::EntryType::Regular, mode, 0, content.len() as u64);
        self.0.append_data(&mut header, path, content)
    }
}

/// A header without a time: equal content, equal archive.
pub fn entry(kind: tar::EntryType, mode: u32, owner: u64, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(owner);
    header.set_gid(owner);
    header.set_size(size);
    header
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;

    use super::*;

    type Entry = (tar::EntryType, u32, u64, Vec<u8>);

    fn unpacked(archive: &[u8]) -> BTreeMap<String, Entry> {
        let mut found = BTreeMap::new();
        for entry in tar::Archive::new(archive).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_string_lossy().trim_end_matches('/').to_owned();
            let (header, mut content) = (entry.header().clone(), Vec::new());
            entry.read_to_end(&mut content).unwrap();
            assert_eq!(header.uid().unwrap(), header.gid().unwrap());
            found.insert(path, (header.entry_type(), header.mode().unwrap(), header.uid().unwrap(), content));
        }
        found
    }

    #[test]
    fn the_image_holds_the_program_the_certificates_and_the_depots_own_folders() {
        let found = unpacked(&archive(b"\x7fELF", b"-----BEGIN CERTIFICATE-----").unwrap());
        assert_eq!(found["palisade/0/0/0/0/0/0/palisade"], (tar::EntryType::Regular, 0o555, 0, b"\x7fELF".to_vec()));
        assert_eq!(found["etc/ssl/certs/ca-certificates.crt"].3, b"-----BEGIN CERTIFICATE-----");
        for (folder, mode) in [("depot", 0o700), ("run/palisade", 0o755), ("tmp", 0o1777)] {
            assert_eq!(found[folder], (tar::EntryType::Directory, mode, OWNER, Vec::new()), "{folder}");
        }
        // What a probe mounts its program over must be a folder.
        for folder in ["palisade", "palisade/0/0/0", "palisade/0/0/0/0/0/0"] {
            assert_eq!(found[folder], (tar::EntryType::Directory, 0o755, 0, Vec::new()), "{folder}");
        }
        // Nothing that the depot runs or trusts is its own to change.
        let own: Vec<&String> = found.iter().filter(|(_, entry)| entry.2 == OWNER).map(|(path, _)| path).collect();
        assert_eq!(own, ["depot", "run/palisade", "tmp"]);
        assert!(!unpacked(&archive(b"x", b"").unwrap()).contains_key("etc/ssl/certs/ca-certificates.crt"));
    }

    #[test]
    fn equal_content_has_one_name_and_one_archive() {
        let name = reference(&[1; 32], b"a");
        assert_eq!(name, reference(&[1; 32], b"a"));
        assert!(name.strip_prefix("palisade-depot:").is_some_and(|tag| tag.len() == 16), "{name}");
        assert_ne!(name, reference(&[2; 32], b"a"));
        assert_ne!(name, reference(&[1; 32], b""));
        assert_eq!(archive(b"x", b"y").unwrap(), archive(b"x", b"y").unwrap());
    }

    #[tokio::test]
    async fn an_archive_arrives_whole_in_pieces() {
        let archive: Vec<u8> = (0..CHUNK * 2 + 5).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let pieces: Vec<Chunk> = chunks(archive.clone()).map(Result::unwrap).collect().await;
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces.concat(), archive);
        assert_eq!(chunks(Vec::new()).count().await, 0);
    }
}
