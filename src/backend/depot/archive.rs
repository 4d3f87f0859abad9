//! The depot's image: this very program and the certificates that it is to trust, and nothing else. Handed to the
//! engine over its own API, so no registry is asked for it. Knows no engine.

use std::io;

use bytes::Bytes as Chunk;
use futures_util::{StreamExt, stream};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::backend::engine::ByteStream;
use crate::depot::{CA_FILE, ROOT, SOCKET_DIR};
use crate::policy::plan::{SUPERVISOR, SUPERVISOR_DIR};
use crate::session::labels;
use crate::units::hex;

/// The program in the image: where every sandbox has it, so that a probe of the depot, which brings its own there, runs
/// in this image too.
pub const PROGRAM: &str = SUPERVISOR;
/// Who the depot is: no user of any image of ours, so that nothing that it owns is a sandbox's.
pub const OWNER: u64 = 65532;
const CHUNK: usize = 1 << 20;

/// An archive as the engine takes it.
pub fn chunks(archive: Vec<u8>) -> ByteStream {
    let archive = Chunk::from(archive);
    stream::iter((0..archive.len()).step_by(CHUNK).map(move |at| Ok(archive.slice(at..archive.len().min(at + CHUNK))))).boxed()
}

/// The image as `docker save` would write it: one layer, and no time in it, so that equal content has one id.
pub fn image(reference: &str, architecture: &str, program: &[u8], authorities: &[u8]) -> io::Result<Vec<u8>> {
    let layer = root(program, authorities)?;
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "User": format!("{OWNER}:{OWNER}"),
            "Labels": { labels::SCHEMA: labels::SCHEMA_VALUE, labels::ROLE: labels::ROLE_DEPOT },
        },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", hex(&Sha256::digest(&layer)))] },
        "history": [{ "created": "1970-01-01T00:00:00Z", "created_by": "palisade" }],
    });
    let config = config.to_string();
    let config_file = format!("{}.json", hex(&Sha256::digest(&config)));
    let manifest = json!([{ "Config": config_file, "RepoTags": [reference], "Layers": ["layer.tar"] }]);
    let mut tree = Tree(tar::Builder::new(Vec::with_capacity(layer.len() + (64 << 10))));
    tree.file("manifest.json", 0o444, manifest.to_string().as_bytes())?;
    tree.file(&config_file, 0o444, config.as_bytes())?;
    tree.file("layer.tar", 0o444, &layer)?;
    tree.0.into_inner()
}

/// The image's root file system.
fn root(program: &[u8], authorities: &[u8]) -> io::Result<Vec<u8>> {
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
        let found = unpacked(&root(b"\x7fELF", b"-----BEGIN CERTIFICATE-----").unwrap());
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
        assert!(!unpacked(&root(b"x", b"").unwrap()).contains_key("etc/ssl/certs/ca-certificates.crt"));
    }

    #[test]
    fn an_image_is_one_layer_that_its_configuration_names_and_equal_content_is_equal() {
        let image = |program: &[u8]| super::image("palisade-depot:0", "amd64", program, b"").unwrap();
        assert_eq!(image(b"x"), image(b"x"));
        let found = unpacked(&image(b"x"));
        let read = |name: &str| serde_json::from_slice::<serde_json::Value>(&found[name].3).unwrap();
        let manifest = &read("manifest.json")[0];
        assert_eq!(manifest["RepoTags"][0], "palisade-depot:0");
        let config = read(manifest["Config"].as_str().unwrap());
        let layer = &found[manifest["Layers"][0].as_str().unwrap()].3;
        assert_eq!(*layer, root(b"x", b"").unwrap());
        assert_eq!(config["rootfs"]["diff_ids"][0], format!("sha256:{}", hex(&Sha256::digest(layer))));
        assert_eq!(config["config"]["Labels"][labels::ROLE], labels::ROLE_DEPOT);
        let other = unpacked(&image(b"y"));
        assert_ne!(serde_json::from_slice::<serde_json::Value>(&other["manifest.json"].3).unwrap()[0]["Config"], manifest["Config"]);
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
