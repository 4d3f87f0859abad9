use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use super::entry::{self, Entry};
use super::{Current, Index, LARGEST, Missing};
use crate::depot::adapter::{Adapter, Document, Source};
use crate::depot::ledger::Outcome;
use crate::depot::names::Project;
use crate::depot::promise::{Catalogue, Digest};
use crate::depot::store::Blob;
use crate::depot::upstream::{Found, Reply, Upstream};

/// Projects that are remembered on disk: each has two documents in the store, which keeps a hundred thousand.
const MOST_ENTRIES: usize = 50_000;
/// How often it is looked whether there are more.
const TRIM_EVERY: u64 = 1_000;

type Kept = (Arc<Entry>, Arc<Catalogue>, Arc<Upstream>);

impl Index {
    /// Asks the registries in order. The first that knows the project decides; one that is away decides nothing, and nobody
    /// after it is asked: a name must not change hands because its owner is out for lunch.
    #[expect(clippy::too_many_arguments, reason = "one step of `at_most_as_old`, which has them all")]
    pub(super) async fn renew(
        &self,
        key: &str,
        adapter: &Arc<dyn Adapter>,
        project: &Project,
        need: Document,
        route: &[Arc<Upstream>],
        kept: Option<Kept>,
        now: Timestamp,
    ) -> Result<Current, Missing> {
        let (path, accept) = adapter.index_at(project, need);
        for upstream in route {
            let own = kept.as_ref().filter(|(entry, ..)| entry.upstream == upstream.base().as_str() && entry.document == need.0);
            let known = own.map(|(entry, ..)| &entry.validators);
            let fault = match self.egress.document(upstream, &path, accept, known, now).await {
                Ok(Reply::NotFound) => continue,
                Ok(Reply::Unchanged) => match own {
                    Some(kept) => return self.confirm(key, kept, now, 0),
                    None => format!("{} says that nothing changed, and was not asked that", upstream.base()),
                },
                Ok(Reply::Found(found)) => match self.take_in(key, adapter, project, need, upstream, own, *found, now).await {
                    Ok(current) => return Ok(current),
                    Err(error) => format!("the index of {project} from {} cannot be used: {error}", upstream.base()),
                },
                Err(fault) => fault.reason,
            };
            return match kept {
                Some((entry, catalogue, upstream)) => {
                    Ok(Current { entry, catalogue, upstream, outcome: Outcome::Stale, fetched: 0, note: fault })
                }
                None => Err(Missing::Away(fault)),
            };
        }
        self.memory.forget(key);
        Entry::remove(&self.folder, key);
        Err(Missing::Unknown(format!("{project} is not known to the registry")))
    }

    fn confirm(&self, key: &str, kept: &Kept, now: Timestamp, fetched: u64) -> Result<Current, Missing> {
        let (entry, catalogue, upstream) = kept;
        let entry = Arc::new(Entry { confirmed: now, ..Entry::clone(entry) });
        self.keep(key, &entry)?;
        let (catalogue, upstream) = (Arc::clone(catalogue), Arc::clone(upstream));
        Ok(Current { entry, catalogue, upstream, outcome: Outcome::Revalidated, fetched, note: String::new() })
    }

    /// Takes a document in: to disk as it comes, then read once for what it promises.
    #[expect(clippy::too_many_arguments, reason = "one step of `renew`, which has them all")]
    async fn take_in(
        &self,
        key: &str,
        adapter: &Arc<dyn Adapter>,
        project: &Project,
        need: Document,
        upstream: &Arc<Upstream>,
        own: Option<&Kept>,
        found: Found,
        now: Timestamp,
    ) -> io::Result<Current> {
        let (url, media_type, validators) = (found.url.clone(), found.media_type.clone(), found.validators.clone());
        let source = self.store.take_in(LARGEST, found.body).await?;
        if let Some(kept) = own
            && kept.0.source == *source.digest()
            && kept.0.media_type == media_type
            && kept.0.url == url
        {
            // A registry that sends no validators sent the same again.
            return self.confirm(key, kept, now, source.size()).map_err(|missing| io::Error::other(missing.to_string()));
        }
        let fetched = source.size();
        let digest = source.digest().clone();
        let (catalogue_digest, catalogue) = self.read_promises(adapter, project, &url, &media_type, source).await?;
        let entry = Entry {
            project: project.clone(),
            document: need.0.to_owned(),
            upstream: upstream.base().to_string(),
            url,
            media_type,
            validators,
            confirmed: now,
            source: digest,
            catalogue: catalogue_digest,
        };
        let entry = Arc::new(entry);
        self.keep(key, &entry).map_err(|missing| io::Error::other(missing.to_string()))?;
        Ok(Current { entry, catalogue, upstream: Arc::clone(upstream), outcome: Outcome::Miss, fetched, note: String::new() })
    }

    async fn read_promises(
        &self,
        adapter: &Arc<dyn Adapter>,
        project: &Project,
        url: &url::Url,
        media_type: &str,
        source: Blob,
    ) -> io::Result<(Digest, Arc<Catalogue>)> {
        let working = self.turn().await;
        let (adapter, project, url, media_type) = (Arc::clone(adapter), project.clone(), url.clone(), media_type.to_owned());
        let (blob, catalogue) = self
            .store
            .put(LARGEST, move |out| {
                let _working = working;
                let mut body = io::BufReader::with_capacity(1 << 16, source.reader()?);
                let catalogue = adapter.read(Source { project: &project, url: &url, media_type: &media_type, body: &mut body })?;
                let mut out = io::BufWriter::with_capacity(1 << 16, out);
                serde_json::to_writer(&mut out, &catalogue).map_err(io::Error::other)?;
                out.flush()?;
                Ok(catalogue)
            })
            .await?;
        let catalogue = Arc::new(catalogue);
        self.memory.keep_catalogue(blob.digest(), &catalogue);
        Ok((blob.digest().clone(), catalogue))
    }

    fn keep(&self, key: &str, entry: &Arc<Entry>) -> Result<(), Missing> {
        entry.write(&self.folder, key).map_err(|error| Missing::Broken(format!("the index cannot be kept: {error}")))?;
        self.memory.keep_entry(key, entry);
        if self.written_entries.fetch_add(1, Ordering::Relaxed).is_multiple_of(TRIM_EVERY) {
            let folder = self.folder.clone();
            // Whoever asked does not wait for it, and it does not matter when it is done.
            drop(tokio::task::spawn_blocking(move || entry::trim(&folder, MOST_ENTRIES)));
        }
        Ok(())
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(reason) | Self::Away(reason) | Self::Broken(reason) => f.write_str(reason),
        }
    }
}
