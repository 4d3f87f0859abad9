//! What containers use, from their cgroup files: version 1, version 2, and hybrid. Read every second for every session on a
//! screen, so it asks nothing else: a container's folders are found once, by its id alone, and remembered.

mod figures;
mod hierarchy;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Unreadable;
use super::procfs::Procfs;
use crate::session::Usage;
use hierarchy::{Folders, Hierarchies};

/// How soon a look through all groups for what is not where it should be may be followed by the next one.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Reads what containers use. Blocking, and quick.
#[derive(Debug)]
pub struct UsageReader {
    proc: Procfs,
    cgroup_root: PathBuf,
    known: Mutex<Known>,
}

/// What is remembered between readings.
#[derive(Debug, Default)]
struct Known {
    /// `None` until they were looked for.
    hierarchies: Option<Hierarchies>,
    folders: HashMap<String, Folders>,
    /// When all groups were last looked through.
    looked: Option<Instant>,
    /// Whether any container was ever found here.
    is_here: bool,
}

impl Default for UsageReader {
    fn default() -> Self {
        Self::new("/proc".into(), "/sys/fs/cgroup".into())
    }
}

impl UsageReader {
    /// Over a `/proc` and control groups at these places.
    pub fn new(proc_root: PathBuf, cgroup_root: PathBuf) -> Self {
        Self { proc: Procfs::new(proc_root), cgroup_root, known: Mutex::default() }
    }

    /// What these containers use now, by full id, in the order given. [`Unreadable::NotLocal`] is what has no group here: it
    /// does not run, or it runs on another machine.
    pub fn read<S: AsRef<str>>(&self, containers: &[S]) -> Vec<Result<Usage, Unreadable>> {
        let mut known = self.known();
        self.find(&mut known, containers);
        containers.iter().map(|id| known.read(id.as_ref())).collect()
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
        let Known { hierarchies, folders, looked, is_here } = known;
        let hierarchies = hierarchies.get_or_insert_with(|| Hierarchies::read(&self.proc, &self.cgroup_root));
        if folders.len() > containers.len() {
            let wanted: std::collections::HashSet<&str> = containers.iter().map(AsRef::as_ref).collect();
            folders.retain(|id, _| wanted.contains(id.as_str()));
        }
        let mut missing: Vec<&str> = containers.iter().map(AsRef::as_ref).filter(|id| !folders.contains_key(*id)).collect();
        missing.retain(|id| match hierarchies.beside_others(id) {
            Some(found) => folders.insert((*id).to_owned(), found).is_some(),
            None => true,
        });
        if !missing.is_empty() && looked.is_none_or(|last| last.elapsed() >= LOOK_AGAIN) {
            folders.extend(hierarchies.look_through(&missing));
            *looked = Some(Instant::now());
        }
        *is_here |= !folders.is_empty();
    }
}

impl Known {
    fn read(&mut self, id: &str) -> Result<Usage, Unreadable> {
        let Some(folders) = self.folders.get(id) else { return Err(Unreadable::NotLocal) };
        let usage = figures::read(folders);
        if usage == Err(Unreadable::Gone) {
            self.folders.remove(id);
        }
        usage
    }
}

#[cfg(test)]
mod tests;
