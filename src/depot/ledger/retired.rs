use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files::{self, Lasting};
use super::types::Counters;
use crate::depot::promise::Ecosystem;
use crate::units::SessionId;

/// The file in the ledger's folder.
const FILE: &str = "retired.json";

/// What sessions counted whose journals are gone.
///
/// Retiring takes three steps, and may end between any two: the totals are written with the names of the sessions in
/// them, the journals are removed, the names are taken out. While a session is named, its journal is already counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Retired {
    /// Everything that they counted.
    pub totals: BTreeMap<Ecosystem, Counters>,
    /// Sessions in `totals` whose journals may still be there.
    pub leaving: BTreeSet<SessionId>,
}

impl Retired {
    /// Reads it; nothing where there is none. A damaged one is set aside, so that it can be looked at: figures of
    /// sessions long gone are no reason not to serve.
    pub fn read(folder: &Path) -> io::Result<(Self, Option<serde_json::Error>)> {
        let path = folder.join(FILE);
        let Some(file) = files::read(&path)? else { return Ok((Self::default(), None)) };
        match serde_json::from_reader(file) {
            Ok(retired) => Ok((retired, None)),
            Err(damage) => {
                std::fs::rename(&path, path.with_added_extension("damaged"))?;
                Ok((Self::default(), Some(damage)))
            }
        }
    }

    /// The first step.
    pub fn take_in(&mut self, folder: &Path, sessions: &[(SessionId, BTreeMap<Ecosystem, Counters>)]) -> io::Result<()> {
        let mut next = self.clone();
        for (session, counters) in sessions {
            next.leaving.insert(*session);
            for (ecosystem, counters) in counters {
                next.totals.entry(*ecosystem).or_default().add(counters);
            }
        }
        next.write(folder)?;
        *self = next;
        Ok(())
    }

    /// The second and third step, also after an end that came between.
    pub fn clear(&mut self, folder: &Path) -> io::Result<()> {
        if self.leaving.is_empty() {
            return Ok(());
        }
        for session in &self.leaving {
            files::remove(&folder.join(super::journal_file(*session)))?;
        }
        let next = Self { leaving: BTreeSet::new(), totals: self.totals.clone() };
        next.write(folder)?;
        *self = next;
        Ok(())
    }

    fn write(&self, folder: &Path) -> io::Result<()> {
        files::replace(&folder.join(FILE), Lasting::Yes, |file| Ok(serde_json::to_writer(file, self)?))
    }
}
