//! Every blob and every alias compared with its name, on demand: the one way to find what a medium lost in silence.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use super::check::Seen;
use super::core::{Core, lock};
use super::key::Key;
use super::places::{ALIASED, shards};
use super::{Found, Verified};
use crate::depot::promise::Digest;

impl Core {
    /// `progress` is told bytes done and bytes in all.
    pub(super) async fn verify(self: &Arc<Self>, mut progress: impl FnMut(u64, u64) + Send + 'static) -> io::Result<Verified> {
        let total = lock(&self.stock).bytes;
        let mut audit = Audit { verified: Verified::default(), seen: HashSet::new() };
        progress(0, total);
        // Aliases first: proving one proves its blob too.
        for algorithm in ALIASED {
            for shard in shards() {
                for digest in self.blocking(move |core| core.aliases_in(algorithm, &shard)).await? {
                    if audit.one(self, &digest).await? {
                        progress(audit.verified.bytes.min(total), total);
                    }
                }
            }
        }
        let keys = lock(&self.stock).keys();
        for key in keys {
            if !audit.seen.contains(&key) && audit.one(self, &key.digest()).await? {
                progress(audit.verified.bytes.min(total), total);
            }
        }
        progress(total, total);
        Ok(audit.verified)
    }
}

struct Audit {
    verified: Verified,
    seen: HashSet<Key>,
}

impl Audit {
    /// Whether a blob was read that had not been.
    async fn one(&mut self, core: &Arc<Core>, digest: &Digest) -> io::Result<bool> {
        let wanted = digest.clone();
        let found = match core.blocking(move |core| core.suspect(&wanted)).await? {
            Seen::Missing => Found::Missing,
            Seen::Damaged => Found::Damaged,
            Seen::Proved(blob) => Found::Whole(blob),
            Seen::Unproved(suspect) => core.examine(suspect, digest).await?,
        };
        match found {
            Found::Missing => Ok(false),
            Found::Damaged => {
                self.verified.damaged.push(digest.clone());
                Ok(false)
            }
            Found::Whole(blob) => {
                let is_new = Key::of(blob.digest()).is_some_and(|key| self.seen.insert(key));
                if is_new {
                    self.verified.blobs += 1;
                    self.verified.bytes = self.verified.bytes.saturating_add(blob.size());
                }
                Ok(is_new)
            }
        }
    }
}
