//! What containers use, from their cgroup files: version 1, version 2, and hybrid. Read every second for every session on a
//! screen, so it asks nothing else: a container's folders are found once, by its id alone, and remembered.

mod counters;
mod figures;
mod hierarchy;
mod inside;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit};

use super::Unreadable;
use super::procfs::Procfs;
use crate::session::{LimitReading, Usage};
use crate::units::Bytes;
use counters::Counters;
use figures::Files;
use hierarchy::{Folders, Hierarchies};
use inside::Inside;
pub use inside::{size_if_full, writable_tmpfs};

/// How soon a look through all groups for what is not where it should be may be followed by the next one.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Reads what containers use. Blocking, and quick.
#[derive(Debug)]
pub struct UsageReader {
    proc: Procfs,
    cgroup_root: PathBuf,
    /// Of how many containers the files stay open.
    most_open: usize,
    known: Mutex<Known>,
}

/// What is remembered between readings.
#[derive(Debug, Default)]
struct Known {
    /// `None` until they were looked for.
    hierarchies: Option<Hierarchies>,
    found: HashMap<String, Found>,
    /// When all groups were last looked through.
    looked: Option<Instant>,
    /// Whether any container was ever found here.
    is_here: bool,
}

/// A container's folders, and its files where they stay open.
#[derive(Debug)]
struct Found {
    folders: Folders,
    files: Option<Files>,
    counters: Option<Counters>,
    inside: Option<Inside>,
    /// Its limits, as they were read when it had used so much CPU time.
    limits: Option<(u64, LimitReading)>,
}

impl From<Folders> for Found {
    fn from(folders: Folders) -> Self {
        Self { folders, files: None, counters: None, inside: None, limits: None }
    }
}

impl Default for UsageReader {
    fn default() -> Self {
        Self::new("/proc".into(), "/sys/fs/cgroup".into())
    }
}

impl UsageReader {
    /// Over a `/proc` and control groups at these places.
    pub fn new(proc_root: PathBuf, cgroup_root: PathBuf) -> Self {
        Self {
            proc: Procfs::new(proc_root),
            cgroup_root,
            most_open: files_to_spare() / (Files::COUNT + Counters::COUNT),
            known: Mutex::default(),
        }
    }

    /// What these containers use now, by full id, in the order given. [`Unreadable::NotLocal`] is what has no group here: it
    /// does not run, or it runs on another machine.
    pub fn read<S: AsRef<str>>(&self, containers: &[S]) -> Vec<Result<Usage, Unreadable>> {
        let mut known = self.known();
        self.find(&mut known, containers);
        containers.iter().map(|id| self.figures(&mut known, id.as_ref())).collect()
    }

    /// What the kernel shows of these containers' limits now, in the order given. It costs next to nothing for one that did nothing
    /// since it was last asked for.
    pub fn limits<S: AsRef<str>>(&self, containers: &[S]) -> Vec<Result<LimitReading, Unreadable>> {
        let mut known = self.known();
        self.find(&mut known, containers);
        containers.iter().map(|id| self.reading(&mut known, id.as_ref())).collect()
    }

    /// Whether any container was found here since this reader was made: then the engine's groups are this machine's.
    pub fn is_here(&self) -> bool {
        self.known().is_here
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure that the folders of all that have some are known, and of nobody else.
    fn find<S: AsRef<str>>(&self, known: &mut Known, containers: &[S]) {
        let Known { hierarchies, found, looked, is_here } = known;
        let hierarchies = hierarchies.get_or_insert_with(|| Hierarchies::read(&self.proc, &self.cgroup_root));
        if found.len() > containers.len() {
            let wanted: HashSet<&str> = containers.iter().map(AsRef::as_ref).collect();
            found.retain(|id, _| wanted.contains(id.as_str()));
        }
        let mut missing: Vec<&str> = containers.iter().map(AsRef::as_ref).filter(|id| !found.contains_key(*id)).collect();
        missing.retain(|id| match hierarchies.beside_others(id) {
            Some(folders) => found.insert((*id).to_owned(), folders.into()).is_some(),
            None => true,
        });
        if !missing.is_empty() && looked.is_none_or(|last| last.elapsed() >= LOOK_AGAIN) {
            let all = hierarchies.look_through(&missing).into_iter();
            found.extend(all.map(|(id, folders)| (id, folders.into())));
            *looked = Some(Instant::now());
        }
        *is_here |= !found.is_empty();
    }

    fn figures(&self, known: &mut Known, id: &str) -> Result<Usage, Unreadable> {
        let may_stay_open = known.found.len() <= self.most_open;
        let Some(found) = known.found.get_mut(id) else { return Err(Unreadable::NotLocal) };
        let usage = match found.files.as_ref().map(Files::read) {
            // Of a container that was started again, the files are others by the same names.
            None | Some(Err(Unreadable::Gone)) => Files::open(&found.folders).and_then(|files| {
                let usage = files.read();
                found.files = Some(files).filter(|_| may_stay_open);
                usage
            }),
            Some(read) => read,
        };
        if usage == Err(Unreadable::Gone) {
            known.found.remove(id);
        }
        usage
    }
}

impl UsageReader {
    fn reading(&self, known: &mut Known, id: &str) -> Result<LimitReading, Unreadable> {
        // What has run since is all that can have run into anything.
        if let Some(Found { files: Some(files), limits: Some((at, reading)), .. }) = known.found.get(id)
            && files.cpu_ns() == Ok(*at)
        {
            return Ok(reading.clone());
        }
        let usage = self.figures(known, id)?;
        let may_stay_open = known.found.len() <= self.most_open;
        let Some(Found { folders, counters, inside, limits, .. }) = known.found.get_mut(id) else { return Err(Unreadable::NotLocal) };
        let (memory, pids) = (usage.memory_limit.map(Bytes::get), usage.pids_limit);
        let mut read = counters.as_ref().map(|counters| counters.read(folders, memory, pids));
        if matches!(read, None | Some(Err(Unreadable::Gone))) {
            let opened = Counters::open(folders);
            read = Some(opened.read(folders, memory, pids));
            *counters = Some(opened).filter(|_| may_stay_open);
            *inside = None;
        }
        let mut reading = read.unwrap_or(Err(Unreadable::Gone))?;
        let mut seen = Err(Unreadable::Gone);
        // Whom it is looked at by may have ended: once more by another.
        for _ in 0..2 {
            if inside.is_none() {
                *inside = Inside::find(&self.proc, &folders.pids).map_err(|error| seen = Err(error)).ok();
            }
            let Some(way) = inside.as_mut() else { break };
            seen = way.look(&self.proc, &folders.pids);
            if seen.is_ok() {
                break;
            }
            *inside = None;
        }
        match seen {
            Ok(seen) => (reading.full, reading.files, reading.disk) = (seen.full, seen.files, seen.disk),
            Err(error) => reading.hidden = Some(error.to_string()),
        }
        *limits = Some((usage.cpu_ns, reading.clone()));
        Ok(reading)
    }
}

/// Half of the files that this program may have open.
fn files_to_spare() -> usize {
    getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| usize::try_from(soft / 2).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests;
