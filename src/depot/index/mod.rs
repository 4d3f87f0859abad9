//! Index pages: fetched by the depot itself, kept with their validators, asked for again after their time, and used
//! past it while the registry is away. What a page promises is the only source of addresses and digests.

mod entry;
mod fetch;
mod memory;
mod slots;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::adapter::{Adapter, Document, Form, Source, View};
use super::ledger::Outcome;
use super::names::Project;
use super::promise::{Catalogue, Digest, Ecosystem, Promise};
use super::store::{Blob, Found, Store};
use super::upstream::{Egress, Upstream};
use entry::Entry;
use memory::Memory;
use slots::Slots;

/// Documents that are read or written at once: each may hold some megabytes.
const AT_ONCE: usize = 2;
/// A file that a page does not name is looked for in a new one, unless the page is younger than this.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(30);
/// The largest page as a client sees it.
pub(super) const LARGEST: u64 = 160 << 20;
/// Pages that are remembered on disk, a few kilobytes each. Those that were confirmed longest ago go first.
const MOST_ENTRIES: usize = 40_000;

/// Every project's page.
pub struct Index {
    store: Store,
    egress: Arc<Egress>,
    folder: PathBuf,
    ttl: SignedDuration,
    /// One fetch, or one writing of a page, serves everyone who waits for it.
    slots: Slots,
    memory: Memory,
    working: Arc<Semaphore>,
    /// Entries in the folder, about, and most of them.
    entries: AtomicUsize,
    most_entries: usize,
}

/// A page that may be used.
#[derive(Clone)]
pub struct Current {
    entry: Arc<Entry>,
    /// What it promises.
    pub catalogue: Arc<Catalogue>,
    /// The registry that it came from.
    pub upstream: Arc<Upstream>,
    /// How it was come by.
    pub outcome: Outcome,
    /// Bytes fetched for it.
    pub fetched: u64,
    /// Which registry was away, where that is why it is stale.
    pub note: String,
}

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// No registry that may be asked knows the project.
    Unknown(String),
    /// The registry forbids it, whatever is kept.
    Forbidden(String),
    /// The registry is away or refuses, and nothing is kept.
    Away(String),
    /// The depot's own disk or memory failed.
    Broken(String),
    /// What it would be written from was removed a moment ago: a new look at the project finds it again.
    Lost(String),
}

impl Index {
    /// Over the folder that holds the pages' entries.
    pub fn new(folder: &Path, store: Store, egress: Arc<Egress>, ttl: Duration) -> io::Result<Self> {
        let entries = entry::prepare(folder)?;
        Ok(Self {
            store,
            egress,
            folder: folder.to_owned(),
            ttl: SignedDuration::try_from(ttl).unwrap_or(SignedDuration::MAX),
            slots: Slots::default(),
            memory: Memory::default(),
            working: Arc::new(Semaphore::new(AT_ONCE)),
            entries: AtomicUsize::new(entries),
            most_entries: MOST_ENTRIES,
        })
    }

    /// A project's page: kept, fetched, confirmed, or old.
    pub async fn current(&self, adapter: &Arc<dyn Adapter>, project: &Project, need: Document, now: Timestamp) -> Result<Current, Missing> {
        self.at_most_as_old(adapter, project, need, now, self.ttl).await
    }

    /// A project's page for a client. While the registry is away, a shorter document is better than none: it lacks the times,
    /// and has all that an install needs besides.
    pub async fn for_client(
        &self,
        adapter: &Arc<dyn Adapter>,
        project: &Project,
        form: Form,
        ages: bool,
        now: Timestamp,
    ) -> Result<Current, Missing> {
        let (need, least) = (adapter.document(Some(form), ages), adapter.document(None, ages));
        match self.current(adapter, project, need, now).await {
            Err(Missing::Away(reason)) if need != least => {
                self.current(adapter, project, least, now).await.map_err(|_| Missing::Away(reason))
            }
            current => current,
        }
    }

    /// What is promised of one file. One that the page does not name is looked for once more in a new page: a lock file may
    /// name what was published since.
    pub async fn promise(
        &self,
        adapter: &Arc<dyn Adapter>,
        project: &Project,
        need: Document,
        file: &str,
        now: Timestamp,
    ) -> Result<(Current, Option<Promise>), Missing> {
        let current = self.current(adapter, project, need, now).await?;
        if let Some(promise) = current.catalogue.files.get(file) {
            let promise = promise.clone();
            return Ok((current, Some(promise)));
        }
        if current.outcome != Outcome::Hit {
            return Ok((current, None));
        }
        let fresh = self.at_most_as_old(adapter, project, need, now, LOOK_AGAIN).await?;
        let promise = fresh.catalogue.files.get(file).cloned();
        Ok((fresh, promise))
    }

    async fn at_most_as_old(
        &self,
        adapter: &Arc<dyn Adapter>,
        project: &Project,
        need: Document,
        now: Timestamp,
        age: SignedDuration,
    ) -> Result<Current, Missing> {
        let route = self.egress.route(project);
        if route.is_empty() {
            return Err(Missing::Unknown(format!("no registry is set for {}", project.ecosystem)));
        }
        let key = entry::key(project);
        let slot = self.slots.slot(&key);
        let _alone = slot.lock().await;
        let kept = self.kept(&key, project, adapter, need, &route).await;
        match kept {
            Some((entry, catalogue, upstream)) if entry.is_younger_than(age, now) => {
                Ok(Current { entry, catalogue, upstream, outcome: Outcome::Hit, fetched: 0, note: String::new() })
            }
            kept => self.renew(&key, adapter, project, need, &route, kept, now).await,
        }
    }

    /// What is remembered of a project, of use or not.
    fn entry(&self, key: &str, project: &Project) -> Option<Arc<Entry>> {
        let entry = self.memory.entry(key).or_else(|| Entry::read(&self.folder, key).map(Arc::new));
        entry.filter(|entry| entry.project == *project)
    }

    /// Forgets every page, and which registry knew it.
    pub fn forget_all(&self) -> io::Result<()> {
        self.memory.forget_all();
        entry::trim(&self.folder, 0)
    }

    /// What is kept of a page, where it answers the need, came from a registry that may still be asked for the project,
    /// and is whole.
    async fn kept(
        &self,
        key: &str,
        project: &Project,
        adapter: &Arc<dyn Adapter>,
        need: Document,
        route: &[Arc<Upstream>],
    ) -> Option<(Arc<Entry>, Arc<Catalogue>, Arc<Upstream>)> {
        let entry = self.entry(key, project)?;
        if entry.is_gone || !adapter.answers(&entry.document, need) {
            return None;
        }
        let upstream = route.iter().find(|upstream| upstream.base().as_str() == entry.upstream)?;
        let catalogue = self.catalogue(&entry.catalogue).await?;
        self.memory.keep_entry(key, &entry);
        Some((entry, catalogue, Arc::clone(upstream)))
    }

    async fn catalogue(&self, digest: &Digest) -> Option<Arc<Catalogue>> {
        if let Some(catalogue) = self.memory.catalogue(digest) {
            return Some(catalogue);
        }
        let Ok(Found::Whole(blob)) = self.store.get(digest).await else { return None };
        let working = self.turn().await?;
        let read = tokio::task::spawn_blocking(move || {
            let _working = working;
            let reader = io::BufReader::with_capacity(1 << 16, blob.reader().ok()?);
            serde_json::from_reader::<_, Catalogue>(reader).ok()
        });
        let catalogue = Arc::new(read.await.ok()??);
        self.memory.keep_catalogue(digest, &catalogue);
        Some(catalogue)
    }

    /// The page as a client sees it, with the versions that are hidden from it.
    pub async fn page(
        &self,
        adapter: &Arc<dyn Adapter>,
        current: &Current,
        form: Form,
        not_after: Option<Timestamp>,
    ) -> Result<(Blob, Vec<String>), Missing> {
        let hidden = hidden(&current.catalogue, not_after);
        // Two projects, or two registries, may have documents of the same bytes: what those mean depends on whose they are.
        let Entry { project, url, media_type, source, .. } = &*current.entry;
        let shown = format!("{project}\n{url}\n{media_type}\n{source}\n{}\n{}", form.0, hidden.join("\n"));
        let key = entry::hash(shown.as_bytes());
        if let Some(blob) = self.written(&key).await {
            return Ok((blob, hidden));
        }
        let slot = self.slots.slot(&key);
        let _alone = slot.lock().await;
        let blob = match self.written(&key).await {
            Some(blob) => blob,
            None => self.render(adapter, current, form, not_after, &key).await?,
        };
        Ok((blob, hidden))
    }

    /// A page that was written before and is still there.
    async fn written(&self, key: &str) -> Option<Blob> {
        match self.store.get(&self.memory.page(key)?).await {
            Ok(Found::Whole(blob)) => Some(blob),
            _ => None,
        }
    }

    /// A turn at the work that takes memory. It goes into the work itself, which runs on whoever leaves.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // Never closed.
        Arc::clone(&self.working).acquire_owned().await.ok()
    }

    async fn render(
        &self,
        adapter: &Arc<dyn Adapter>,
        current: &Current,
        form: Form,
        not_after: Option<Timestamp>,
        key: &str,
    ) -> Result<Blob, Missing> {
        let broken = |error: io::Error| Missing::Broken(format!("the page of {} cannot be written: {error}", current.entry.project));
        let Found::Whole(source) = self.store.get(&current.entry.source).await.map_err(broken)? else {
            // Evicted or damaged between two steps: the entry is of no use any more.
            self.memory.forget(&entry::key(&current.entry.project));
            Entry::remove(&self.folder, &entry::key(&current.entry.project));
            return Err(Missing::Lost(format!("the page of {} went missing, ask again", current.entry.project)));
        };
        let working = self.turn().await;
        let (adapter, entry, catalogue) = (Arc::clone(adapter), Arc::clone(&current.entry), Arc::clone(&current.catalogue));
        let written = self.store.put(LARGEST, move |out| {
            let _working = working;
            let mut body = io::BufReader::with_capacity(1 << 16, source.reader()?);
            let base = base(entry.project.ecosystem);
            let view = View { catalogue: &catalogue, not_after };
            adapter.write(entry.source(&mut body), form, &base, &view, out)
        });
        let blob = written.await.map_err(broken)?.0;
        self.memory.keep_page(key, blob.digest());
        Ok(blob)
    }
}

/// Versions with a file that is too young, each once, the youngest last; those of unknown age come first.
fn hidden(catalogue: &Catalogue, not_after: Option<Timestamp>) -> Vec<String> {
    let view = View { catalogue, not_after };
    let mut versions: BTreeMap<&str, Option<Timestamp>> = BTreeMap::new();
    if not_after.is_some() {
        for promise in catalogue.files.values().filter(|promise| view.hides(promise.published)) {
            let published = versions.entry(&promise.version).or_default();
            *published = (*published).max(promise.published);
        }
    }
    let mut versions: Vec<_> = versions.into_iter().map(|(version, published)| (published, version)).collect();
    versions.sort_unstable();
    versions.into_iter().map(|(_, version)| version.to_owned()).collect()
}

/// Where clients find an ecosystem, as pages name it.
pub fn base(ecosystem: Ecosystem) -> String {
    format!("http://{}/{ecosystem}", super::RELAY)
}

impl Entry {
    /// The document that it stands for, to be read.
    fn source<'a>(&'a self, body: &'a mut dyn io::BufRead) -> Source<'a> {
        Source { project: &self.project, url: &self.url, media_type: &self.media_type, body }
    }
}
