//! Stories of a store with real files: what sessions fetch, what registries do wrong, what a disk does.
#![expect(clippy::disallowed_methods, reason = "the tests play the disk that goes wrong")]

mod fetching;
mod pieces;
mod proving;
mod room;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::*;
use crate::depot::promise::Algorithm;

const LIMITS: Limits = Limits { size: 64 << 20, artifact_size: 16 << 20 };

/// A store in a folder of its own.
struct Depot {
    store: Store,
    root: TempDir,
}

impl Depot {
    fn new() -> Self {
        Self::with(LIMITS)
    }

    fn with(limits: Limits) -> Self {
        let root = tempfile::tempdir().unwrap();
        Self { store: Store::open(root.path(), limits).unwrap(), root }
    }

    /// As after a kill: what was in memory is gone.
    fn reopen(self) -> Self {
        Self { store: Store::open(self.root.path(), LIMITS).unwrap(), root: self.root }
    }

    async fn put(&self, bytes: &[u8]) -> Blob {
        let bytes = bytes.to_vec();
        self.store.put(u64::MAX, move |out| out.write_all(&bytes)).await.unwrap().0
    }

    /// Fetches what an honest registry has.
    async fn fetched(&self, digest: &Digest, bytes: &[u8]) -> Blob {
        self.store.fetch(digest, Some(bytes.len() as u64), held(), sends(bytes)).finished().await.unwrap()
    }

    /// What a session that asks for it gets without a fetch.
    async fn has(&self, digest: &Digest) -> Option<Vec<u8>> {
        match self.store.get(digest).await.unwrap() {
            Found::Whole(blob) => Some(all(blob.stream(0..u64::MAX)).await.unwrap()),
            Found::Missing | Found::Damaged => None,
        }
    }

    fn path(&self, folder: &str, digest: &Digest) -> PathBuf {
        self.root.path().join(folder).join(&digest.hex()[..2]).join(digest.hex())
    }

    fn blob(&self, digest: &Digest) -> PathBuf {
        self.path("blobs", digest)
    }

    fn alias(&self, digest: &Digest) -> PathBuf {
        self.path(&format!("aliases/{}", digest.algorithm().name()), digest)
    }

    fn temporaries(&self) -> usize {
        fs::read_dir(self.root.path().join("tmp")).unwrap().count()
    }

    fn blobs(&self) -> usize {
        let shards = fs::read_dir(self.root.path().join("blobs")).unwrap();
        shards.map(|shard| fs::read_dir(shard.unwrap().path()).unwrap().count()).sum()
    }
}

/// Changes one byte, as no process that the store knows of would.
fn flip(path: &Path, at: u64) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();
}

/// Different bytes for each seed, the same every time.
fn bytes(seed: u8, length: usize) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn sha1(bytes: &[u8]) -> Digest {
    Digest::new(Algorithm::Sha1, Sha1::digest(bytes).to_vec()).unwrap()
}

fn sha256(bytes: &[u8]) -> Digest {
    Digest::new(Algorithm::Sha256, Sha256::digest(bytes).to_vec()).unwrap()
}

fn sha512(bytes: &[u8]) -> Digest {
    Digest::new(Algorithm::Sha512, Sha512::digest(bytes).to_vec()).unwrap()
}

fn held() -> Box<dyn std::any::Any + Send> {
    Box::new(())
}

async fn all(stream: ByteStream) -> io::Result<Vec<u8>> {
    stream
        .try_fold(Vec::new(), |mut all, piece| async move {
            all.extend_from_slice(&piece);
            Ok(all)
        })
        .await
}

/// What a stream gives before it ends or fails.
async fn given(mut stream: ByteStream) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    while let Some(piece) = stream.next().await {
        match piece {
            Ok(piece) => all.extend_from_slice(&piece),
            Err(_) => return (all, false),
        }
    }
    (all, true)
}

/// An upstream that sends these bytes and says how many there are.
fn sends(bytes: &[u8]) -> impl Future<Output = Result<Incoming, FetchError>> + Send + use<> {
    says(Some(bytes.len() as u64), vec![Ok(Bytes::copy_from_slice(bytes))])
}

/// An upstream that sends these pieces, however long it says that they are.
fn says(size: Option<u64>, pieces: Vec<io::Result<Bytes>>) -> std::future::Ready<Result<Incoming, FetchError>> {
    std::future::ready(Ok(Incoming { size, body: stream::iter(pieces).boxed() }))
}

/// Never to be asked.
fn unasked() -> impl Future<Output = Result<Incoming, FetchError>> + Send {
    std::future::poll_fn(|_| panic!("fetched although it was there"))
}

type Pieces = mpsc::UnboundedSender<io::Result<Bytes>>;

/// An upstream that sends what the test sends, and ends when the test lets go; how often it was asked.
fn upstream(size: Option<u64>) -> (Pieces, Arc<AtomicUsize>, impl Future<Output = Result<Incoming, FetchError>> + Send) {
    let (send, receive) = mpsc::unbounded_channel();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let body = stream::unfold(receive, |mut receive| async move { receive.recv().await.map(|piece| (piece, receive)) });
    let start = async move {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(Incoming { size, body: body.boxed() })
    };
    (send, asked, start)
}
