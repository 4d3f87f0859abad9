//! Whether a host folder may be mounted at `/workspace`, and as whom the session then runs. Pure: it judges facts.

use std::path::PathBuf;

use super::{RunAs, WorkspaceMode, WorkspaceMount};
use crate::failure::{Code, Failure, Result};

/// What `backend::workspace` observed of a folder, symlinks resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFacts {
    /// As typed.
    pub asked: String,
    /// Canonical path.
    pub canonical: PathBuf,
    /// `st_dev`.
    pub device: u64,
    /// `st_ino`.
    pub inode: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Names directly in it that matter: `.ssh`, `docker.sock`, ….
    pub entries: Vec<String>,
}

/// What no workspace may be or hold on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// Home folders: the caller's, and every one in the password file; canonical.
    pub homes: Vec<PathBuf>,
    /// The engine's socket and this program's own folders; canonical.
    pub protected: Vec<PathBuf>,
    /// Where workspaces may be; empty for anywhere that is not refused.
    pub allowed_roots: Vec<PathBuf>,
}

/// Who launches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Real uid.
    pub uid: u32,
    /// Real gid.
    pub gid: u32,
}

/// The mount and the user, or why not.
pub fn judge(facts: &FolderFacts, mode: WorkspaceMode, rules: &Rules, caller: Caller) -> Result<(WorkspaceMount, RunAs)> {
    let _ = (facts, mode, rules, caller);
    Err(Failure::new(Code::Internal, "placeholder"))
}
