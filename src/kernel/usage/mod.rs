//! What containers use, from their cgroup files: version 1, version 2, and hybrid. Read every second for every session on a
//! screen, so it asks nothing else: a container's folders are found once, by its id alone, and remembered.

mod figures;
mod hierarchy;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit};

use super::Unreadable;
use super::procfs::Procfs;
use crate::session::Usage;
use figures::Files;
use hierarchy::{Folders, Hierarchies};

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
}

impl Default for UsageReader {
    fn default() -> Self {
        Self::new("/proc".into(), "/sys/fs/cgroup".into())
    }
}

impl UsageReader {
    /// Over a `/proc` and control groups at these places.
    pub fn new(proc_root: PathBuf, cgroup_root: PathBuf) -> Self {
        Self { proc: Procfs::new(proc_root), cgroup_root, most_open: files_to_spare() / Files::COUNT, known: Mutex::default() }
    }

    /// What these containers use now, by full id, in the order given. [`Unreadable::NotLocal`] is what has no group here: it
    /// does not run, or it runs on another machine.
    pub fn read<S: AsRef<str>>(&self, containers: &[S]) -> Vec<Result<Usage, Unreadable>> {
        let mut known = self.known();
        self.find(&mut known, containers);
        containers.iter().map(|id| self.figures(&mut known, id.as_ref())).collect()
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
            Some(folders) => found.insert((*id).to_owned(), Found { folders, files: None }).is_some(),
            None => true,
        });
        if !missing.is_empty() && looked.is_none_or(|last| last.elapsed() >= LOOK_AGAIN) {
            let all = hierarchies.look_through(&missing).into_iter();
            found.extend(all.map(|(id, folders)| (id, Found { folders, files: None })));
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

/// Half of the files that this program may have open.
fn files_to_spare() -> usize {
    getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| usize::try_from(soft / 2).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests;
