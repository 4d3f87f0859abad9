//! Aliases whose blob is gone: most go with it, those that no request of this run has met stay behind. They are looked
//! for when there are many more aliases than there were blobs.

use std::io;
use std::sync::Arc;

use super::alias::Alias;
use super::core::{Core, lock};
use super::key::digest_from_name;
use super::places::{ALIASED, entries, remove, shards};
use crate::depot::promise::{Algorithm, Digest};

/// Aliases without a blob that are put up with: four megabytes where each takes a block.
pub(super) const SLACK: usize = 1024;

impl Core {
    /// Starts a sweep if it is due.
    pub(super) fn sweep_if_due(self: &Arc<Self>) {
        let due = {
            let aliases = lock(&self.stock).aliases;
            let mut at = lock(&self.sweep_at);
            let due = aliases >= *at;
            if due {
                // Until the sweep has counted: one is enough.
                *at = usize::MAX;
            }
            due
        };
        if due {
            let core = Arc::clone(self);
            tokio::spawn(async move {
                // What it could not read this time, the next one may.
                let _ = core.sweep().await;
            });
        }
    }

    /// Removes aliases that lead nowhere.
    pub(super) async fn sweep(self: &Arc<Self>) -> io::Result<()> {
        let mut done = Ok(());
        'all: for algorithm in ALIASED {
            for shard in shards() {
                done = self.blocking(move |core| core.sweep_shard(algorithm, &shard)).await;
                if done.is_err() {
                    break 'all;
                }
            }
        }
        *lock(&self.sweep_at) = lock(&self.stock).aliases + SLACK;
        done
    }

    fn sweep_shard(&self, algorithm: Algorithm, shard: &str) -> io::Result<()> {
        for digest in self.aliases_in(algorithm, shard)? {
            let key = Alias::read(&self.places, &digest).ok().map(|alias| alias.key);
            if key.is_none_or(|key| lock(&self.stock).size(&key).is_none()) {
                self.remove_stray(&digest);
            }
        }
        Ok(())
    }

    /// The promises that have an alias, of one folder. Blocks.
    pub(super) fn aliases_in(&self, algorithm: Algorithm, shard: &str) -> io::Result<Vec<Digest>> {
        let entries = entries(&self.places.aliases(algorithm).join(shard))?;
        let digests = entries.map(|entry| Ok(entry?.file_name().to_str().and_then(|name| digest_from_name(algorithm, name))));
        digests.filter_map(io::Result::transpose).collect()
    }

    /// Gives a blob another name. Blocks.
    pub(super) fn add_alias(&self, alias: &Alias, digest: &Digest) -> io::Result<()> {
        let _names = lock(&self.names);
        if alias.write(&self.places, digest)? {
            lock(&self.stock).aliases += 1;
        }
        Ok(())
    }

    /// Removes an alias if it leads nowhere still. Blocks.
    pub(super) fn remove_stray(&self, digest: &Digest) {
        // A fetch may be giving it a new meaning at this moment.
        let _names = lock(&self.names);
        let leads_to = Alias::read(&self.places, digest).ok().map(|alias| alias.key);
        if leads_to.is_none_or(|key| lock(&self.stock).size(&key).is_none()) {
            self.remove_alias(digest);
        }
    }

    /// Removes an alias. Blocks; `names` is held.
    pub(super) fn remove_alias(&self, digest: &Digest) {
        if remove(&self.places.alias(digest)) {
            let mut stock = lock(&self.stock);
            stock.aliases = stock.aliases.saturating_sub(1);
        }
    }
}
