//! The JSON documents, as `docs/json.md` describes them. A document has an `error` exactly when the exit code is not 0
//! (of `run` and `exec`: when the fault is ours).

use serde::Serialize;

use super::cache::document::CacheShare;
use crate::backend::doctor::Check;
use crate::backend::image::OurImage;
use crate::backend::{CopyReport, Fate, Life};
use crate::config::profiles::ProfileSummary;
use crate::failure::{Code, Failure};
use crate::policy::controls::Control;
use crate::policy::drift::{Change, Needs, Standing};
use crate::policy::{Posture, Verdict};
use crate::session::{ContainerFacts, Limits, Session};

/// The version of every document.
pub const SCHEMA: u32 = 1;

/// A document: its version, what it says, and why the command failed where it did.
#[derive(Debug, Serialize)]
pub struct Document<T> {
    schema: u32,
    #[serde(flatten)]
    body: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorBody>,
}

impl<T> Document<T> {
    /// Of a command that worked.
    pub fn new(body: T) -> Self {
        Self { schema: SCHEMA, body, error: None }
    }

    /// Of a command that has something to show and failed all the same.
    pub fn with_error(body: T, error: Option<ErrorBody>) -> Self {
        Self { schema: SCHEMA, body, error }
    }
}

/// The document of a command that has nothing to show but its failure.
pub fn error(error: ErrorBody) -> Document<Nothing> {
    Document { schema: SCHEMA, body: Nothing {}, error: Some(error) }
}

/// No body.
#[derive(Debug, Serialize)]
pub struct Nothing {}

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    /// What kind.
    pub code: Code,
    /// What failed, on what.
    pub message: String,
    /// Particulars.
    pub details: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl From<&Failure> for ErrorBody {
    fn from(failure: &Failure) -> Self {
        Self { code: failure.code, message: failure.message.clone(), details: failure.details.clone(), hint: failure.hint.clone() }
    }
}

/// `ls`.
#[derive(Debug, Serialize)]
pub struct Sessions {
    /// By name.
    pub sessions: Vec<SessionRow>,
}

/// A session in the list.
#[derive(Debug, Serialize)]
pub struct SessionRow {
    /// The session.
    #[serde(flatten)]
    pub session: Session,
    /// What the package cache saved it.
    pub cache: CacheShare,
    /// How it stands to its plan and to today's.
    pub drift: Drift,
    /// The limits that it ran into.
    pub limits: Limits,
    /// How long it lives.
    pub life: Life,
    /// With `--posture`: measured now, or why it could not be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posture: Option<PostureSummary>,
}

/// How a session stands, with it in words.
#[derive(Debug, Serialize)]
pub struct Drift {
    /// `current`, or what holds of `drifted`, `outdated` and `unknown`.
    state: Vec<&'static str>,
    /// Field by field.
    #[serde(flatten)]
    pub standing: Standing,
}

impl From<Standing> for Drift {
    fn from(standing: Standing) -> Self {
        Self { state: standing.words(), standing }
    }
}

/// A posture in short.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum PostureSummary {
    /// Measured.
    Measured {
        /// Controls that are enforced.
        enforced: usize,
        /// Controls in all.
        total: usize,
        /// The worst verdict of all.
        verdict: Verdict,
        /// Controls that are weaker than requested, or missing.
        failing: Vec<Control>,
    },
    /// Not measured.
    Unmeasured {
        /// Why.
        error: ErrorBody,
    },
}

impl PostureSummary {
    /// Of a posture.
    pub fn of(posture: &Posture) -> Self {
        Self::Measured {
            enforced: posture.enforced(),
            total: posture.controls.len(),
            verdict: posture.controls.iter().map(|control| control.verdict).max().unwrap_or(Verdict::Unknown),
            failing: posture.failing().map(|control| control.control).collect(),
        }
    }
}

/// `inspect`.
#[derive(Debug, Serialize)]
pub struct Inspected {
    /// The session.
    pub session: Session,
    /// What the engine reports.
    pub container: ContainerFacts,
    /// Measured now.
    pub posture: Posture,
    /// How it stands to its plan and to today's.
    pub drift: Drift,
    /// What the package cache saved it.
    pub cache: CacheShare,
    /// The limits that it ran into.
    pub limits: Limits,
    /// Its own package caches; `None` where it has none.
    pub cache_volume: Option<CacheVolume>,
    /// How long it lives, and who used it last.
    pub life: Life,
}

/// The volume with a session's own package caches.
#[derive(Debug, Serialize)]
pub struct CacheVolume {
    /// Its name.
    pub name: String,
    /// What it takes on disk; `None` where that is not known.
    pub bytes: Option<u64>,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

/// `launch`.
#[derive(Debug, Serialize)]
pub struct LaunchedBody {
    /// The session.
    pub session: Session,
    /// As measured before its command began.
    pub posture: Posture,
}

/// `stop`, `start`, `restart`, `pause`, `unpause`, `rename`, `renew`, `rm`, `image rm`.
#[derive(Debug, Serialize)]
pub struct Actions {
    /// `stop`, `start`, `restart`, `pause`, `unpause`, `rename`, `rm`, `image_rm`.
    pub action: &'static str,
    /// One for each name, in the order given.
    pub results: Vec<ActionResult>,
}

/// What came of one name.
#[derive(Debug, Serialize)]
pub struct ActionResult {
    /// As given.
    pub name: String,
    /// The session, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// As measured before its command began (`start`, `restart`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posture: Option<Posture>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

/// `verify`.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// One for each session.
    pub verified: Vec<Verification>,
}

/// One session's posture, or why it could not be measured.
#[derive(Debug, Serialize)]
pub struct Verification {
    /// As given, or its name.
    pub name: String,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// Its posture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posture: Option<Posture>,
    /// Whether a control is weaker than requested, or missing; absent where it could not be measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weaker: Option<bool>,
    /// How it stands to its plan and to today's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// Why it could not be measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

/// `update`.
#[derive(Debug, Serialize)]
pub struct Updates {
    /// Whether nothing was to be changed.
    pub dry_run: bool,
    /// One for each session, in the order given.
    pub updates: Vec<UpdateResult>,
}

/// What an update of one session changed, or would.
#[derive(Debug, Serialize)]
pub struct UpdateResult {
    /// As given, or its name.
    pub name: String,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// Field by field; none where it is current.
    pub changes: Vec<Change>,
    /// The most that any of them takes; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<Needs>,
    /// As measured before its command began again, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posture: Option<Posture>,
    /// Why it could not be updated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
}

/// `cp`.
#[derive(Debug, Serialize)]
pub struct Copied {
    /// What was copied.
    pub copied: CopyReport,
}

/// `profiles`.
#[derive(Debug, Serialize)]
pub struct Profiles {
    /// By name.
    pub profiles: Vec<ProfileSummary>,
}

/// `profiles NAME`.
#[derive(Debug, Serialize)]
pub struct ProfileShown {
    /// The profile.
    pub profile: ProfileSummary,
}

/// `image ls`.
#[derive(Debug, Serialize)]
pub struct Images {
    /// Tagged ones first, each group newest first.
    pub images: Vec<OurImage>,
}

/// `image build`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageBuilt {
    /// `name:tag`.
    pub image: String,
    /// `sha256:…`.
    pub id: String,
    /// False where `--if-needed` found it there.
    pub built: bool,
}

/// `doctor`.
#[derive(Debug, Serialize)]
pub struct Checks {
    /// In the order in which they were made.
    pub checks: Vec<Check>,
}

/// `completions`.
#[derive(Debug, Serialize)]
pub struct CompletionScript {
    /// `bash`, `zsh`, ….
    pub shell: String,
    /// The script.
    pub script: String,
}

/// `man`.
#[derive(Debug, Serialize)]
pub struct ManPages {
    /// One, or one for each command where a folder was given.
    pub pages: Vec<ManPage>,
}

/// A manual page.
#[derive(Debug, Serialize)]
pub struct ManPage {
    /// `palisade-run.1`.
    pub name: String,
    /// The file it was written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Its text, where it was written to no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roff: Option<String>,
}

/// `--help`.
#[derive(Debug, Serialize)]
pub struct Help {
    /// The text.
    pub help: String,
}

/// `--version`.
#[derive(Debug, Serialize)]
pub struct Version {
    /// `0.1.0`.
    pub version: &'static str,
}

/// One line of `run --json`, `exec --json` and `logs --json`.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Event {
    /// The command begins.
    Started {
        /// Its session.
        session: Box<Session>,
        /// As measured before the command began (`run`).
        #[serde(skip_serializing_if = "Option::is_none")]
        posture: Option<Box<Posture>>,
    },
    /// It wrote to its standard output.
    Stdout(Piece),
    /// It wrote to its standard error.
    Stderr(Piece),
    /// It ended.
    Exit {
        /// Its exit code.
        code: i64,
        /// What became of the session that cut it short (`exec`, `shell`).
        #[serde(skip_serializing_if = "Option::is_none")]
        fate: Option<Box<Fate>>,
    },
}

/// What was written: a text where it is UTF-8, else base64.
#[derive(Debug, Default, Serialize)]
pub struct Piece {
    /// The engine's time of it (`logs --timestamps`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Any bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}
