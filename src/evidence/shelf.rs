#![expect(clippy::disallowed_methods, reason = "the evidence's own files")]

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::document::{Begun, Evidence, Run};
use crate::audit_log::{AuditLog, Deed, Entry, lock};
use crate::units::hex;

/// A file with what it says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kept {
    /// Its name in the folder.
    pub file: String,
    /// Of its bytes.
    pub sha256: String,
    /// What it says.
    pub evidence: Evidence,
}

/// The folder of one operator's evidence.
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
    pub(super) log: AuditLog,
}

impl Shelf {
    /// The one in a state folder, with the log that its hashes stand in. Nothing is made before the first run begins.
    pub fn new(state: &Path, log: AuditLog) -> Self {
        Self { folder: state.join("evidence"), log }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A run begins: what is known of it now.
    pub fn begin(&self, mut begun: Begun) -> io::Result<()> {
        let _lock = self.lock()?;
        if begun.run.plan.is_null() {
            // Of a container that is started again the plan is the one that it had.
            begun.run.plan = self.plan_of(&begun.run.session.id, &begun.run.container)?;
        }
        replace(&self.open_file(&begun.run.session.id), &serde_json::to_vec(&begun)?)
    }

    /// It was measured again.
    pub fn measured(&self, session: &str, container: &str, posture: Value, now: Timestamp) -> io::Result<()> {
        if !self.open_file(session).exists() {
            return Ok(());
        }
        let _lock = self.lock()?;
        match self.open_of(session)? {
            Some(mut begun) if begun.run.container == container => {
                (begun.run.posture, begun.run.measured) = (posture, Some(now));
                replace(&self.open_file(session), &serde_json::to_vec(&begun)?)
            }
            _ => Ok(()),
        }
    }

    /// The run of a session whose end is still to be told.
    pub fn open_of(&self, session: &str) -> io::Result<Option<Begun>> {
        read(&self.open_file(session))
    }

    /// Every run whose end is still to be told.
    pub fn open(&self) -> io::Result<Vec<Begun>> {
        let files = names(&self.folder.join("open"))?;
        let read = files.into_iter().map(|name| read(&self.folder.join("open").join(name)));
        Ok(read.collect::<io::Result<Vec<_>>>()?.into_iter().flatten().collect())
    }

    /// Whether its evidence is there, at a glance.
    pub fn is_told(&self, run: &Run) -> bool {
        self.folder.join(run.file()).exists() && !self.open_file(&run.session.id).exists()
    }

    /// A run has ended: its evidence is written, and its hash into the log, by the first who says so. `false` where that was another.
    pub fn end(&self, evidence: &Evidence, now: Timestamp) -> io::Result<bool> {
        let _lock = self.lock()?;
        self.recover(now)?;
        let file = evidence.run.file();
        let open = self.open_of(&evidence.run.session.id)?.filter(|begun| begun.run.is(&evidence.run));
        let is_told = self.folder.join(&file).exists() || (open.is_none() && self.is_in_log(&file)?);
        if !is_told {
            let bytes = serde_json::to_vec(evidence)?;
            replace(&self.pending(), &bytes)?;
            self.tell(evidence, &bytes, now)?;
        }
        if open.is_some() {
            forgive(std::fs::remove_file(self.open_file(&evidence.run.session.id)))?;
        }
        Ok(!is_told)
    }

    /// Removes what is more than so many or older than that, the oldest first; the log tells of it. How many went.
    pub fn expire(&self, keep: usize, longest: Duration, now: Timestamp) -> io::Result<usize> {
        if !self.folder.exists() {
            return Ok(0);
        }
        let _lock = self.lock()?;
        self.recover(now)?;
        // By the session's id, which sorts by the time of its launch.
        let files = names(&self.folder)?;
        let too_many = files.len().saturating_sub(keep);
        let is_old = |name: &String| {
            let written = std::fs::metadata(self.folder.join(name)).and_then(|found| found.modified()).ok();
            let written = written.and_then(|time| Timestamp::try_from(time).ok());
            written.is_some_and(|written| Duration::try_from(now.duration_since(written)).is_ok_and(|age| age > longest))
        };
        let going: Vec<String> =
            files.into_iter().enumerate().filter(|(at, name)| *at < too_many || is_old(name)).map(|(_, name)| name).collect();
        if !going.is_empty() {
            self.log.append(&Deed { action: "expire", session: None, detail: json!({ "evidence": going }) }, now)?;
        }
        for name in &going {
            forgive(std::fs::remove_file(self.folder.join(name)))?;
        }
        Ok(going.len())
    }

    /// Every file, in the order of their sessions' launches. One that is no evidence is left out: [`Self::verify`] finds it.
    pub fn all(&self) -> io::Result<Vec<Kept>> {
        let mut kept = Vec::new();
        for file in names(&self.folder)? {
            let Some(bytes) = bytes_of(&self.folder.join(&file))? else { continue };
            if let Ok(evidence) = serde_json::from_slice(&bytes) {
                kept.push(Kept { file, sha256: hex(&Sha256::digest(&bytes)), evidence });
            }
        }
        Ok(kept)
    }

    /// The names of all files, and the hash of each.
    pub(super) fn hashes(&self) -> io::Result<Vec<(String, String)>> {
        let mut hashes = Vec::new();
        for file in names(&self.folder)? {
            if let Some(bytes) = bytes_of(&self.folder.join(&file))? {
                hashes.push((file, hex(&Sha256::digest(&bytes))));
            }
        }
        Ok(hashes)
    }

    /// Nobody is in the middle of an end then; `None` where nothing was ever written.
    pub(super) fn settled(&self, now: Timestamp) -> io::Result<Option<File>> {
        if !self.folder.exists() {
            return Ok(None);
        }
        let lock = self.lock()?;
        self.recover(now)?;
        Ok(Some(lock))
    }

    /// What a process that was killed had written and may not have told.
    fn recover(&self, now: Timestamp) -> io::Result<()> {
        let Some(bytes) = bytes_of(&self.pending())? else { return Ok(()) };
        // Replaced whole: what is no evidence is of no palisade.
        let evidence: Evidence = serde_json::from_slice(&bytes)?;
        let file = evidence.run.file();
        if self.is_in_log(&file)? {
            return std::fs::rename(self.pending(), self.folder.join(file));
        }
        self.tell(&evidence, &bytes, now)
    }

    /// From the file that waits to one that the log tells of.
    fn tell(&self, evidence: &Evidence, bytes: &[u8], now: Timestamp) -> io::Result<()> {
        let (file, end) = (evidence.run.file(), &evidence.end);
        let detail = json!({
            "seen_by": end.seen_by, "exit_code": end.exit_code, "evidence": file, "sha256": hex(&Sha256::digest(bytes)),
        });
        let deed = Deed { action: "end", session: Some(evidence.run.session.clone()), detail };
        let told = self.log.append(&deed, now);
        // Also where the log cannot be written: what was seen is kept, and verify says that the log does not know it.
        std::fs::rename(self.pending(), self.folder.join(file))?;
        told.map(drop)
    }

    /// Whether the log tells of the end that this file is of. All of it is read.
    fn is_in_log(&self, file: &str) -> io::Result<bool> {
        let wanted = |entry: &Entry| entry.action == "end" && entry.detail["evidence"] == file;
        Ok(!self.log.entries(wanted, Some(1))?.is_empty())
    }

    /// The plan of the latest run of this container.
    fn plan_of(&self, session: &str, container: &str) -> io::Result<Value> {
        if let Some(open) = self.open_of(session)?.filter(|open| open.run.container == container) {
            return Ok(open.run.plan);
        }
        let mut files = names(&self.folder)?;
        files.retain(|name| name.split_once('-').is_some_and(|(id, _)| id == session));
        let last = files.last().map(|name| read::<Evidence>(&self.folder.join(name))).transpose()?.flatten();
        Ok(last.filter(|evidence| evidence.run.container == container).map_or(Value::Null, |evidence| evidence.run.plan))
    }

    fn lock(&self) -> io::Result<File> {
        DirBuilder::new().recursive(true).mode(0o700).create(self.folder.join("open"))?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(self.folder.join("lock"))?;
        lock::wait(&file, lock::Held::Alone)?;
        Ok(file)
    }

    fn open_file(&self, session: &str) -> PathBuf {
        self.folder.join("open").join(format!("{session}.json"))
    }

    fn pending(&self) -> PathBuf {
        self.folder.join("pending")
    }
}

/// The names of the documents in a folder, sorted.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

fn bytes_of(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a file says; `None` where there is none, or one that a palisade of another version wrote.
fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    Ok(bytes_of(path)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// Replaces it whole, for its owner's eyes alone.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    forgive(std::fs::remove_file(&temporary))?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?.write_all(bytes)?;
    std::fs::rename(&temporary, path)
}

/// What is gone already is gone.
fn forgive(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
