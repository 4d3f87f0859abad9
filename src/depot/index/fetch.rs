use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use super::entry::Entry;
use super::{Current, Index, LARGEST, Missing};
use crate::depot::adapter::{Adapter, Document, Source};
use crate::depot::ledger::Outcome;
use crate::depot::names::Project;
use crate::depot::promise::{Catalogue, Digest};
use crate::depot::store::Blob;
use crate::depot::upstream::{Found, Reply, Upstream};

type Kept = (Arc<Entry>, Arc<Catalogue>, Arc<Upstream>);

impl Index {
    /// Asks the registries in order. The first that knows the project decides; one that is away decides nothing, and nobody
    /// after it is asked: a name must not change hands because its owner is out for lunch, and neither because an owner that
    /// had it denies it all at once.
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
        // What is kept may be more than is needed now, and is not given up for less: it will be needed again.
        let most = adapter.document(None, true);
        let need = if kept.as_ref().is_some_and(|(entry, ..)| entry.document == most.0) { most } else { need };
        let (path, accept) = adapter.index_at(project, need);
        let owner = self.entry(key, project);
        let is_owner = |upstream: &Upstream| owner.as_ref().is_some_and(|entry| entry.upstream == upstream.base().as_str());
        for (at, upstream) in route.iter().enumerate() {
            let own = kept.as_ref().filter(|(entry, ..)| entry.upstream == upstream.base().as_str() && entry.document == need.0);
            let known = own.map(|(entry, ..)| entry.validators.clone()).unwrap_or_default();
            let fault = match self.egress.document(upstream, &path, accept, &known, now).await {
                Ok(Reply::NotFound) if at + 1 < route.len() && is_owner(upstream) => {
                    return self.disown(key, owner.as_deref(), upstream);
                }
                Ok(Reply::NotFound) => continue,
                Ok(Reply::Unchanged) => match own {
                    Some(kept) => return self.confirm(key, kept, now, 0),
                    None => format!("{} says that nothing changed, and was not asked that", upstream.base()),
                },
                Ok(Reply::Found(found)) => match self.take_in(key, adapter, project, need, upstream, own, *found, now).await {
                    Ok(current) => return Ok(current),
                    Err(error) => format!("the index of {project} from {} cannot be used: {error}", upstream.base()),
                },
                // A page that was taken off is not kept up here.
                Err(fault) if fault.forbids => return Err(Missing::Forbidden(fault.reason)),
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

    /// The registry that had a project has it no more. What it promised is void, and who had it stays written down.
    fn disown(&self, key: &str, owner: Option<&Entry>, upstream: &Upstream) -> Result<Current, Missing> {
        let Some(owner) = owner else { return Err(Missing::Unknown(String::new())) };
        self.keep(key, &Arc::new(Entry { is_gone: true, ..owner.clone() }))?;
        Err(Missing::Unknown(format!(
            "{} is not known any more to {}, which had it, and is not looked up in another registry; palisade cache clear forgets that",
            owner.project,
            upstream.shown()
        )))
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
        let note = own.map(|(_, before, _)| broken_promises(before, &catalogue)).unwrap_or_default();
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
            is_gone: false,
        };
        let entry = Arc::new(entry);
        self.keep(key, &entry).map_err(|missing| io::Error::other(missing.to_string()))?;
        Ok(Current { entry, catalogue, upstream: Arc::clone(upstream), outcome: Outcome::Miss, fetched, note })
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
        let kept = entry.write(&self.folder, key).and_then(|is_first| {
            if is_first && self.entries.fetch_add(1, Ordering::Relaxed) >= self.most_entries {
                let half = self.most_entries / 2;
                self.entries.store(half, Ordering::Relaxed);
                super::entry::trim(&self.folder, half)?;
            }
            Ok(())
        });
        kept.map_err(|error| Missing::Broken(format!("the index cannot be kept: {error}")))?;
        self.memory.keep_entry(key, entry);
        Ok(())
    }
}

/// Files that are now promised to be something else than before, or less surely. Registries that publish for good never do
/// that, and the depot goes by the newest word of those that do; but whoever reads the log should know.
fn broken_promises(before: &Catalogue, after: &Catalogue) -> String {
    let is_broken = |file: &str, digest: &Digest| {
        after.files.get(file).is_some_and(|now| match &now.digest {
            None => true,
            Some(now) if now.algorithm() == digest.algorithm() => now != digest,
            Some(now) => now.algorithm() < digest.algorithm(),
        })
    };
    let mut broken = before.files.iter().filter(|(file, promise)| promise.digest.as_ref().is_some_and(|digest| is_broken(file, digest)));
    let Some((first, _)) = broken.next() else { return String::new() };
    match broken.count() {
        0 => format!("the registry promises another hash of {first} than before, or none"),
        more => format!("the registry promises other hashes of {first} and {more} more files than before, or none"),
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(reason) | Self::Forbidden(reason) | Self::Away(reason) | Self::Broken(reason) | Self::Lost(reason) => {
                f.write_str(reason)
            }
        }
    }
}
